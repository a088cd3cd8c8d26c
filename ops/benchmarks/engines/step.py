"""The pure step of every Python peer: ours, with the sequence in a mapping instead of our store with its changelog.

A dictionary is enough for a loop that is at least once, and less work than our stage and the JVM's do; who has a table
of its own, with a changelog, gives that.
"""

from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zlib import crc32

from ops.benchmarks.engines.job import Job
from services.contract.envelope import Header, binary_of, kind
from services.contract.policies import ProviderPolicy, day_in_paris
from services.pseudonymisation.emission import Manner, manner_of, read_strictly, recognise
from services.pseudonymisation.fields import Renaming
from services.pseudonymisation.pseudonym import Pseudonymiser
from services.pseudonymisation.terms import Terms

_OPERATION = kind("pseudonymisation", "operation")


class Named(NamedTuple):
    """One record to write."""

    topic: str
    key: bytes
    value: bytes
    headers: list[Header]

    def partition(self, partitions: int) -> int:
        """Where ours lays it."""
        return crc32(self.key) % partitions


class NotAllowed(Exception):
    """The input of a benchmark has nothing to refuse: whoever refuses has another policy or key than ours."""


class Step:
    """Holds what outlives a record: keys, policies, terms with their cached names, the last sequence of every pair."""

    def __init__(self, job: Job, seqs: MutableMapping[bytes, int] | None = None) -> None:
        self._outputs = job.outputs
        self._perimeter = job.perimeter
        self._names = {name: Pseudonymiser.under(bytes.fromhex(key)) for name, key in job.keys.items()}
        self._policies = {name: ProviderPolicy.model_validate_json(text) for name, text in job.policies.items()}
        self._day = day_in_paris(datetime.now(UTC))
        self._terms: dict[Manner, Terms] = {}
        self._seqs: MutableMapping[bytes, int] = {} if seqs is None else seqs

    def take(self, raw: bytes, key: bytes) -> Named | None:
        """Null for what the sequence refuses."""
        release, terms = recognise(raw, key, self._terms) or self._learn(raw)
        pseudonym, seq = terms.pseudonym(release), release["seq"]
        place = terms.place + pseudonym
        if seq <= self._seqs.get(place, 0):
            return None
        policy = self._policies[terms.provider]
        if terms.ruling(policy, self._perimeter, self._day).refusal(release["fields"]):
            raise NotAllowed
        event_id, value = terms.upsert(release, pseudonym, policy.relay_domain)
        self._seqs[place] = seq
        return Named(self._outputs[terms.provider], pseudonym, value, binary_of(_OPERATION, event_id))

    def _learn(self, raw: bytes) -> tuple[Mapping[str, Any], Terms]:
        """Read strictly, and know this manner from now on."""
        release = read_strictly(raw)
        names = self._names[f"{release['provider']}/{release['purpose_family']}"]
        renaming = Renaming(release["source"], self._perimeter, names.name)
        terms = self._terms.setdefault(manner_of(release), Terms(release, names, renaming))
        return release, terms

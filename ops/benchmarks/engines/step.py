"""The pure step of every Python peer: a release to an operation, tuned as ours is, with ours' own names and fields.

The sequence is kept in memory: enough for a loop that is at least once, and less work than ours and the JVM's do.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from ops.benchmarks.engines.job import Job
from services.contract.envelope import Header, binary
from services.contract.naming import name_of_group, name_of_school
from services.pseudonymisation.fields import GROUPS, PLAIN
from services.pseudonymisation.pseudonym import Pseudonymiser


class Named(NamedTuple):
    """One record to write."""

    topic: str
    key: bytes
    value: bytes
    headers: list[Header]


class NotAllowed(Exception):
    """The input of a benchmark has nothing to refuse: whoever refuses has another policy or key than ours."""


class _Pair:
    """One contract of one provider: its key, its closed list, and the names that many of its records share."""

    def __init__(self, names: Pseudonymiser, perimeter: str, topic: str, allowed: frozenset[str], version: int) -> None:
        self.person = names.pseudonym
        self.event_id = names.event_id
        self.topic = topic
        self.allowed = allowed
        self.version = version
        self.seqs: dict[str, int] = {}
        self._perimeter = perimeter
        self._schools: dict[str, str] = {}
        self._groups: dict[tuple[str, str, str], str] = {}

    def school(self, uai: str) -> str:
        if (known := self._schools.get(uai)) is None:
            named = name_of_school(self._perimeter, uai)
            known = self._schools[uai] = self.person(named.entity_class, named.namespace, named.type, named.value)
        return known

    def group(self, source: str, uai: str, code: str) -> str:
        if (known := self._groups.get((source, uai, code))) is None:
            named = name_of_group(source, uai, code)
            known = self.person(named.entity_class, named.namespace, named.type, named.value)
            self._groups[source, uai, code] = known
        return known


class Step:
    """Holds what outlives a record: keys, lists, cached names, the last sequence of every pair."""

    def __init__(self, job: Job) -> None:
        keys = {name: Pseudonymiser.under(bytes.fromhex(key)) for name, key in job.keys.items()}
        families = {name.partition("/")[0]: names for name, names in keys.items()}
        self._pairs = {
            pair: _Pair(families[provider], job.perimeter, job.outputs[provider], frozenset(fields), version)
            for pair, fields in job.allowed.items()
            for provider in (pair.partition("/")[0],)
            for version in (job.versions[provider],)
        }

    def take(self, raw: bytes) -> Named | None:
        """Null for what the sequence refuses."""
        release = orjson.loads(raw)
        pair = self._pairs[f"{release['provider']}/{release['contract']}"]
        named_by, seq, fields = release["named_by"], release["seq"], release["fields"]
        pseudonym = pair.person(named_by["entity_class"], named_by["namespace"], named_by["type"], named_by["value"])
        if seq <= pair.seqs.get(pseudonym, 0):
            return None
        if release["policy_version"] > pair.version or not fields.keys() <= pair.allowed:
            raise NotAllowed
        pair.seqs[pseudonym] = seq
        event_id = pair.event_id(pseudonym, seq)
        operation = {
            "provider": release["provider"], "contract": release["contract"], "pseudonym": pseudonym, "seq": seq,
            "policy": release["policy"], "policy_version": release["policy_version"], "event_id": event_id,
            "kind": release["kind"], "fields": _renamed(fields, release["source"], pair),
        }  # fmt: skip
        headers = binary("pseudonymisation", "operation", event_id)
        return Named(pair.topic, pseudonym.encode(), orjson.dumps(operation), headers)


def _renamed(fields: Mapping[str, Any], source: str, pair: _Pair) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for field, value in fields.items():
        if field in PLAIN:
            seen[field] = value
        elif field == "school":
            seen[field] = pair.school(value)
        elif code := GROUPS.get(field):
            seen[field] = [_group(entry, code, source, pair) for entry in value]
    return seen


def _group(entry: Mapping[str, Any], code: str, source: str, pair: _Pair) -> dict[str, Any]:
    group = {"id": pair.group(source, entry["school"], entry[code])}
    return group | {"subject": entry["subject"]} if "subject" in entry else group

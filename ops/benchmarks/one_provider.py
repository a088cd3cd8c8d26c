"""What it costs to pseudonymise one release for one provider, as the stage does; no broker and no store.

An invented school's pupils, all of them released to one provider whom every one of them was released to before. Timed
is `handle` as a whole: recognising, naming the pupil, her school and her groups, contract, places and closed list, the
fence, the event's id, the account. Reading and writing the JSON of the same records is timed beside it.
"""

import gc
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import orjson

from ops.aaf_files import read_export
from ops.benchmarks.memory_state import MemoryState
from ops.benchmarks.processor import cost
from ops.policy_files import Policies, read_policies
from ops.synthesis import synthesise
from services.contract.account import Account
from services.contract.changes import Change
from services.contract.envelope import binary
from services.contract.naming import name_of_person
from services.contract.policies import ProviderPolicy, policy_digest, releasable
from services.contract.releases import Release
from services.contract.topology import RELEASES
from services.filtering.case import Person, person_of
from services.filtering.folding import fold
from services.filtering.likeness import moment_of
from services.filtering.subject import NOBODY
from services.pseudonymisation.agent import PseudonymisationAgent
from services.pseudonymisation.keyring import KeySource, first_keyring
from services.runtime.outbox import Outbox
from services.runtime.policies import PolicyBook
from services.runtime.records import FetchedRecord

PUPILS = 250
"""A batch: longer rounds would hardly ever have a processor to themselves."""
ROUNDS = 100
FULLEST = "gar"
"""The example policy with most fields to name: school, division, groups."""
NOW = datetime(2026, 9, 16, 8, tzinfo=UTC)
MOMENT = moment_of(NOW)
NOW_US = int(NOW.timestamp()) * 1_000_000
KEYS = KeySource.of(first_keyring("FR", bytes(range(32))))
POLICIES = Path(__file__).parents[1] / "policies"


def pupils(count: int) -> list[Person]:
    """Pupils of one invented school, as the filter sees them."""
    with tempfile.TemporaryDirectory() as name:
        synthesise(1, 7, delta=False, encoding="UTF-8", out=Path(name), pupils_per_school=count)
        read = [change for change in read_export(Path(name), None, {}) if isinstance(change, Change)]
    seen = [person_of(c.attributes.ine or "", fold(NOBODY, c)[0], MOMENT) for c in read if c.category == "pupil"]
    return [person for person in seen if person is not None]


def releases(policy: ProviderPolicy, people: Sequence[Person]) -> list[FetchedRecord]:
    """Everybody released to one provider, whatever the rules would say of it."""
    contract, digest = policy.contracts[0], policy_digest(policy)
    may_leave = releasable(policy, contract)
    rows = []
    for number, person in enumerate(people):
        release = Release(
            subject=person.key, provider=policy.provider, contract=contract.id, purpose_family=contract.family,
            seq=NOW_US + number, named_by=name_of_person(policy.perimeter.id, person.source, person.id, person.ine),
            policy=digest, policy_version=policy.version, kind=person.kind, source=person.source,
            fields={name: value for name, value in person.values.items() if name in may_leave},
        )  # fmt: skip
        headers = binary("filtering", "release", f"0.{contract.id}.{release.seq}")
        value = release.model_dump_json().encode()
        rows.append(FetchedRecord(RELEASES, 0, number, 0, person.key.encode(), value, headers))
    return rows


class Handling(NamedTuple):
    """`handle` in one batch, µs a release: where nobody is known, where everybody is, and of either its JSON."""

    new: float
    known: float
    coding: float
    sent: int
    """Releases that became an operation."""

    @property
    def beyond_json(self) -> float:
        """At most 5 µs: of whoever is known, as nearly everybody is."""
        return self.known - self.coding


def coding(rows: Sequence[FetchedRecord], outbox: Outbox) -> float:
    """To read these releases and to write these operations, all of a batch in memory as they are in the stage."""
    operations = [orjson.loads(output.value) for output in outbox.outputs if output.value]
    values = [row.value or b"" for row in rows]

    def all_of_them() -> object:
        return [orjson.loads(value) for value in values], [orjson.dumps(operation) for operation in operations]

    return cost(all_of_them, max(len(rows), len(operations)), ROUNDS)


def handling(rows: Sequence[FetchedRecord], policies: Policies) -> Handling:
    """Under the policies in force."""
    book = PolicyBook("pseudonymisation")
    for name, policy in policies.items():
        book.apply(name.encode(), policy.model_dump_json(by_alias=True).encode())
    agent = PseudonymisationAgent(book, KEYS)

    def once(state: MemoryState) -> Outbox:
        outbox = Outbox("pseudonymisation", 0, state, NOW_US)
        with suppress(StopIteration):  # it waits for nothing: an event loop would be measured with it
            agent.handle(rows, outbox, Account("pseudonymisation", RELEASES, 0, len(rows))).send(None)
        return outbox

    nobody, everybody = MemoryState(), MemoryState()
    before = b"%d" % (NOW_US - 1)
    everybody.apply({place: before for place in once(nobody).changes if place.startswith(b"q/")})

    new, known = (cost(partial(once, state), len(rows), ROUNDS) for state in (nobody, everybody))
    sent = once(nobody)
    return Handling(new, known, coding(rows, sent), len(sent.outputs))


def pseudonymising_one() -> Handling:
    """Of the fullest contract.

    Raises:
        SystemExit: somebody was not sent on, so that there is nothing to measure.
    """
    policies = read_policies(POLICIES)
    rows = releases(policies[FULLEST], pupils(PUPILS))
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        handled = handling(rows, policies)
    finally:
        gc.enable()
        gc.unfreeze()
    if handled.sent != len(rows):
        raise SystemExit("somebody was not sent on: nothing to measure")
    return handled

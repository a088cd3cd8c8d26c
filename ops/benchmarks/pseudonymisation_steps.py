"""`python -m ops.benchmarks.pseudonymisation_steps`: what each step of the pseudonymiser costs a release, in µs.

Releases of an invented school's pupils for the example policies, as the filter would write them; no broker and no
store. The last rows are `handle` as a whole, once everybody is new and once everybody is known.
"""

import asyncio
import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from ops.aaf_files import read_export
from ops.policy_files import Policies, read_policies
from ops.synthesis import synthesise
from services.contract.account import Account
from services.contract.changes import Change
from services.contract.envelope import Header, binary, binary_of, body, kind
from services.contract.naming import name_of_person
from services.contract.policies import ProviderPolicy, day_in_paris, policy_digest, releasable
from services.contract.releases import Release
from services.contract.topology import RELEASES
from services.filtering.case import Person, person_of
from services.filtering.likeness import moment_of
from services.filtering.subject import NOBODY, fold
from services.pseudonymisation.agent import PseudonymisationAgent
from services.pseudonymisation.emission import MAX_EMISSION_BYTES, manner_of, read_strictly, recognise
from services.pseudonymisation.fields import Renaming
from services.pseudonymisation.keyring import KeySource, first_keyring
from services.pseudonymisation.pseudonym import Pseudonymiser
from services.pseudonymisation.terms import Terms
from services.runtime.outbox import Outbox
from services.runtime.policies import PolicyBook
from services.runtime.state import State

PUPILS = 250
"""A batch: longer rounds would hardly ever have a processor to themselves."""
ROUNDS = 100
NOW = datetime(2026, 9, 16, 8, tzinfo=UTC)
MOMENT = moment_of(NOW)
NOW_US = int(NOW.timestamp()) * 1_000_000
OPERATION = kind("pseudonymisation", "operation")
KEYS = KeySource.of(first_keyring("FR", bytes(range(32))))
POLICIES = Path(__file__).parents[1] / "policies"


def cost(step: Callable[[], int]) -> float:
    """Microseconds of processor a record: the best of many short rounds, whoever else is at work on the machine."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.thread_time_ns()
        records = step()
        best = min(best, (time.thread_time_ns() - began) / records)
    return best / 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the releases topic."""

    offset: int
    key: bytes
    value: bytes
    headers: Sequence[Header]
    topic: str = RELEASES
    partition: int = 0
    timestamp: int = 0


class Known(State):
    """What is remembered, in a mapping: a store would be measured instead of the stage."""

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self._values = values

    def get(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self._values.get(key) for key in keys]

    def scan(self, prefix: bytes, after: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        keys = (key for key in sorted(self._values) if key.startswith(prefix) and key > (after or b""))
        yield from ((key, self._values[key]) for key in keys)


def pupils(count: int) -> list[Person]:
    """Pupils of one invented school, as the filter sees them."""
    with tempfile.TemporaryDirectory() as name:
        synthesise(1, 7, delta=False, encoding="UTF-8", out=Path(name), pupils_per_school=count)
        read = [change for change in read_export(Path(name), None, {}) if isinstance(change, Change)]
    seen = [person_of(c.attributes.ine or "", fold(NOBODY, c)[0], MOMENT) for c in read if c.category == "pupil"]
    return [person for person in seen if person is not None]


def releases(policy: ProviderPolicy, people: Sequence[Person]) -> list[Row]:
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
        rows.append(Row(number, person.key.encode(), release.model_dump_json().encode(), headers))
    return rows


def each(rows: Sequence[Row], step: Callable[[int], object]) -> float:
    """Microseconds a record of a step that is given the record's number."""

    def all_of_them() -> int:
        for number in range(len(rows)):
            step(number)
        return len(rows)

    return cost(all_of_them)


def steps(rows: Sequence[Row], policy: ProviderPolicy) -> dict[str, float]:
    """The pure steps, one by one; what little the loop itself costs is in each."""
    strict = [read_strictly(row.value) for row in rows]
    names = Pseudonymiser.under(KEYS.keys_of(policy.provider, strict[0]["purpose_family"], 0).current)
    renaming = Renaming(strict[0]["source"], "FR", names.name)
    terms = Terms(strict[0], names, renaming)
    known = {manner_of(strict[0]): terms}
    pseudonyms = [terms.pseudonym(release) for release in strict]
    event_ids = [names.event(name, release["seq"]) for name, release in zip(pseudonyms, strict, strict=True)]
    fields = [renaming.renamed(release["fields"], None) for release in strict]
    whole = [orjson.loads(terms.upsert(r, name, None)[1]) for r, name in zip(strict, pseudonyms, strict=True)]
    day = day_in_paris(NOW)
    return {
        "read strictly (for comparison)": each(rows, lambda n: read_strictly(rows[n].value)),
        "headers and size": each(rows, lambda n: body(rows[n].value, rows[n].headers, MAX_EMISSION_BYTES)),
        "read, recognised": each(rows, lambda n: recognise(rows[n].value, rows[n].key, known)),
        "pseudonym": each(rows, lambda n: terms.pseudonym(strict[n])),
        "policy": each(rows, lambda n: terms.ruling(policy, "FR", day).refusal(strict[n]["fields"])),
        "event id": each(rows, lambda n: names.event(pseudonyms[n], strict[n]["seq"])),
        "school and groups": each(rows, lambda n: renaming.renamed(strict[n]["fields"], None)),
        "operation bytes": each(rows, lambda n: orjson.dumps(whole[n] | {"fields": fields[n]})),
        "headers out": each(rows, lambda n: binary_of(OPERATION, event_ids[n])),
    }


def handling(rows: Sequence[Row], policies: Policies) -> tuple[float, float]:
    """`handle` in one batch, where nobody is known and where everybody is."""
    book = PolicyBook("pseudonymisation")
    for name, policy in policies.items():
        book.apply(name.encode(), policy.model_dump_json(by_alias=True).encode())
    agent = PseudonymisationAgent(book, KEYS)

    def once(state: Known) -> Outbox:
        outbox = Outbox("pseudonymisation", 0, state, NOW_US)
        with asyncio.Runner() as runner:
            runner.run(agent.handle(rows, outbox, Account("pseudonymisation", RELEASES, 0, len(rows))))
        return outbox

    nobody = Known({})
    everybody = Known({place: b"1" for place in once(nobody).changes if place.startswith(b"q/")})

    def everybody_new() -> int:
        once(nobody)
        return len(rows)

    def everybody_known() -> int:
        once(everybody)
        return len(rows)

    return cost(everybody_new), cost(everybody_known)


def main() -> None:
    policies, people = read_policies(POLICIES), pupils(PUPILS)
    columns: dict[str, dict[str, float]] = {}
    for name, policy in policies.items():
        rows = releases(policy, people)
        # A full collection walks through what this benchmark has made, which no stage holds.
        gc.collect()
        gc.freeze()
        columns[name] = steps(rows, policy)
        columns[name]["handle, all new"], columns[name]["handle, all known"] = handling(rows, policies)
    table = Table("µs a release", *columns)
    for step in columns["gar"]:
        table.add_row(step, *(f"{column[step]:.2f}" for column in columns.values()))
    Console().print(table)


if __name__ == "__main__":
    main()

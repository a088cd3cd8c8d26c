"""`python -m ops.benchmarks.filtering_steps`: microseconds a record in each step of the filter, without a broker.

An invented population comes in three times: first images, then consents of families, then patches of what is known.
The steps are those of `FilteringAgent`, in its order, each timed over a batch; processor time, the best of some rounds.
Batches are short and nothing is collected while they run: a step at a time keeps alive what the agent lets go at once.
"""

import argparse
import gc
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import orjson
from rich.console import Console
from rich.table import Table

from ops.aaf_files import read_export
from ops.policy_files import read_policies
from ops.synthesis import synthesise
from services.contract.account import Account
from services.contract.changes import MAX_CHANGE_BYTES, Change, routing_key
from services.contract.consents import ConsentDecision
from services.contract.envelope import Header, binary, body
from services.contract.parsing import parse_payload
from services.contract.policies import ProviderPolicy, policy_digest
from services.contract.told_changes import read_change
from services.filtering.case import Person, out_of_scope, person_of
from services.filtering.detector import traces_of
from services.filtering.docket import Docket
from services.filtering.emission import Decisions, decide_pairs
from services.filtering.folding import fold, take
from services.filtering.likeness import moment_of
from services.filtering.school_type import school_type_of
from services.filtering.subject import Subject, dump, load
from services.filtering.terms import terms_of

NOW = datetime(2026, 9, 22, 8, tzinfo=UTC)
BATCH = 100
ROUNDS = 5
Topic = Literal["images", "consents", "patches"]
Item = TypeVar("Item")
Result = TypeVar("Result")


class Incoming(NamedTuple):
    """One record: the key and value of a change or of a consent."""

    key: str
    value: bytes
    headers: Sequence[Header]


@dataclass(slots=True)
class Costs:
    """Processor seconds by step, and how many records they were for."""

    records: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def each(self, step: str, of: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        began = time.process_time()
        results = [of(item) for item in items]
        self.seconds[step] = self.seconds.get(step, 0.0) + time.process_time() - began
        return results


def population(pupils: int) -> dict[Topic, list[Incoming]]:
    """A school's people; six pupils in ten have an answer from the child and one or both holders; all change once."""
    with tempfile.TemporaryDirectory() as name:
        synthesise(1, 7, delta=False, encoding="UTF-8", out=Path(name), pupils_per_school=pupils)
        people = [read for read in read_export(Path(name), None, {}) if isinstance(read, Change)]
    told: dict[Topic, list[Incoming]] = {"images": [], "consents": [], "patches": []}
    answers: tuple[list[Incoming], ...] = ([], [], [])  # of one person never two in a batch, which is a step at a time
    for number, person in enumerate(person for person in people if person.entity == "person"):
        key = routing_key(person.source, person.id, person.attributes.ine)
        told["images"].append(_incoming(key, "change", person.model_dump_json(exclude_unset=True).encode()))
        if person.category == "pupil" and number % 10 < 6:
            for place, value in enumerate(_consents(key, person, number)):
                answers[place].append(_incoming(key, "consent-decision", value))
        said = {"given_name": "Zoé"} if number % 2 else {"home_phone": "+33 6 39 98 00 00"}
        patch = {"kind": "patch", "entity": "person", "category": person.category, "source": person.source,
                 "id": person.id, "version": f"20260920.1.{number:09d}", "attributes": said}  # fmt: skip
        told["patches"].append(_incoming(key, "change", orjson.dumps(patch)))
    told["consents"] = [one for party in answers for one in party]
    return told


def _incoming(key: str, payload: str, value: bytes) -> Incoming:
    return Incoming(key, value, binary("ingress", payload, key))


def _consents(key: str, pupil: Change, number: int) -> Iterable[bytes]:
    holders = [f"guardian:{pupil.source}:{link.id}" for link in pupil.attributes.guardians if link.legal == "1"]
    for place, party in enumerate(("child", *holders[: 1 + number % 2])):
        yield orjson.dumps({
            "subject": key, "party": party, "status": "given" if place or number % 7 else "refused",
            "at": f"2026-09-0{1 + number % 9}T1{place}:{number % 60:02d}:00+02:00",
            "until": "2027-08-31T00:00:00+02:00",
            "purpose": "reading-practice", "provider": "lecture", "notice": "n1", "proof": f"p{number}",
        })  # fmt: skip


def terms_for(providers: int) -> Docket:
    """The example policies; beyond their number, the same again under other names."""
    examples = list(read_policies(Path(__file__).parents[1] / "policies").values())
    policies = [_renamed(examples[number % len(examples)], number, len(examples)) for number in range(providers)]
    return Docket({term.pair: term for policy in policies for term in terms_of(policy, policy_digest(policy))})


def _renamed(policy: ProviderPolicy, number: int, examples: int) -> ProviderPolicy:
    if number < examples:
        return policy
    return policy.model_copy(update={"provider": f"{policy.provider}-{number}"})


class Filter:
    """The steps of the filter over what it remembers, a dictionary here."""

    def __init__(self, terms: Docket) -> None:
        self.terms = terms
        self.state: dict[str, bytes] = {}
        self.seq = 0

    def take(self, topic: Topic, batch: Sequence[Incoming], costs: Costs) -> None:
        raw = costs.each("envelope", lambda one: body(one.value, one.headers, MAX_CHANGE_BYTES), batch)
        known = costs.each("load", lambda one: load(self.state.get(one.key)), batch)
        subjects = self._consented(raw, known, costs) if topic == "consents" else self._changed(raw, known, costs)
        keyed = [(one.key, subject) for one, subject in zip(batch, subjects, strict=True)]
        self._look_inside(keyed, costs)
        decisions = costs.each("decide and emit, whole", self._decide, keyed)
        states = costs.each("dump", lambda one: dump(one.subject), decisions)
        self._account(batch, decisions, costs)
        self.state |= {one.key: state for one, state in zip(batch, states, strict=True)}
        costs.records += len(batch)

    @staticmethod
    def _changed(raw: Sequence[bytes], known: Sequence[Subject], costs: Costs) -> list[Subject]:
        read = costs.each("parse", read_change, raw)
        return costs.each("fold", lambda one: fold(one[1], one[0])[0], list(zip(read, known, strict=True)))

    @staticmethod
    def _consented(raw: Sequence[bytes], known: Sequence[Subject], costs: Costs) -> list[Subject]:
        read = costs.each("parse", lambda one: parse_payload(ConsentDecision, one, MAX_CHANGE_BYTES), raw)
        return costs.each("fold", lambda one: take(one[1], one[0])[0], list(zip(read, known, strict=True)))

    def _look_inside(self, keyed: Sequence[tuple[str, Subject]], costs: Costs) -> None:
        """The parts of what `decide_pairs` does, which is timed whole besides."""
        moment = moment_of(NOW)
        people = [person for person in costs.each("· person", lambda one: person_of(*one, moment), keyed) if person]
        facts = costs.each("· likeness", lambda person: person.facts(moment.day), people)

        def ask(one: tuple[Person, Any]) -> None:
            person, (usual, all_holders) = one
            for term in self.terms.values():
                under = term.without_contract if out_of_scope(term, person) else term.under
                under.decide(usual if term.usual else all_holders, moment, delivered=False)

        costs.each("· verdicts", ask, list(zip(people, facts, strict=True)))
        named = {name for term in self.terms.values() for name in term.contract.fields}
        shown = [(person, tuple(name for name in person.values if name in named)) for person in people]
        costs.each("· looked into", lambda one: traces_of(one[1], one[0].values), shown)

    def _decide(self, one: tuple[str, Subject]) -> Decisions:
        decisions = decide_pairs(*one, self.terms, NOW, self.seq)
        if decisions is None:
            raise SystemExit("somebody is nobody: nothing to measure")
        self.seq = decisions.seq
        return decisions

    def _account(self, batch: Sequence[Incoming], decisions: Sequence[Decisions], costs: Costs) -> None:
        account = Account("filtering", "in", 0, len(batch))

        def end(one: tuple[int, Decisions]) -> None:
            offset, found = one
            level = found.person.values.get("level")
            school = school_type_of(level) if level else None
            if school is not None:
                account.school(offset, school)
            for decided in found.decided:
                account.end(offset, decided.pair, decided.end, decided.reason)
                if decided.emission is not None and decided.dropped:
                    account.drop(decided.pair, school, decided.dropped)

        def envelope(one: Decisions) -> None:
            for decided in one.decided:
                if sent := decided.emission:
                    binary("filtering", sent.payload, f"0.{sent.contract}.{sent.seq}")

        costs.each("account", end, list(enumerate(decisions)))
        costs.each("envelopes out", envelope, decisions)
        costs.each("close the account", lambda one: account.entry((0, len(batch)), one, {}).model_dump_json(), [NOW])


def measure(pupils: int, terms: Docket) -> dict[Topic, Costs]:
    """Every phase in its best round; the first has no precedent to go by."""
    told = population(pupils)
    best: dict[Topic, Costs] = {}
    gc.freeze()
    for _ in range(ROUNDS):
        steps = Filter(terms)
        for topic, incoming in told.items():
            costs = Costs()
            for start in range(0, len(incoming), BATCH):
                gc.collect()
                gc.disable()
                steps.take(topic, incoming[start : start + BATCH], costs)
                gc.enable()
            if topic not in best or sum(costs.seconds.values()) < sum(best[topic].seconds.values()):
                best[topic] = costs
    return best


def main() -> None:
    """Print the steps."""
    parser = argparse.ArgumentParser(prog="python -m ops.benchmarks.filtering_steps", description=__doc__)
    parser.add_argument("--pupils", type=int, default=1000, help="pupils in the invented school")
    parser.add_argument("--providers", type=int, default=3, help="one contract each")
    options = parser.parse_args()
    terms = terms_for(options.providers)
    phases = measure(options.pupils, terms)
    table = Table("µs a record", *phases, title=f"{options.providers} contracts")
    for step in next(iter(phases.values())).seconds:
        table.add_row(step, *(f"{costs.seconds[step] / costs.records * 1e6:.2f}" for costs in phases.values()))
    whole = (
        sum(seconds for step, seconds in costs.seconds.items() if not step.startswith("·")) / costs.records
        for costs in phases.values()
    )
    table.add_row("sum, but for ·", *(f"{seconds * 1e6:.1f}" for seconds in whole))
    Console().print(table)
    under = [each for term in terms.values() for each in (term.under, term.without_contract)]
    asked, decided = sum(each.asked for each in under), sum(each.decided for each in under)
    Console().print(f"verdicts: {asked} in {2 * ROUNDS} passes, {decided} by the rules, the others by precedent")


if __name__ == "__main__":
    main()

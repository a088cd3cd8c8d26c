"""What it costs to decide one person for ten providers, as the filter does at each change; no broker.

Everybody in an invented school, six pupils in ten with answers of the family; ten providers on the shapes of the
example policies. What is timed is `decide_pairs` alone, on a subject that has just been loaded, as the filter has it.
"""

import gc
import time
from collections.abc import Sequence
from typing import NamedTuple

from ops.benchmarks.filtering_steps import NOW, ROUNDS, population, terms_for
from services.contract.changes import MAX_CHANGE_BYTES
from services.contract.consents import ConsentDecision
from services.contract.parsing import parse_payload
from services.contract.told_changes import read_change
from services.filtering.docket import Docket
from services.filtering.emission import decide_pairs
from services.filtering.folding import fold, take
from services.filtering.subject import NOBODY, Subject, dump, load

PROVIDERS = 10

People = Sequence[tuple[str, Subject]]


class Cost(NamedTuple):
    """Of all ten decisions together."""

    seconds: float
    """A subject: the best of some rounds, for what is slower was something else's doing."""
    emitted: float
    """Records a subject that go out."""


def deciding_ten(pupils: int) -> tuple[Cost, Cost]:
    """Where nothing that a provider may see has changed, and where everybody's given name has."""
    docket = Docket(terms_for(PROVIDERS))
    released = [(key, _decided(key, subject, docket)) for key, subject in _people(pupils)]
    renamed = [(key, _renamed(subject)) for key, subject in released]
    return _cost(released, docket), _cost(renamed, docket)


def _people(pupils: int) -> People:
    told = population(pupils)
    people = {one.key: fold(NOBODY, read_change(one.value))[0] for one in told["images"]}
    for one in told["consents"]:
        people[one.key], _ = take(people[one.key], parse_payload(ConsentDecision, one.value, MAX_CHANGE_BYTES))
    return list(people.items())


def _renamed(subject: Subject) -> Subject:
    images = {
        source: image._replace(attributes={**image.attributes, "given_name": "Zoé"})
        for source, image in subject.images.items()
    }
    return subject.shown(images)


def _decided(key: str, subject: Subject, docket: Docket) -> Subject:
    decisions = decide_pairs(key, subject, docket, NOW, 0)
    if decisions is None:
        raise SystemExit("somebody is nobody: nothing to measure")
    return decisions.subject


def _cost(people: People, docket: Docket) -> Cost:
    kept, best, emitted = [(key, dump(subject)) for key, subject in people], float("inf"), 0
    for _ in range(ROUNDS):
        spent_ns, emitted = 0, 0
        gc.collect()
        gc.disable()
        for key, raw in kept:
            subject = load(raw)
            began = time.perf_counter_ns()
            decisions = decide_pairs(key, subject, docket, NOW, 0)
            spent_ns += time.perf_counter_ns() - began
            emitted += sum(1 for each in decisions.decided if each.emission) if decisions else 0
        gc.enable()
        best = min(best, spent_ns / 1e9 / len(kept))
    return Cost(best, emitted / len(kept))

"""The rows of the decision table through the filter as a process: what it accounts for, releases and takes back."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson
import pytest

from ops.broker.embedded import EmbeddedBroker
from services.contract.topology import CHANGES, CONSENTS, FILTERING_AUDIT, LINKS, RELEASES, WITHDRAWALS
from tests.integration import row_inputs
from tests.integration.pipeline_stages import Message, Stages, installation, wait_for
from tests.integration.row_inputs import NAMED, Case, why_not
from tests.spec.table import rows

pytestmark = pytest.mark.broker

ROWS = rows()
CASES = [Case(row, number) for number, row in enumerate(ROWS, start=1) if why_not(row.request) is None]
PATIENCE_SECONDS = 60.0
ENDS = {"release": "released", "withhold": "withheld", "hold": "held", "erase": "erased"}


def test_rows_that_the_stream_cannot_tell_are_these_and_no_others() -> None:
    assert len(ROWS) == 546
    assert Counter(why_not(row.request) for row in ROWS) == {
        None: 351,
        row_inputs.FORM: 158,
        row_inputs.DIRECTORY: 14,
        row_inputs.FIELD: 9,
        row_inputs.PURPOSES: 6,
        row_inputs.MOMENT: 2,
        row_inputs.NO_PAIR: 2,
        row_inputs.TO_COME: 2,
        row_inputs.AT_ONCE: 1,
        row_inputs.UNKNOWN_GROUND: 1,
    }


class Told(NamedTuple):
    """What one run of the filter left behind, by pair."""

    ends: dict[str, tuple[str, str]]
    """End and reason of the input, or the policy, that made the row whole."""
    emitted: dict[str, list[dict[str, Any]]]
    """Releases and withdrawals under the row's own policy, and restrictions under either, by `seq`."""


@pytest.fixture(scope="module")
def told(own_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """All rows at once: words before persons, so that each is decided when all is known, and once.

    Where the row says delivered, the provider has been released another field under an open policy before.
    """
    with installation(own_broker.bootstrap, tmp_path_factory.mktemp("rules"), ()) as stages:
        (stages.folder / "filtering").mkdir()
        moments = {case.key: case.moment_us for case in CASES}
        (stages.folder / "filtering" / "moments.json").write_bytes(orjson.dumps(moments))
        delivered = [case for case in CASES if case.delivered]
        stages.publish(case.open_policy() if case.delivered else case.policy(2) for case in CASES)
        stages.start("filtering", program="tests.integration.row_filter")
        tell(stages, CONSENTS, [word for case in CASES for word in case.words()])
        tell(stages, CONSENTS, [word for case in CASES if not case.delivered for word in case.restrictions()])
        tell(stages, LINKS, [link for case in CASES for link in case.links()])
        tell(stages, CHANGES, [case.image(gone=False) if case.delivered else first_change(case) for case in CASES])
        tell(stages, CONSENTS, [word for case in delivered for word in case.restrictions()])
        stages.publish(case.policy(2) for case in delivered)
        assert wait_for(lambda: len(swept(stages)) == len(delivered), PATIENCE_SECONDS)
        tell(stages, CHANGES, [case.departure() for case in delivered if case.leaves])
        gone = {case.pair for case in CASES if case.leaves}
        ends = decided(stages) | {pair: end for pair, end in swept(stages).items() if pair not in gone}
        yield Told(ends, emitted(stages))


def first_change(case: Case) -> Message:
    return case.deletion() if case.deleted else case.image()


def tell(stages: Stages, topic: str, messages: Iterable[Message]) -> None:
    """Publish, and wait until the filter has accounted for all there is on the topic."""
    stages.publish(messages)
    there = len(stages.rows(topic))
    assert wait_for(
        lambda: there == sum(entry["records"] for entry in entries(stages) if entry["topic"] == topic), PATIENCE_SECONDS
    )


def entries(stages: Stages) -> list[dict[str, Any]]:
    return stages.values(FILTERING_AUDIT)


def ends_in(entry: dict[str, Any]) -> Iterator[tuple[str, int, tuple[str, str]]]:
    """Pair, number, and how it ended."""
    for pair, ends in entry["ends"].items():
        for end, reasons in ends.items():
            for reason, ranges in reasons.items():
                for first, last in ranges:
                    yield from ((pair, number, (end, reason)) for number in range(first, last + 1))


def pair_of(key: bytes) -> str:
    """The pair of the row whose person has this key."""
    return f"row-{key.decode().partition(':')[2]}/C1"


def decided(stages: Stages) -> dict[str, tuple[str, str]]:
    """Pair → how its own person's last change ended for it."""
    owner = {(row.partition, row.offset): pair_of(row.key) for row in stages.rows(CHANGES)}
    return {
        pair: end
        for entry in entries(stages) if entry["topic"] == CHANGES
        for pair, offset, end in ends_in(entry) if owner[entry["partition"], offset] == pair
    }  # fmt: skip


def swept(stages: Stages) -> dict[str, tuple[str, str]]:
    """Pair → how its own person ended for it when the row's policy first took the place of the open one."""
    found: dict[str, tuple[str, str]] = {}
    renewed = {case.pair: case.provider for case in CASES if case.delivered}
    keys = {number: sorted({row.key for row in found}) for number, found in stages.read(CHANGES).items()}
    for entry in entries(stages):
        for pair, number, end in ends_in(entry) if entry["topic"] == "sweep" else ():
            if pair_of(keys[entry["partition"]][number]) == pair and entry["policies"].get(renewed.get(pair)) == 2:
                found.setdefault(pair, end)
    return found


def emitted(stages: Stages) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    both = [*stages.values(RELEASES), *stages.values(WITHDRAWALS)]
    for emission in sorted(both, key=lambda one: int(one["seq"])):
        if emission["policy_version"] == 2 or "restricted" in emission:
            found.setdefault(f"{emission['provider']}/{emission['contract']}", []).append(emission)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.row.id)
def test_row_is_decided_the_same_by_the_running_filter(told: Told, case: Case) -> None:
    row, last = case.row, next(reversed(told.emitted.get(case.pair, [])), None)

    assert told.ends[case.pair] == (ENDS[row.verdict], "/".join(row.reasons[0]))
    match row.verdict:
        case "release":
            assert last is not None
            assert set(last["fields"]) == {NAMED.get(name, name) for name in row.fields}
            assert last["subject"] == case.key
        case "erase":
            assert last is not None
            assert last["reasons"] == ["/".join(reason) for reason in row.reasons]
        case _:
            assert ("restricted" in last if last else False) is row.restrict

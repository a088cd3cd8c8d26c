"""Who is known under which names, where a pair, its name and its entry of the ledger lie in three partitions."""

from typing import Any

import orjson
import pytest

from ops.explaining.kept import Entry
from ops.explaining.states import Entries, Wanted
from ops.publishing.living import Living, count_living
from services.contract.topology import FILTERING_STATE, LEDGER, PSEUDONYMISATION_STATE
from services.filtering.subject import NOBODY, SUBJECT, Pair, dump, mark_of
from services.pseudonymisation.emission import SEQ
from services.pseudonymisation.pseudonym import Pseudonymiser
from tests.property.rotating import AT, ROTATED
from tests.replay.invented import INE

PAIR, SEQ_OF_PAIR = "gar/GAR-2026", 11
FILTERED, NAMED, TOLD = 0, 1, 2


def name(serial: int) -> str:
    names = Pseudonymiser.under(ROTATED.keys_of("gar", "pedagogical-access", serial).current)
    return names.pseudonym("person", "FR", "INE", INE)


def entry(serial: int, operation: str, code: str = "delivered") -> tuple[bytes, bytes]:
    outcome = {"operation": operation, "outcome": "delivered", "code": code}
    return f"{PAIR}/{name(serial)}".encode(), orjson.dumps(outcome)


class States:
    """Three partitions of each topic."""

    def __init__(self, last: Any, serial: int, named: int, *ledger: tuple[bytes, bytes]) -> None:
        pair = Pair(SEQ_OF_PAIR, last, mark_of(serial), ("person", "FR", "INE", INE), "pedagogical-access")
        known = dump(NOBODY.told({PAIR: pair}))
        place = SEQ + f"{PAIR}/{name(serial)}".encode()
        self._kept = {
            (FILTERING_STATE, FILTERED): {SUBJECT + INE.encode(): known},
            (PSEUDONYMISATION_STATE, NAMED): {place: b"%d" % named, b"~heartbeat": b"1"},
            (LEDGER, TOLD): dict(ledger),
        }

    def partitions(self, topic: str) -> int:
        return 3 if topic == FILTERING_STATE else 0

    def read(self, topic: str, partition: int, wanted: Wanted) -> Entries:
        kept = self._kept.get((topic, partition), {})
        return {key: Entry(value, AT) for key, value in kept.items() if wanted(key)}


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        pytest.param(States("release", 1, 11, entry(0, "rotate"), entry(1, "upsert")), Living(live=1), id="done"),
        pytest.param(States("release", 1, 10, entry(1, "upsert")), Living(live=1, unnamed=1), id="not named"),
        pytest.param(States("release", 1, 11, entry(0, "rotate")), Living(live=1, unheard=1), id="only handed on"),
        pytest.param(States("release", 1, 11, entry(0, "rotate"), entry(1, "adopt")), Living(live=1), id="adopted"),
        pytest.param(
            States("release", 1, 11, entry(0, "rotate", "never-attempted")), Living(live=1), id="nothing to hand on"
        ),
        pytest.param(States("release", 1, 11, entry(0, "delete")), Living(live=1), id="back after an erasure"),
        pytest.param(States("release", 0, 11), Living(live=1, unsaid=1), id="not said"),
        pytest.param(States("release", 1, 11, entry(0, "upsert")), Living(live=1, lingering=1), id="known as before"),
        pytest.param(States("erase", 1, 11, entry(0, "upsert")), Living(lingering=1), id="erased by one name alone"),
        pytest.param(States("erase", 1, 10), Living(unnamed=1), id="erasure not named"),
        pytest.param(
            States("erase", 1, 11, entry(0, "rotate"), entry(1, "delete")), Living(), id="erased"
        ),
        pytest.param(
            States("release", 1, 11, entry(0, "delete", "never-attempted")), Living(live=1), id="never told before"
        ),
    ],
)  # fmt: skip
def test_what_is_left_is_counted_wherever_it_lies(states: States, expected: Living) -> None:
    assert count_living(states, ROTATED) == {"gar": expected}

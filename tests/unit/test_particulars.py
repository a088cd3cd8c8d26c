from datetime import UTC, datetime
from itertools import permutations

import pytest

from services.contract.objections import ObjectionDecision
from services.filtering.particulars import NOTHING_PARTICULAR, Folded, Particulars, object_to, restrict, standing, tie
from services.filtering.subject import NOBODY, dump, load
from tests.replay.invented import link, objection, restriction

NINE, TEN, ELEVEN = (f"2026-09-15T{hour:02d}:00:00Z" for hour in (9, 10, 11))
NOW = datetime(2026, 9, 15, 10, 30, tzinfo=UTC)


def objected(*steps: ObjectionDecision) -> tuple[Particulars, list[Folded]]:
    known, words = NOTHING_PARTICULAR, list[Folded]()
    for step in steps:
        known, folded = object_to(known, step)
        words.append(folded)
    return known, words


@pytest.mark.parametrize(
    ("first", "second", "word", "status"),
    [
        pytest.param(("open", NINE), ("upheld", TEN), "changed", "upheld", id="a later step"),
        pytest.param(("upheld", TEN), ("open", NINE), "superseded", "upheld", id="an earlier step that comes late"),
        pytest.param(("open", NINE), ("open", NINE), "duplicate", "open", id="the same again"),
        pytest.param(("upheld", TEN), ("rejected", TEN), "superseded", "upheld", id="of one instant the stricter"),
        pytest.param(("rejected", TEN), ("open", TEN), "changed", "open", id="of one instant the stricter, last"),
        pytest.param(("open", "2026-09-15T12:00:00+03:00"), ("upheld", "2026-09-15T11:30:00+02:00"), "changed",
                     "upheld", id="instants and not texts are compared"),
    ],
)  # fmt: skip
def test_two_steps_of_one_objection(first: tuple[str, str], second: tuple[str, str], word: str, status: str) -> None:
    known, words = objected(objection(*first), objection(*second))

    assert words == ["changed", word]
    assert [one["status"] for one in known.objections] == [status]


def test_answer_without_grounds_counts_before_one_with_grounds_of_the_same_instant() -> None:
    without, with_grounds = objection("rejected", TEN), objection("rejected", TEN, grounds="G-4")
    ends = {objected(*order)[0].objections[0]["grounds"] for order in permutations([without, with_grounds])}

    assert ends == {None}


@pytest.mark.parametrize(
    ("restrictions", "kinds"),
    [
        pytest.param([], [], id="none"),
        pytest.param([("court-order", "standing", None)], ["court-order"], id="one"),
        pytest.param([("court-order", "lifted", None)], [], id="one that was lifted"),
        pytest.param([("court-order", "standing", NINE)], [], id="one that is over"),
        pytest.param([("court-order", "standing", "2026-09-15T10:30:00Z")], [], id="one that ends at this instant"),
        pytest.param([("protected-address", "standing", ELEVEN), ("article-18", "standing", None)],
                     ["article-18", "protected-address"], id="two"),
    ],
)  # fmt: skip
def test_restrictions_that_stand(restrictions: list[tuple[str, str, str | None]], kinds: list[str]) -> None:
    known = NOTHING_PARTICULAR
    for kind, status, until in restrictions:
        known, _ = restrict(known, restriction(kind, status, NINE, until=until))

    assert standing(known.restrictions, NOW) == kinds


def test_state_entry_gives_the_particulars_back() -> None:
    known, _ = tie(NOTHING_PARTICULAR, link(on=True, seq=1))
    known, _ = tie(known, link(on=False, seq=2, pupil="p-2"))
    known, _ = object_to(known, objection("open", NINE))
    known, _ = restrict(known, restriction("article-18", "standing", NINE))
    known = known._replace(linked={"aaf-d99:1": ("gar/GAR-2026",)}, due_us=7)
    subject = NOBODY.knowing(known)

    assert load(dump(subject)) == subject
    assert subject.particulars == known


def test_nothing_particular_takes_no_room_in_the_state() -> None:
    subject = NOBODY.knowing(Particulars(due_us=7)).knowing(Particulars())

    assert b"particulars" not in dump(subject)
    assert load(dump(subject)).particulars is NOTHING_PARTICULAR

from itertools import permutations

import pytest

from services.contract.changes import Change
from services.filtering.folding import fold, take
from services.filtering.particulars import Folded
from services.filtering.subject import NOBODY, Image, Pair, Subject, dump, kind_of, load
from tests.replay.invented import consent, delete, joins, patch, upsert

V1, V2, V3, V4 = (f"202609{day}.1.000000001" for day in ("01", "02", "03", "04"))


def folded(*changes: Change) -> tuple[Subject, list[Folded]]:
    subject, words = NOBODY, []
    for change in changes:
        subject, word = fold(subject, change)
        words.append(word)
    return subject, words


def image(subject: Subject, source: str = "aaf-d99") -> Image:
    return subject.images[source]


FOLDS = [
    pytest.param([upsert(V1, level="5EME")], ["changed"], {"level": "5EME"}, id="an image is taken"),
    pytest.param([upsert(V2, level="4EME"), upsert(V1, level="5EME")], ["changed", "superseded"], {"level": "4EME"},
                 id="an older image alters nothing"),
    pytest.param([upsert(V1, level="5EME")] * 2, ["changed", "duplicate"], {"level": "5EME"},
                 id="the same image again is a duplicate"),
    pytest.param([upsert(V1, level="5EME", mef="m"), upsert(V2, level="4EME")], ["changed", "changed"],
                 {"level": "4EME"}, id="a newer image replaces all of the old one"),
    pytest.param([upsert(V1, level="5EME", mef="m"), patch(V2, level="4EME")], ["changed", "changed"],
                 {"level": "4EME", "mef": "m"}, id="a patch replaces what it names"),
    pytest.param([upsert(V1, level="5EME"), patch(V2, level=None)], ["changed", "changed"], {"level": None},
                 id="a null in a patch clears"),
    pytest.param([upsert(V2, level="4EME"), patch(V1, level="5EME")], ["changed", "superseded"], {"level": "4EME"},
                 id="a patch older than the image alters nothing"),
    pytest.param([upsert(V1), patch(V3, level="3EME"), patch(V2, level="4EME", mef="m")],
                 ["changed", "changed", "changed"], {"level": "3EME", "mef": "m"},
                 id="a late patch gives only what no later one has said"),
    pytest.param([upsert(V1), patch(V3, level="3EME"), patch(V2, level="4EME")],
                 ["changed", "changed", "superseded"], {"level": "3EME"}, id="a late patch with nothing left to say"),
    pytest.param([upsert(V1), patch(V2, level="4EME"), patch(V2, level="4EME")], ["changed", "changed", "duplicate"],
                 {"level": "4EME"}, id="the same patch again is a duplicate"),
    pytest.param([patch(V2, level="4EME")], ["no-image"], {"level": "4EME"}, id="a patch without image is held"),
    pytest.param([patch(V2, level="4EME"), upsert(V1, level="5EME", mef="m")], ["no-image", "changed"],
                 {"level": "4EME", "mef": "m"}, id="a held patch is applied to the older image that comes"),
    pytest.param([patch(V1, level="5EME"), upsert(V2, level="4EME")], ["no-image", "changed"], {"level": "4EME"},
                 id="a held patch yields to a newer image"),
    pytest.param([upsert(V1, level="5EME"), patch(V3, level="3EME"), upsert(V2, mef="m")],
                 ["changed", "changed", "changed"], {"mef": "m", "level": "3EME"},
                 id="an image between keeps the later patch"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "words", "attributes"), FOLDS)
def test_folding(changes: list[Change], words: list[Folded], attributes: dict[str, object]) -> None:
    subject, said = folded(*changes)

    assert said == words
    assert image(subject).attributes == attributes


@pytest.mark.parametrize(
    ("late", "word"),
    [
        pytest.param(upsert(V2, level="5EME"), "superseded", id="an older image"),
        pytest.param(patch(V2, level="5EME"), "superseded", id="an older patch"),
        pytest.param(patch(V4, level="5EME"), "no-image", id="a newer patch alone"),
        pytest.param(delete(V3), "duplicate", id="the same delete"),
        pytest.param(upsert(V3, level="5EME"), "duplicate", id="an image of the same version"),
    ],
)
def test_deleted_person_does_not_come_back_by(late: Change, word: Folded) -> None:
    subject, words = folded(upsert(V1, level="6EME"), delete(V3), late)

    assert words[-1] == word
    assert subject.deleted
    assert subject.picked is None


def test_deletion_of_the_same_version_as_the_image_is_one() -> None:
    subject, words = folded(upsert(V1, level="6EME"), delete(V1), upsert(V1, level="6EME"), delete(V1))

    assert words == ["changed", "changed", "duplicate", "duplicate"]
    assert subject.deleted


def test_newer_image_brings_a_deleted_person_back() -> None:
    subject, _ = folded(upsert(V1), delete(V2), upsert(V3, level="4EME"))

    assert not subject.deleted
    assert image(subject).attributes == {"level": "4EME"}


def test_delete_of_nobody_is_remembered_against_the_image_that_comes_late() -> None:
    subject, words = folded(delete(V2), upsert(V1, level="5EME"))

    assert words == ["changed", "superseded"]
    assert subject.deleted


def test_delete_keeps_no_attribute() -> None:
    subject, _ = folded(joins(), delete("20261001.1.000000001"))

    assert image(subject).attributes == {}


@pytest.mark.parametrize("order", list(permutations(range(5))), ids=str)
def test_any_order_ends_the_same(order: tuple[int, ...]) -> None:
    told = [upsert(V1, level="6EME"), patch(V2, level="5EME", mef="m"), delete("20260902.1.000000002"),
            upsert(V3, level="4EME"), patch(V4, level="3EME")]  # fmt: skip
    subject, _ = folded(*(told[number] for number in order))

    assert image(subject) == Image(
        "999-1001", "pupil", V3, None, {"level": "3EME"}, {"level": V4}
    )  # fmt: skip


def other(change: Change, source: str) -> Change:
    return change.model_copy(update={"source": source})


def test_latest_image_counts_then_the_first_source_by_name() -> None:
    subject, _ = folded(upsert(V1, level="6EME"), other(upsert(V2, level="5EME"), "zzz"))
    level, _ = folded(other(upsert(V1), "bbb"), other(upsert(V1), "aaa"))

    assert subject.picked is not None
    assert subject.picked[0] == "zzz"
    assert level.picked is not None
    assert level.picked[0] == "aaa"


def test_person_is_gone_when_the_last_source_that_had_them_is() -> None:
    both, _ = folded(upsert(V1), other(upsert(V1), "zzz"), delete(V2))
    none, _ = folded(upsert(V1), other(upsert(V1), "zzz"), delete(V2), other(delete(V2), "zzz"))

    assert not both.deleted
    assert none.deleted


def test_patch_of_a_source_that_never_had_the_person_keeps_nobody_alive() -> None:
    subject, _ = folded(upsert(V1), other(patch(V1, level="5EME"), "zzz"), delete(V2))

    assert subject.deleted


@pytest.mark.parametrize(
    ("change", "word"),
    [
        pytest.param(patch(V3, level="4EME"), "superseded", id="a patch under another id"),
        pytest.param(delete(V3), "superseded", id="a delete under another id"),
        pytest.param(upsert(V1, level="4EME"), "superseded", id="an older image under another id"),
        pytest.param(upsert(V3, level="4EME"), "changed", id="a newer image under another id"),
    ],
)
def test_source_that_renames_a_person_does_so_by_a_newer_image_alone(change: Change, word: Folded) -> None:
    known, _ = folded(upsert(V2, level="5EME"))
    subject, said = fold(known, change.model_copy(update={"id": "999-1002"}))

    assert said == word
    assert image(subject).id == ("999-1002" if word == "changed" else "999-1001")


@pytest.mark.parametrize(
    ("category", "attributes", "kind"),
    [
        ("pupil", {}, "pupil"),
        ("guardian", {}, "guardian"),
        ("teacher", {}, "teacher"),
        ("staff", {}, "staff"),
        ("staff", {"functions": None}, "staff"),
        ("staff", {"functions": [{"school": "0999001W", "code": "DIR"}]}, "staff"),
        ("staff", {"functions": [{"school": "0999001W", "code": "DIR"}, {"school": "0999001W", "code": "ENS"}]},
         "teacher"),
    ],
)  # fmt: skip
def test_kind_of(category: str, attributes: dict[str, object], kind: str) -> None:
    assert kind_of(Image("1", category, V1, None, attributes, {})) == kind


def test_same_consent_twice_is_a_duplicate_and_two_are_kept() -> None:
    given, withdrawn = (consent("child", status, "2026-09-04T17:12:08+02:00") for status in ("given", "withdrawn"))
    subject, first = take(NOBODY, given)
    same, again = take(subject, given)
    both, second = take(subject, withdrawn)

    assert [first, again, second] == ["changed", "duplicate", "changed"]
    assert same == subject
    assert [record["status"] for record in both.consents] == ["given", "withdrawn"]


def test_state_entry_gives_the_subject_back() -> None:
    subject, _ = folded(joins(), patch("20260916.1.000000001", level="4EME"))
    subject, _ = take(subject, consent("child", "given", "2026-09-04T17:12:08+02:00"))
    pair = Pair(7, "release", "d" * 32, ("person", "FR", "INE", "999000001AB"), "reading")
    subject = subject.told({"gar/GAR-2026": pair})

    assert load(dump(subject)) == subject
    assert load(None) == NOBODY


@pytest.mark.parametrize("days", [range(1, 20), range(19, 0, -1)], ids=["in order", "backwards"])
def test_of_many_alike_consents_the_latest_are_kept_whatever_their_order_of_arrival(days: range) -> None:
    subject = NOBODY
    for day in days:
        subject, _ = take(subject, consent("child", "given", f"2026-09-{day:02}T08:00:00Z"))
    subject, _ = take(subject, consent("child", "withdrawn", "2026-08-01T08:00:00Z"))

    kept = sorted((record["status"], record["at"]) for record in subject.consents)
    assert kept == [
        *(("given", f"2026-09-{day:02}T08:00:00Z") for day in range(12, 20)),
        ("withdrawn", "2026-08-01T08:00:00Z"),
    ]


@pytest.mark.parametrize("step", [1, -1], ids=["in order", "backwards"])
def test_of_too_many_consents_every_no_is_kept_and_of_the_others_the_latest_whatever_their_order(step: int) -> None:
    told = [
        consent("child", status, f"2026-09-{day:02}T08:{minute:02}:00Z", purpose=f"p-{day}-{minute}")
        for status, days in (("withdrawn", (1, 2)), ("given", (3, 4)))
        for day in days
        for minute in range(50)
    ]
    subject = NOBODY
    for decision in told[::step]:
        subject, _ = take(subject, decision)

    kept = sorted((record["status"], record["at"][8:16]) for record in subject.consents)
    assert kept == [
        *(("given", f"03T08:{minute:02}") for minute in range(40, 50)),
        *(("given", f"04T08:{minute:02}") for minute in range(50)),
        *(("withdrawn", f"{day}T08:{minute:02}") for day in ("01", "02") for minute in range(50)),
    ]

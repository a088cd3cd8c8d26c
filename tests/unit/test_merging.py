"""Two keys that prove to be one person's: what each partition says, what the providers have, and when."""

from typing import Any

import orjson
import pytest

from services.contract.changes import Change
from services.contract.errors import TooLarge
from services.contract.moves import Claim
from services.contract.topology import CHANGES, CONSENTS, LINKS, MOVES, RELEASES, UNLINKS, WITHDRAWALS
from services.filtering.merging import hear_claim
from services.filtering.subject import NOBODY
from tests.replay.invented import (
    bytes_of,
    consent,
    contract_with,
    delete,
    for_families,
    joins,
    objection,
    policy,
    restriction,
)
from tests.unit.partition_runs import Name, Partitions

INE, OTHER_INE = "999000001AB", "999000002CD"
OLD = "aaf-d99:999-1001"
LOCAL, NATIONAL = Name("gar", "local", "999-1001"), Name("gar", "INE", INE)
GAR = policy(contracts=contract_with(schools=["0999001W", "0999002X"]))
ADULT = "2009-05-03"
"""Old enough to consent alone (LIL art. 45)."""
LECTURE = policy("consent-service")
LYCEE: dict[str, Any] = {"source": "aaf-d98", "id": "998-7"}


def version(number: int) -> str:
    return f"20260915.1.{number:09d}"


def collegian(number: int = 1, ine: str | None = None, **attributes: Any) -> Change:
    said = {"ine": ine, "birth_date": ADULT, "guardians": [], **attributes}
    return joins(version=version(number), attributes=said)


def lyceen(number: int = 1, ine: str | None = INE, **attributes: Any) -> Change:
    return joins(version=version(number), **LYCEE, attributes={"ine": ine, "birth_date": ADULT, "guardians": [],
                                                              "level": "2DE", **attributes})  # fmt: skip


def says(status: str, key: str, day: int, **differences: Any) -> bytes:
    return bytes_of(consent("child", status, f"2026-09-{day:02d}T10:00:00+02:00", subject=key, **differences))


async def told(partitions: Partitions, *changes: Change, key: str = OLD) -> None:
    for change in changes:
        await partitions.tell(CHANGES, key, bytes_of(change))


# --- the late INE


async def test_late_ine_hands_the_person_over_and_the_provider_keeps_its_name_for_her() -> None:
    partitions = Partitions(GAR)
    await told(partitions, collegian(1), collegian(2, INE))

    assert partitions.moves() == ["claim", "merged", "moved"]
    assert partitions.subject(OLD).images == {}
    assert partitions.subject(INE).images["aaf-d99"].id == "999-1001"
    assert list(partitions.has("gar")) == [LOCAL]


async def test_what_is_newly_released_meanwhile_is_held_and_goes_once_she_is_there() -> None:
    partitions = Partitions(GAR)
    await told(partitions, collegian(1))
    partitions.put(CHANGES, OLD, bytes_of(collegian(2, INE, level="4EME")))
    await partitions.arrive(OLD, CHANGES)
    held = partitions.reasons(CHANGES)[-1]
    before = partitions.has("gar")[LOCAL]["level"]
    await partitions.settle()

    assert held == ("gar/GAR-2026", "held", "merge-under-way")
    assert (before, partitions.has("gar")[LOCAL]["level"]) == ("5EME", "4EME")


async def test_first_release_of_somebody_whose_ine_came_before_any_contract_is_under_the_ine() -> None:
    partitions = Partitions(policy(contracts=contract_with(schools=["0750001A"])))
    await told(partitions, collegian(1), collegian(2, INE))
    partitions.book.apply(b"gar", bytes_of(policy(version=9)))
    await partitions.sweep()

    assert list(partitions.has("gar")) == [NATIONAL]


async def test_later_records_under_the_old_key_reach_the_pair_in_the_partition_where_it_began() -> None:
    partitions = Partitions(GAR)
    await told(partitions, collegian(1), collegian(2, INE), collegian(3, INE, level="3EME"))
    level = partitions.has("gar")[LOCAL]["level"]
    await told(partitions, delete(version(4)))

    assert level == "3EME"
    assert partitions.has("gar") == {}
    assert {one.partition for one in partitions.sent} == {OLD}
    assert partitions.sent[-1].topic == WITHDRAWALS
    assert partitions.reasons(CHANGES)[-1] == ("-", "held", "known-elsewhere")
    assert partitions.reasons(MOVES)[-1] == ("gar/GAR-2026", "erased", "R1/subject-deleted")


async def test_numbers_of_the_pair_grow_across_the_move_though_the_other_partition_had_issued_fewer() -> None:
    partitions = Partitions(GAR)
    await told(partitions, *(collegian(number, level=f"L{number}") for number in range(1, 9)))
    await told(partitions, collegian(9, INE, level="L9"))
    seqs = [one.seq for one in partitions.sent]

    assert len(seqs) == 9
    assert seqs == sorted(set(seqs))


async def test_consent_and_withdrawal_under_the_old_key_count() -> None:
    partitions = Partitions(LECTURE)
    await told(partitions, collegian(1))
    await partitions.tell(CONSENTS, OLD, says("given", OLD, 4))
    await told(partitions, collegian(2, INE))
    kept = list(partitions.has("lecture"))
    await partitions.tell(CONSENTS, OLD, says("withdrawn", OLD, 6))

    assert kept == [Name("lecture", "local", "999-1001")]
    assert partitions.has("lecture") == {}


async def test_withdrawal_that_waits_under_the_old_key_is_not_lost_and_nothing_goes_out_after_it() -> None:
    partitions = Partitions(LECTURE)
    await told(partitions, collegian(1))
    await partitions.tell(CONSENTS, OLD, says("given", OLD, 4))
    partitions.put(CHANGES, OLD, bytes_of(collegian(2, INE)))
    await partitions.arrive(OLD, CHANGES)
    await partitions.arrive(INE, MOVES)
    await partitions.arrive(OLD, MOVES)
    partitions.put(CONSENTS, OLD, says("withdrawn", OLD, 6))
    await partitions.arrive(OLD, CONSENTS)
    await partitions.settle()

    assert partitions.has("lecture") == {}


async def test_objection_and_restriction_move_with_her() -> None:
    partitions = Partitions(GAR)
    await told(partitions, collegian(1))
    await partitions.tell(CONSENTS, OLD, bytes_of(objection("open", "2026-09-05T10:00:00+02:00", subject=OLD)))
    await partitions.tell(
        CONSENTS, OLD, bytes_of(restriction("court-order", "standing", "2026-09-05T10:00:00+02:00", subject=OLD))
    )
    await told(partitions, collegian(2, INE))
    known = partitions.subject(INE).particulars

    assert [one["status"] for one in known.objections] == ["open"]
    assert [one["restriction"] for one in known.restrictions] == ["court-order"]


# --- two subjects


async def both(partitions: Partitions, *first: bytes) -> None:
    """The collège knows her without an INE, the lycée with; then the collège learns it."""
    await told(partitions, collegian(1))
    for decision in first:
        await partitions.tell(CONSENTS, OLD, decision)
    await told(partitions, lyceen(1), key=INE)
    await told(partitions, collegian(2, INE))


async def test_provider_that_had_her_twice_keeps_the_name_by_ine_and_loses_the_other() -> None:
    partitions = Partitions(GAR)
    await both(partitions)

    assert list(partitions.has("gar")) == [NATIONAL]
    erased = next(one for one in partitions.sent if one.fields is None)
    assert (erased.name, erased.partition, erased.topic) == (LOCAL, OLD, WITHDRAWALS)


async def test_of_two_names_the_restricted_one_stays() -> None:
    """What must neither be used nor lost is not erased (GDPR art. 18)."""
    partitions = Partitions(GAR)
    await both(partitions, bytes_of(restriction("article-18", "standing", "2026-09-05T10:00:00+02:00", subject=OLD)))

    taken_back = [(one.name, one.partition) for one in partitions.sent if one.fields is None]
    assert taken_back == [(LOCAL, OLD), (NATIONAL, INE)]
    assert partitions.subject(INE).pairs["gar/GAR-2026"].last == "restrict"
    assert partitions.subject(INE).particulars.identity.homes == {"gar/GAR-2026": OLD}


async def test_second_name_is_owed_its_erasure_until_a_policy_of_its_provider_is_here() -> None:
    partitions = Partitions(GAR)
    await told(partitions, collegian(1))
    await told(partitions, lyceen(1), key=INE)
    partitions.put_in_force(LECTURE)
    await told(partitions, collegian(2, INE))
    before = sorted(partitions.has("gar"))
    partitions.put_in_force(GAR, LECTURE)
    await partitions.sweep()

    assert before == [NATIONAL, LOCAL]
    assert list(partitions.has("gar")) == [NATIONAL]
    assert partitions.subject(INE).particulars.identity.doubles == ()


async def test_refusal_under_the_old_key_takes_back_what_the_other_had_released() -> None:
    partitions = Partitions(LECTURE)
    await told(partitions, lyceen(1), key=INE)
    await partitions.tell(CONSENTS, INE, says("given", INE, 4))
    released = list(partitions.has("lecture"))
    await told(partitions, collegian(1))
    await partitions.tell(CONSENTS, OLD, says("refused", OLD, 6))
    await told(partitions, collegian(2, INE))

    assert len(released) == 1
    assert partitions.has("lecture") == {}


async def test_nothing_new_is_released_under_the_ine_between_the_claim_and_the_move() -> None:
    partitions = Partitions(LECTURE)
    await told(partitions, lyceen(1), key=INE)
    await told(partitions, collegian(1))
    await partitions.tell(CONSENTS, OLD, says("refused", OLD, 6))
    partitions.put(CHANGES, OLD, bytes_of(collegian(2, INE)))
    await partitions.arrive(OLD, CHANGES)
    await partitions.arrive(INE, MOVES)
    partitions.put(CONSENTS, INE, says("given", INE, 4))
    await partitions.arrive(INE, CONSENTS)
    held = partitions.reasons(CONSENTS)[-1]
    await partitions.settle()

    assert held == ("lecture/LEC-2026", "held", "merge-under-way")
    assert [one for one in partitions.sent if one.fields is not None] == []


async def test_two_sources_without_an_ine_become_one_with_a_third_that_has_it() -> None:
    partitions = Partitions(GAR)
    elsewhere = joins(version=version(1), source="ent-d99", id="e-1", attributes={"ine": None})
    await told(partitions, collegian(1))
    await told(partitions, elsewhere, key="ent-d99:e-1")
    await told(partitions, lyceen(1), key=INE)
    await told(partitions, collegian(2, INE))
    await told(
        partitions, joins(version=version(2), source="ent-d99", id="e-1", attributes={"ine": INE}), key="ent-d99:e-1"
    )

    assert set(partitions.subject(INE).images) == {"aaf-d99", "aaf-d98", "ent-d99"}
    assert list(partitions.has("gar")) == [NATIONAL]


async def test_person_is_gone_with_the_last_source_that_has_her() -> None:
    partitions = Partitions(GAR)
    await both(partitions)
    await told(partitions, delete(version(3)))
    after_one = list(partitions.has("gar"))
    await told(partitions, delete(version(3), **LYCEE), key=INE)

    assert after_one == [NATIONAL]
    assert partitions.has("gar") == {}


# --- who stays two


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param((INE, {"ine": INE}), (OTHER_INE, {"ine": OTHER_INE, "id": "999-1002"}), id="two INEs"),
        pytest.param((OLD, {}), ("aaf-d99:999-1002", {"id": "999-1002"}), id="two ids and no INE"),
    ],
)
async def test_twins_stay_two(one: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]]) -> None:
    """The same name, birth date and school."""
    partitions = Partitions(GAR)
    for key, differences in (one, other):
        said = dict(differences)
        ine = said.pop("ine", None)
        await told(partitions, joins(version=version(1), attributes={"ine": ine}, **said), key=key)

    assert partitions.moves() == []
    assert len(partitions.has("gar")) == 2


async def test_two_people_of_one_source_under_one_ine_stay_two_and_the_second_is_held() -> None:
    partitions = Partitions(GAR)
    twin = "aaf-d99:999-1002"
    await told(partitions, collegian(1, INE), key=INE)
    await told(partitions, joins(version=version(2), id="999-1002", attributes={"ine": None}), key=twin)
    await told(partitions, joins(version=version(3), id="999-1002", attributes={"ine": INE, "level": "4EME"}), key=twin)

    assert partitions.moves() == ["claim"]
    assert partitions.reasons(MOVES) == [("-", "held", "one-ine-twice")]
    assert partitions.reasons(CHANGES)[-1] == ("gar/GAR-2026", "held", "merge-under-way")
    assert {name.value: seen["level"] for name, seen in partitions.has("gar").items()} == {
        INE: "5EME", "999-1002": "5EME",
    }  # fmt: skip


async def test_second_of_them_is_handed_over_once_the_source_lets_the_first_one_go() -> None:
    partitions = Partitions(GAR)
    twin = "aaf-d99:999-1002"
    await told(partitions, collegian(1, INE), key=INE)
    await told(partitions, joins(version=version(2), id="999-1002", attributes={"ine": INE}), key=twin)
    await told(partitions, delete(version(3)), key=INE)

    assert partitions.moves() == ["claim", "merged", "moved"]
    assert [image.id for image in partitions.subject(INE).images.values()] == ["999-1002"]


async def test_second_of_them_goes_on_by_herself_once_the_source_corrects_the_ine() -> None:
    partitions = Partitions(GAR)
    twin = "aaf-d99:999-1002"
    await told(partitions, collegian(1, INE), key=INE)
    await told(partitions, joins(version=version(2), id="999-1002", attributes={"ine": INE}), key=twin)
    held = list(partitions.has("gar"))
    await told(partitions, joins(version=version(3), id="999-1002", attributes={"ine": OTHER_INE}), key=twin)

    assert held == [NATIONAL]
    assert partitions.moves() == ["claim", "claim", "claim", "merged", "moved"]
    assert sorted(name.value for name in partitions.has("gar")) == [INE, OTHER_INE]


async def test_claim_that_is_taken_back_before_it_is_answered_merges_nobody() -> None:
    partitions = Partitions(GAR)
    await told(partitions, collegian(1))
    partitions.put(CHANGES, OLD, bytes_of(collegian(2, INE)))
    partitions.put(CHANGES, OLD, bytes_of(collegian(3, None, level="4EME")))
    await partitions.arrive(OLD, CHANGES)
    await partitions.arrive(INE, MOVES)
    await partitions.arrive(OLD, CHANGES)
    await partitions.settle()

    assert partitions.reasons(MOVES)[1:] == [("-", "held", "subject-unknown"), ("-", "refused", "superseded")]
    assert partitions.has("gar")[LOCAL]["level"] == "4EME"
    assert not partitions.subject(INE).particulars.identity.awaits


async def test_refusals_of_somebody_who_is_deleted_before_the_claim_is_answered_go_over_all_the_same() -> None:
    partitions = Partitions(LECTURE)
    await told(partitions, lyceen(1), key=INE)
    await partitions.tell(CONSENTS, INE, says("given", INE, 4))
    await told(partitions, collegian(1))
    await partitions.tell(CONSENTS, OLD, says("refused", OLD, 6))
    for change in (collegian(2, INE), delete(version(3))):
        partitions.put(CHANGES, OLD, bytes_of(change))
        await partitions.arrive(OLD, CHANGES)
    await partitions.settle()

    assert partitions.moves() == ["claim", "merged", "moved"]
    assert partitions.has("lecture") == {}


async def test_another_ine_for_somebody_who_has_one_is_held_and_merges_nobody() -> None:
    partitions = Partitions(GAR)
    await told(partitions, collegian(1, INE), collegian(2, OTHER_INE, level="4EME"), key=INE)

    assert partitions.moves() == []
    assert partitions.reasons(CHANGES)[-1] == ("gar/GAR-2026", "held", "two-ines")
    assert partitions.has("gar")[NATIONAL]["level"] == "5EME"


async def test_withdrawal_is_never_held_by_a_doubt_about_the_ine() -> None:
    partitions = Partitions(GAR)
    await told(partitions, collegian(1, INE), collegian(2, OTHER_INE), delete(version(3)), key=INE)

    assert partitions.has("gar") == {}


async def test_ine_of_an_adult_merges_nobody() -> None:
    partitions = Partitions(policy(contracts=contract_with(kinds=["teacher"])))
    teacher = joins(version=version(1), category="teacher", id="t-1", attributes={"ine": INE})
    await told(partitions, teacher, key="aaf-d99:t-1")

    assert partitions.moves() == []


# --- moving without merging


async def test_move_to_another_academie_keeps_the_name() -> None:
    partitions = Partitions(GAR)
    await told(partitions, collegian(1, INE), lyceen(1), delete(version(2)), key=INE)

    assert list(partitions.has("gar")) == [NATIONAL]
    assert partitions.has("gar")[NATIONAL]["level"] == "2DE"


async def test_somebody_known_under_an_ine_is_named_by_it_whatever_her_image_shows() -> None:
    partitions = Partitions(GAR)
    await told(partitions, collegian(1), collegian(2, INE))
    await told(partitions, collegian(3, None))
    partitions.book.apply(b"lecture", bytes_of(LECTURE))
    await partitions.tell(CONSENTS, OLD, says("given", OLD, 4))

    assert list(partitions.has("gar")) == [LOCAL]
    assert list(partitions.has("lecture")) == [Name("lecture", "INE", INE)]


# --- once


async def test_everything_told_again_changes_and_sends_nothing() -> None:
    partitions = Partitions(GAR, LECTURE)
    await both(partitions, says("given", OLD, 4))
    sent, seen = len(partitions.sent), {each: partitions.has(each) for each in ("gar", "lecture")}
    moves = [(key, orjson.dumps(value)) for topic, key, value in partitions.told if topic == MOVES]
    await both(partitions, says("given", OLD, 4))
    for key, value in moves:
        await partitions.tell(MOVES, key, value)
    await partitions.sweep()

    assert len(partitions.sent) == sent
    assert {each: partitions.has(each) for each in ("gar", "lecture")} == seen


def test_of_too_many_keys_that_claim_one_ine_the_last_is_put_aside_and_she_is_heard_as_before() -> None:
    subject = NOBODY
    for number in range(64):
        subject, _ = hear_claim(subject, Claim(dropped=f"aaf-d99:{number}", kept=INE, on=True, seq=number + 1))
    taken_back, folded = hear_claim(subject, Claim(dropped="aaf-d99:0", kept=INE, on=False, seq=100))

    with pytest.raises(TooLarge, match="64 keys"):
        hear_claim(subject, Claim(dropped="aaf-d99:64", kept=INE, on=True, seq=101))
    with pytest.raises(TooLarge, match="64 keys"):
        hear_claim(taken_back, Claim(dropped="aaf-d99:64", kept=INE, on=True, seq=101))
    assert folded == "changed"


async def test_move_under_the_key_of_another_is_put_aside() -> None:
    partitions = Partitions(GAR)
    claim = {"dropped": OLD, "kept": INE, "on": True, "seq": 1}
    for key, value in ((OLD, claim), (OLD, {**claim, "kept": OLD}), (INE, {"dropped": OLD, "kept": INE, "seq": 1})):
        await partitions.tell(MOVES, key, orjson.dumps(value))

    codes = [value["code"] for topic, _, value in partitions.told if topic == f"{MOVES}.quarantine"]
    assert codes == ["key-mismatch", "not-this-schema", "key-mismatch"]


async def test_what_cannot_be_read_under_the_old_key_is_put_aside_there() -> None:
    partitions = Partitions(GAR)
    await told(partitions, collegian(1), collegian(2, INE))
    await partitions.tell(CHANGES, OLD, b"{")
    await partitions.tell(CONSENTS, OLD, says("given", INE, 4))

    codes = [(topic, value["code"]) for topic, _, value in partitions.told if topic.endswith("quarantine")]
    assert codes == [(f"{CHANGES}.quarantine", "not-json"), (f"{CONSENTS}.quarantine", "key-mismatch")]
    assert partitions.moves() == ["claim", "merged", "moved"]


# --- guardians


@pytest.mark.parametrize(
    ("words", "is_known"),
    [
        pytest.param(["refused"], False, id="who refuses"),
        pytest.param(["given", "withdrawn"], False, id="who takes back what she gave"),
        pytest.param(["refused", "given"], True, id="who has changed her mind"),
        pytest.param([], True, id="who says nothing"),
    ],
)
async def test_guardian_of_either_directory_opposes(words: list[str], *, is_known: bool) -> None:
    """A child of twelve: the image of one school is shown; the other names her mother otherwise, and still has her."""
    partitions = Partitions(LECTURE)
    young = {"birth_date": "2014-01-31"}
    await told(partitions, collegian(1, **young, guardians=[{"id": "999-2001", "legal": "1"}]))
    for day, word in enumerate(words, start=5):
        said = consent("guardian:aaf-d99:999-2001", word, f"2026-09-{day:02d}T10:00:00+02:00", subject=OLD)
        await partitions.tell(CONSENTS, OLD, bytes_of(said))
    await told(partitions, lyceen(9, **young, guardians=[{"id": "501", "legal": "1"}]), key=INE)
    await partitions.tell(CONSENTS, INE, says("given", INE, 4))
    given = consent("guardian:aaf-d98:501", "given", "2026-09-04T10:00:00+02:00", subject=INE)
    await partitions.tell(CONSENTS, INE, bytes_of(given))
    await told(partitions, collegian(2, INE, **young, guardians=[{"id": "999-2001", "legal": "1"}]))

    assert (partitions.has("lecture") != {}) is is_known


async def test_guardian_of_the_other_directory_who_refused_something_else_is_not_asked_about_an_unusual_act() -> None:
    unusual = policy("consent-service", contracts=contract_with(
        "consent-service", fields=["level"], release_window_seconds=0, legal_basis={"usual_act": False}
    ))  # fmt: skip
    partitions = Partitions(unusual)
    young = {"birth_date": "2014-01-31"}
    await told(partitions, collegian(1, INE, **young, guardians=[{"id": "999-2001", "legal": "1"}]))
    elsewhere = {"provider": "another", "subject": OLD}
    no = consent("guardian:aaf-d99:999-2001", "refused", "2026-09-05T10:00:00+02:00", **elsewhere)
    await partitions.tell(CONSENTS, OLD, bytes_of(no))
    await told(partitions, lyceen(9, **young, guardians=[{"id": "501", "legal": "1"}]), key=INE)
    await partitions.tell(CONSENTS, INE, says("given", INE, 4))
    given = consent("guardian:aaf-d98:501", "given", "2026-09-04T10:00:00+02:00", subject=INE)
    await partitions.tell(CONSENTS, INE, bytes_of(given))

    assert len(partitions.subject(INE).images) == 2
    assert partitions.has("lecture") != {}


async def test_no_of_a_guardian_whose_directory_has_let_the_child_go_is_not_hers_to_say_any_more() -> None:
    partitions = Partitions(LECTURE)
    young = {"birth_date": "2014-01-31"}
    await told(partitions, collegian(1, **young, guardians=[{"id": "999-2001", "legal": "1"}]))
    no = consent("guardian:aaf-d99:999-2001", "refused", "2026-09-05T10:00:00+02:00", subject=OLD)
    await partitions.tell(CONSENTS, OLD, bytes_of(no))
    await told(partitions, collegian(2, INE, **young), delete(version(3)))
    await told(partitions, lyceen(9, **young, guardians=[{"id": "501", "legal": "1"}]), key=INE)
    await partitions.tell(CONSENTS, INE, says("given", INE, 4))
    given = consent("guardian:aaf-d98:501", "given", "2026-09-06T10:00:00+02:00", subject=INE)
    await partitions.tell(CONSENTS, INE, bytes_of(given))

    assert partitions.has("lecture") != {}


async def test_guardian_of_a_pupil_who_is_handed_over_is_never_taken_back() -> None:
    partitions = Partitions(for_families())
    guardian = "aaf-d99:999-2001"
    mother = joins(version=version(1), category="guardian", id="999-2001", attributes={"ine": None, "guardians": []})
    await told(partitions, mother, key=guardian)
    named = [{"id": "999-2001", "legal": "1"}]
    await told(partitions, *(collegian(number, level=f"L{number}") for number in range(1, 9)))
    await told(partitions, collegian(9, guardians=named))
    await told(partitions, collegian(10, INE, guardians=named))
    words = [(topic, value["pupil"], value["on"]) for topic, _, value in partitions.told if topic in {LINKS, UNLINKS}]

    assert words == [(LINKS, OLD, True), (LINKS, INE, True), (LINKS, OLD, False)]
    assert partitions.subject(guardian).particulars.linking == {"gar/GAR-2026"}
    assert partitions.subject(guardian).particulars.links["gar/GAR-2026"][OLD] < 0
    assert [one.topic for one in partitions.sent if one.name.value == "999-2001"] == [RELEASES]


async def test_guardian_whom_the_whole_person_no_longer_links_falls_by_the_express_lane() -> None:
    partitions = Partitions(for_families())
    named = [{"id": "999-2001", "legal": "1"}]
    await told(partitions, collegian(1, guardians=named))
    await told(partitions, lyceen(5), key=INE)
    await told(partitions, collegian(2, INE, guardians=named))
    words = [(topic, value["pupil"], value["on"]) for topic, _, value in partitions.told if topic in {LINKS, UNLINKS}]

    assert words == [(LINKS, OLD, True), (UNLINKS, OLD, False)]

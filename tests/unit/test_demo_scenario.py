from datetime import UTC, date, datetime

from ops.demo.scenario import Asked, Scenario, guardian_party, stage
from ops.synthesis.night import invent_night

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LECTURE = Asked("lecture", "reading-practice", "n1")
SUITE = Asked("suite", "collaboration", "n1")
SEED = 2026


def cast(pupils: int = 60) -> Scenario:
    return stage(2, pupils, SEED, (LECTURE, SUITE), None)


def test_both_whom_we_follow_are_children_whose_families_agreed() -> None:
    scenario = cast()
    given = {(d.subject, d.party) for d in scenario.answers(AT) if d.status == "given" and d.provider == "lecture"}

    for pupil in (scenario.followed, scenario.leaver):
        holder = next(guardian for guardian in pupil.guardians if guardian.legal == "1")
        assert {(pupil.ine, "child"), (pupil.ine, guardian_party(holder))} <= given
        assert pupil.birth > date(2012, 11, 24)


def test_nobody_we_follow_is_touched_by_the_night() -> None:
    scenario = cast()
    gone = {pupil.ine for school in scenario.schools for pupil in invent_night(school, SEED).leavers}

    assert scenario.followed.ine not in gone
    assert scenario.leaver.ine not in gone
    assert scenario.followed.ine != scenario.leaver.ine


def test_withdrawal_is_by_the_guardian_who_had_agreed_and_about_one_provider() -> None:
    scenario = cast()
    withdrawal = scenario.withdrawal(AT)

    assert withdrawal.subject == scenario.followed.ine
    assert withdrawal.party == f"guardian:ac-99:{scenario.changes_mind.id}"
    assert scenario.changes_mind.legal == "1"
    assert (withdrawal.status, withdrawal.provider) == ("withdrawn", "lecture")


def test_families_answer_in_every_way_and_everybody_who_asks() -> None:
    decisions = list(cast().answers(AT))
    subjects = {provider: {d.subject for d in decisions if d.provider == provider} for provider in ("lecture", "suite")}

    assert {d.status for d in decisions} == {"given", "refused"}
    assert subjects["lecture"] == subjects["suite"]
    assert 0 < len(subjects["lecture"]) < 120


def test_who_we_follow_goes_to_a_school_that_subscribes() -> None:
    uai = cast().schools[1].uai

    scenario = stage(2, 60, SEED, (LECTURE,), frozenset({uai}))

    assert scenario.followed in scenario.schools[1].pupils
    assert scenario.leaver in scenario.schools[1].pupils


def test_same_seed_gives_the_same_cast() -> None:
    assert cast() == cast()

"""What time alone changes: at an instant by the index of what is due, at midnight in Paris by the sweep."""

from typing import Any

import orjson
import pytest

from services.contract.topology import CONSENTS, FILTERING_AUDIT, MOVES, UNLINKS, WITHDRAWALS
from services.filtering import agent as filter_agent
from services.filtering.subject import SUBJECT
from services.runtime.outbox import Reached
from tests.replay.invented import (
    bytes_of,
    consent,
    contract_with,
    for_families,
    joins,
    patch,
    policy,
    restriction,
)
from tests.unit.passing_time import GIVEN_AT, NOE, READING, Clock, given
from tests.unit.stage_runs import ends_of

# --- at an instant


async def test_consent_that_expires_at_two_in_the_afternoon_is_withdrawn_then_and_not_at_midnight() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await clock.hear(joins(), given("child"), given(NOE, until="2026-09-15T14:00:00+02:00"))
    await clock.until("2026-09-15T13:59:59.999999+02:00")
    before = clock.sent
    await clock.until("2026-09-15T14:00:00+02:00")

    assert before == ["release"]
    assert clock.sent == ["release", "express"]
    assert clock.stage.of(WITHDRAWALS)[0]["reasons"] == ["R13/consent-expired", "R10/holder-consent-missing"]
    assert clock.last_end == ("erased", "R13/consent-expired")
    assert clock.due == []


async def test_consent_that_is_given_from_later_on_releases_then() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await clock.hear(joins(), given("child"), given(NOE, at="2026-09-15T14:00:00+02:00"))
    await clock.until("2026-09-15T13:59:59+02:00")
    before = clock.sent
    await clock.until("2026-09-15T14:00:00+02:00")

    assert (before, clock.sent) == ([], ["release"])


async def test_consent_that_was_given_anew_in_time_does_not_expire() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await clock.hear(joins(), given("child"), given(NOE, until="2026-09-15T14:00:00+02:00"))
    await clock.hear(given(NOE, at="2026-09-15T09:00:00+02:00"))
    await clock.until("2026-09-15T14:00:00+02:00")

    assert clock.sent == ["release"]
    assert clock.last_end == ("released", "unchanged")


async def test_one_person_waits_for_the_first_of_her_instants_and_then_for_the_next() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await clock.hear(joins(), given("child", until="2026-09-15T15:00:00+02:00"))
    await clock.hear(given(NOE, until="2026-09-15T14:00:00+02:00"))
    first = clock.due
    await clock.until("2026-09-15T14:30:00+02:00")
    second = clock.due
    await clock.until("2026-09-15T15:00:00+02:00")

    assert first == [b"d/001789473600000000/999000001AB"]
    assert second == [b"d/001789477200000000/999000001AB"]
    assert clock.due == []
    assert clock.sent == ["release", "express"]


async def test_change_before_her_instant_leaves_it_and_one_after_it_that_no_tick_came_before_moves_her_on() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await clock.hear(joins(), given("child", until="2026-09-15T15:00:00+02:00"))
    await clock.hear(given(NOE, until="2026-09-15T14:00:00+02:00"))
    clock.set("2026-09-15T13:00:00+02:00")
    await clock.hear(patch("20260916.1.000000001", given_name="Inès"))
    before = clock.due
    clock.set("2026-09-15T14:30:00+02:00")
    await clock.hear(patch("20260916.1.000000002", given_name="Zoé"))

    assert before == [b"d/001789473600000000/999000001AB"]
    assert clock.due == [b"d/001789477200000000/999000001AB"]


async def test_who_has_nothing_that_ends_is_not_in_the_index_and_a_tick_writes_nothing() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", policy())
    await clock.hear(joins(), given("child"))
    written = len(clock.stage.sent)
    await clock.until("2026-09-15T14:00:00+02:00")

    assert clock.due == []
    assert len(clock.stage.sent) == written


async def test_court_order_that_ends_lets_go_at_that_instant() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", policy())
    await clock.hear(restriction("court-order", "standing", GIVEN_AT, until="2026-09-15T14:00:00+02:00"), joins())
    before = clock.last_end
    await clock.until("2026-09-15T14:00:00+02:00")

    assert before == ("held", "R22/court-order")
    assert clock.sent == ["release"]


async def test_guardians_are_unlinked_at_the_instant_at_which_the_consent_expires() -> None:
    kinds = ["pupil", "guardian"]
    clock = Clock("2026-09-15T10:00:00+02:00",
                  policy("consent-service", contracts=contract_with("consent-service", kinds=kinds)))  # fmt: skip
    await clock.hear(joins(), given("child"), given(NOE, until="2026-09-15T14:00:00+02:00"))
    await clock.until("2026-09-15T14:00:00+02:00")

    assert [(one["guardian"], one["on"]) for one in clock.stage.of(UNLINKS)] == [
        ("aaf-d99:999-2001", False), ("aaf-d99:999-2002", False),
    ]  # fmt: skip


async def _hear_people(clock: Clock, count: int) -> None:
    """All of them until two in the afternoon."""
    for number in range(count):
        key = f"99900000{number}ZZ"
        await clock.hear(joins(id=f"p-{number}", attributes={"ine": key}), key=key.encode())
        await clock.hear(
            given("child", subject=key), given(NOE, "2026-09-15T14:00:00+02:00", subject=key), key=key.encode()
        )


async def test_many_who_expire_at_once_go_in_steps_on_the_ordinary_lane_and_no_heartbeat_runs_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filter_agent, "DUE_AT_ONCE", 3)
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await _hear_people(clock, 4)
    clock.set("2026-09-15T14:00:00+02:00")
    reached = Reached(dict.fromkeys((CONSENTS, UNLINKS, MOVES), clock.stage.now_us))
    first = await clock.stage.tick(reached)
    sent, beats = clock.sent[4:], _beats(clock)
    second = await clock.stage.tick(reached)

    assert (first, sent, beats) == (True, ["ordinary"] * 3, 0)
    assert (second, clock.sent[7:], _beats(clock)) == (False, ["express"], 1)


async def test_who_cannot_be_decided_holds_up_neither_who_expires_with_her_nor_the_heartbeat() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await _hear_people(clock, 2)
    clock.stage.state.apply({SUBJECT + b"999000000ZZ": b"damaged"})
    clock.set("2026-09-15T14:00:00+02:00")
    await clock.stage.tick(Reached(dict.fromkeys((CONSENTS, UNLINKS, MOVES), clock.stage.now_us)))

    assert [value["subject"] for value in clock.stage.of(WITHDRAWALS)[:-1]] == ["999000001ZZ"]
    assert _beats(clock) == 1
    assert ("-", "held", "unexpected") in ends_of(clock.stage, FILTERING_AUDIT)
    assert clock.due == [b"d/001789473660000000/999000000ZZ"]  # a minute later she is tried again


async def test_yes_from_before_all_calendars_stops_nothing_on_the_day_its_party_comes_to_answer() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    mother = {"id": "999-2001", "legal": "1", "authority_from": "2026-09-16"}
    await clock.hear(joins(attributes={"guardians": [mother]}), given("child", until="2026-09-16T14:00:00+02:00"))
    await clock.hear(given(NOE, at="0001-01-01T00:00:00+14:00"))
    await clock.until("2026-09-16T14:00:00+02:00")

    assert clock.stage.codes(CONSENTS) == []
    assert clock.last_end == ("withheld", "R13/consent-expired")
    assert clock.due == []


def _beats(clock: Clock) -> int:
    return len([value for value in clock.stage.of(WITHDRAWALS) if "applied_until" in value])


async def test_account_of_a_tick_numbers_the_people_whose_time_had_come() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await clock.hear(joins(), given("child"), given(NOE, until="2026-09-15T14:00:00+02:00"))
    await clock.until("2026-09-15T14:00:00+02:00")
    entry = clock.stage.of(FILTERING_AUDIT)[-1]

    assert (entry["topic"], entry["first"], entry["last"], entry["records"]) == ("tick", 0, 0, 1)
    assert entry["ends"] == {"lecture/LEC-2026": {"erased": {"R13/consent-expired": [[0, 0]]}}}


async def test_expiry_is_found_again_from_the_state_alone() -> None:
    """A worker that takes the partition over has the index that the one before it left."""
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await clock.hear(joins(), given("child"), given(NOE, until="2026-09-15T14:00:00+02:00"))
    other = Clock("2026-09-15T15:00:00+02:00", READING)
    other.stage.state = clock.stage.state
    await other.until("2026-09-15T15:00:00+02:00")

    assert other.sent == ["express"]


# --- at midnight in Paris


@pytest.mark.parametrize(
    ("birth_date", "day_before", "day"),
    [
        pytest.param("2011-09-16", "2026-09-15T23:59:59+02:00", "2026-09-16T00:00:00+02:00", id="an ordinary day"),
        pytest.param("2012-02-29", "2027-02-28T23:59:59+01:00", "2027-03-01T00:00:00+01:00", id="29 February"),
        pytest.param("2013-03-01", "2028-02-29T23:59:59+01:00", "2028-03-01T00:00:00+01:00",
                     id="1 March of a leap year"),
        pytest.param("2012-03-28", "2027-03-27T23:59:59+01:00", "2027-03-28T00:00:00+01:00",
                     id="the day on which summer time begins"),
        pytest.param("2011-10-25", "2026-10-24T23:59:59+02:00", "2026-10-25T00:00:00+02:00",
                     id="the day on which summer time ends"),
    ],
)  # fmt: skip
async def test_pupil_decides_alone_from_the_first_instant_of_her_fifteenth_birthday_in_paris(
    birth_date: str, day_before: str, day: str
) -> None:
    clock = Clock("2026-09-10T10:00:00+02:00",
                  policy("consent-service", contracts=contract_with("consent-service", until=None),
                         places=without_ends("consent-service")))  # fmt: skip
    await clock.hear(joins(attributes={"birth_date": birth_date}), given("child"))
    await clock.until(day_before)
    before = clock.last_end
    await clock.until(day)

    assert before == ("withheld", "R10/holder-consent-missing")
    assert clock.last_end == ("released", "R11/minor-consent")


def without_ends(name: str) -> list[dict[str, Any]]:
    """The places of an example policy, whose qualifications do not end in the years of these tests."""
    places: list[dict[str, Any]] = orjson.loads(bytes_of(policy(name)))["places"]
    return [{**place, "secnumcloud": None} for place in places]


@pytest.mark.parametrize(
    ("birth_date", "day_before", "day"),
    [
        pytest.param("2008-09-16", "2026-09-15T23:59:59+02:00", "2026-09-16T00:00:00+02:00", id="an ordinary day"),
        pytest.param("2008-02-29", "2026-02-28T23:59:59+01:00", "2026-03-01T00:00:00+01:00", id="29 February"),
    ],
)
async def test_pupil_needs_no_holder_from_the_first_instant_of_her_majority(
    birth_date: str, day_before: str, day: str
) -> None:
    basis = {"information_society_service": False}
    clock = Clock("2026-02-01T10:00:00+01:00",
                  policy("consent-service", contracts=contract_with("consent-service", legal_basis=basis)))  # fmt: skip
    await clock.hear(joins(attributes={"birth_date": birth_date}), given("child", at="2026-01-30T10:00:00+01:00"))
    await clock.until(day_before)
    before = clock.last_end
    await clock.until(day)

    assert before == ("withheld", "R11/holder-consent-missing")
    assert clock.last_end == ("released", "R12/subject-consent")


async def test_joint_consent_outlasts_the_fifteenth_birthday_without_a_word() -> None:
    """R14: the minor is to be informed, and may withdraw; nothing is sent anew."""
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await clock.hear(joins(attributes={"birth_date": "2011-09-16"}), given("child"), given(NOE))
    await clock.until("2026-09-16T00:00:00+02:00")
    kept = clock.sent, clock.last_end
    await clock.hear(consent("child", "withdrawn", "2026-09-16T08:00:00+02:00"))

    assert kept == (["release"], ("released", "unchanged"))
    assert clock.sent == ["release", "express"]


async def test_contract_ends_with_its_last_day() -> None:
    clock = Clock(
        "2026-09-15T10:00:00+02:00", policy(contracts=contract_with(until="2026-09-20"), in_force_from="2026-09-01")
    )
    await clock.hear(joins())
    await clock.until("2026-09-20T23:59:59+02:00")
    before = clock.sent
    await clock.until("2026-09-21T00:00:00+02:00")

    assert (before, clock.sent) == (["release"], ["release", "ordinary"])
    assert clock.last_end == ("erased", "R1/contract-over")


def mother(**authority: str) -> list[dict[str, Any]]:
    return [{"id": "999-2001", "legal": "1", **authority}]


async def test_guardian_gains_authority_on_the_first_instant_of_its_first_day() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", for_families())
    await clock.hear(joins(attributes={"guardians": mother(authority_from="2026-09-20")}))
    await clock.until("2026-09-19T23:59:59+02:00")
    before = clock.stage.of("directory.links.v1")
    await clock.until("2026-09-20T00:00:00+02:00")

    assert before == []
    assert [(one["guardian"], one["on"]) for one in clock.stage.of("directory.links.v1")] == [
        ("aaf-d99:999-2001", True)
    ]


async def test_guardian_loses_authority_after_the_last_instant_of_its_last_day_and_her_consent_with_it() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await clock.hear(joins(attributes={"guardians": mother(authority_until="2026-09-20")}), given("child"), given(NOE))
    await clock.until("2026-09-20T23:59:59+02:00")
    before = clock.sent
    await clock.until("2026-09-21T00:00:00+02:00")

    assert (before, clock.sent) == (["release"], ["release", "ordinary"])
    assert clock.last_end == ("erased", "R10/holder-consent-missing")


@pytest.mark.parametrize(
    ("at", "end"),
    [
        pytest.param("2026-09-19T23:59:59+02:00", ("withheld", "R10/holder-consent-missing"), id="the day before"),
        pytest.param("2026-09-20T00:00:00+02:00", ("released", "R10/joint-consent"), id="that day"),
    ],
)
async def test_consent_counts_only_if_it_was_given_with_authority(at: str, end: tuple[str, str]) -> None:
    clock = Clock("2026-09-25T10:00:00+02:00", READING)
    await clock.hear(joins(attributes={"guardians": mother(authority_from="2026-09-20")}), given("child"))
    await clock.hear(given(NOE, at=at))

    assert clock.last_end == end


async def test_second_holder_whose_authority_begins_opposes_from_that_day_on() -> None:
    father = {"id": "999-2002", "legal": "2", "authority_from": "2026-09-20"}
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await clock.hear(joins(attributes={"guardians": [*mother(), father]}), given("child"), given(NOE))
    await clock.hear(consent("guardian:aaf-d99:999-2002", "refused", "2026-09-10T08:00:00+02:00"))
    before = clock.sent
    await clock.until("2026-09-20T00:00:00+02:00")

    assert (before, clock.sent) == (["release"], ["release", "ordinary"])
    assert clock.last_end == ("erased", "R1/guardian-opposes")


async def test_pupil_who_left_is_held_from_that_day_and_erased_three_months_later() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", policy())
    await clock.hear(joins(), patch("20260916.1.000000001", gone_since="2026-09-20"))
    ends = []
    for instant in ("2026-09-19T23:59:59", "2026-09-20T00:00:00"):
        await clock.until(f"{instant}+02:00")
        ends.append(clock.last_end)
    for instant in ("2026-12-19T23:59:59", "2026-12-20T00:00:00"):
        await clock.until(f"{instant}+01:00")
        ends.append(clock.last_end)

    assert ends == [
        ("released", "unchanged"), ("held", "R21/gone-waiting"), ("held", "R21/gone-waiting"),
        ("erased", "R1/gone-too-long"),
    ]  # fmt: skip


async def test_emancipated_minor_decides_alone() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await clock.hear(joins(attributes={"emancipated": True}), given("child"))

    assert clock.last_end == ("released", "R12/subject-consent")

"""Objections and restrictions, as they come on the stream (rules R15, R22)."""

import orjson
import pytest

from services.contract.topology import CONSENTS, RELEASES
from tests.replay.invented import INE, bytes_of, contract_with, joins, objection, policy, restriction
from tests.unit.passing_time import GIVEN_AT, NOE, READING, Clock, given


@pytest.mark.parametrize(
    ("status", "grounds", "end"),
    [
        pytest.param("open", None, ("held", "R15/objection-open"), id="open"),
        pytest.param("upheld", None, ("erased", "R1/objection-upheld"), id="upheld"),
        pytest.param("rejected", "G-4", ("released", "unchanged"), id="rejected with grounds"),
        pytest.param("rejected", None, ("held", "R15/objection-without-grounds"), id="rejected without"),
    ],
)
async def test_objection_to_what_a_provider_has(status: str, grounds: str | None, end: tuple[str, str]) -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", policy())
    await clock.hear(joins(), objection(status, "2026-09-15T09:00:00+02:00", grounds=grounds))

    assert clock.last_end == end


async def test_later_step_of_an_objection_replaces_the_one_before_and_another_objection_does_not() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", policy())
    await clock.hear(joins(), objection("open", "2026-09-15T09:00:00+02:00"))
    await clock.hear(objection("rejected", "2026-09-15T09:30:00+02:00", grounds="G-4"))
    first = clock.last_end
    await clock.hear(objection("open", "2026-09-15T09:10:00+02:00", objection="opp-2"))

    assert first == ("released", "R3/public-task")
    assert clock.last_end == ("held", "R15/objection-open")
    assert clock.sent == ["release", "restriction", "release", "restriction"]


@pytest.mark.parametrize("other", [{"provider": "suite"}, {"purpose": "other"}])
async def test_objection_concerns_one_purpose_of_one_provider(other: dict[str, str]) -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", policy())
    await clock.hear(joins(), objection("upheld", "2026-09-15T09:00:00+02:00", **other))

    assert clock.last_end == ("released", "unchanged")


async def test_objection_changes_nothing_where_consent_is_the_ground() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", READING)
    await clock.hear(joins(), given("child"), given(NOE))
    await clock.hear(objection("upheld", "2026-09-15T09:00:00+02:00", provider="lecture", purpose="reading-at-home"))

    assert clock.last_end == ("released", "unchanged")


@pytest.mark.parametrize("kind", ["court-order", "article-18"])
async def test_restriction_holds_and_its_end_releases(kind: str) -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", policy())
    await clock.hear(restriction(kind, "standing", "2026-09-14T08:00:00+02:00"), joins())
    before = clock.last_end
    await clock.hear(restriction(kind, "lifted", "2026-09-15T09:00:00+02:00"))

    assert before == ("held", f"R22/{kind}")
    assert clock.last_end == ("released", "R3/public-task")


async def test_protected_address_takes_the_school_and_the_groups_out() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", policy(contracts=contract_with(required=["level"])))
    await clock.hear(joins(), restriction("protected-address", "standing", "2026-09-14T08:00:00+02:00"))
    fields = [set(value["fields"]) for value in clock.stage.of(RELEASES)]

    assert fields == [
        {"given_name", "family_name", "level", "groups", "school"}, {"given_name", "family_name", "level"},
    ]  # fmt: skip


async def test_two_court_orders_are_two() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", policy())
    await clock.hear(joins(), restriction("court-order", "standing", "2026-09-14T08:00:00+02:00", reference="o-1"))
    await clock.hear(restriction("court-order", "standing", "2026-09-14T08:00:00+02:00", reference="o-2"))
    await clock.hear(restriction("court-order", "lifted", "2026-09-15T08:00:00+02:00", reference="o-1"))

    assert clock.last_end == ("held", "R22/court-order")


async def test_one_objection_too_many_is_put_aside_and_none_is_forgotten() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", policy())
    steps = [objection("open", "2026-09-14T08:00:00+02:00", objection=f"opp-{n}") for n in range(65)]
    await clock.hear(joins(), *steps)
    await clock.hear(objection("upheld", "2026-09-15T08:00:00+02:00", objection="opp-0"))

    assert clock.stage.codes(CONSENTS) == ["too-large"]
    assert clock.last_end == ("erased", "R1/objection-upheld")


@pytest.mark.parametrize("until", ["2027", "20270831", "1800000000", "1800000000.5"])
async def test_end_of_a_restriction_that_is_no_date_time_is_not_counted_in_seconds_from_1970(until: str) -> None:
    """Read so, the restriction would have ended long ago, and nobody would be told."""
    clock = Clock("2026-09-15T10:00:00+02:00", policy())
    stands = restriction("court-order", "standing", "2026-09-14T08:00:00+02:00")
    raw = orjson.dumps({**orjson.loads(bytes_of(stands)), "until": until})
    await clock.stage.take(CONSENTS, (INE.encode(), raw))

    assert clock.stage.codes(CONSENTS) == ["not-this-schema"]


async def test_decision_under_the_key_of_another_is_put_aside() -> None:
    clock = Clock("2026-09-15T10:00:00+02:00", policy())
    await clock.hear(objection("open", GIVEN_AT), restriction("court-order", "standing", GIVEN_AT), key=b"999000002AB")

    assert clock.stage.codes(CONSENTS) == ["key-mismatch", "key-mismatch"]
    assert INE.encode() not in clock.stage.raw

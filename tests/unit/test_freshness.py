"""Nothing is released while consents or policies are not known up to a moment ago; what is owed flows all the same."""

import pytest

from services.contract.changes import Change
from services.contract.policies import ProviderPolicy
from services.contract.topology import CHANGES, CONSENTS, FILTERING_AUDIT, MOVES, RELEASES, UNLINKS, WITHDRAWALS
from services.filtering.agent import DUE_AT_ONCE, FilteringAgent
from services.filtering.deciding import HELD
from services.filtering.freshness import staleness
from services.runtime.outbox import Reached
from services.runtime.policies import PolicyBook
from tests.replay.invented import INE, MAIA, bytes_of, consent, contract_with, delete, joins, patch, policy
from tests.replay.rapid import NOW_US
from tests.unit.stage_runs import Stage, book, ends_of

GAR = "gar/GAR-2026"
SECOND = 1_000_000
OLD = NOW_US - 30 * SECOND
JOINS = (MAIA, bytes_of(joins()))


@pytest.mark.parametrize(
    ("applied", "confirmed", "code"),
    [
        pytest.param(0, 0, None, id="both at this instant"),
        pytest.param(-29_999_999, -29_999_999, None, id="both just within the bound"),
        pytest.param(-30_000_000, 0, "stale-consents", id="consents at the bound"),
        pytest.param(0, -30_000_000, "stale-policies", id="policies at the bound"),
        pytest.param(-30_000_000, -30_000_000, "stale-consents", id="both"),
        pytest.param(None, 0, "stale-consents", id="nothing heard of consents"),
        pytest.param(0, None, "stale-policies", id="nothing heard of policies"),
        pytest.param(5_000_000, 5_000_000, None, id="a clock that was set back a little"),
        pytest.param(5_000_001, 0, "stale-consents", id="a clock that was set back by more"),
    ],
)
def test_staleness(applied: int | None, confirmed: int | None, code: str | None) -> None:
    def at(difference: int | None) -> int | None:
        return None if difference is None else NOW_US + difference

    assert staleness(NOW_US, at(applied), at(confirmed), 30_000_000) == code


def filtering(*policies: ProviderPolicy) -> Stage:
    return Stage(FilteringAgent(book(*policies)))


def book_of(stage: Stage) -> PolicyBook:
    held: PolicyBook = stage.agent._policies  # type: ignore[attr-defined]  # the book of this agent
    return held


def change(of: Change, key: bytes = MAIA) -> tuple[bytes, bytes]:
    return key, bytes_of(of)


def waiting(stage: Stage) -> list[bytes]:
    return [key for key, _ in stage.state.scan(HELD, None)]


async def test_stale_consents_hold_what_would_be_released_and_it_goes_from_the_state_once_they_are_fresh() -> None:
    stage = filtering(policy())
    stage.reached = Reached({CONSENTS: OLD, MOVES: OLD})
    await stage.take(CHANGES, JOINS)
    await stage.tick()
    held = ends_of(stage, FILTERING_AUDIT), stage.of(RELEASES), waiting(stage)
    stage.reached = Reached({CONSENTS: NOW_US, MOVES: NOW_US})
    await stage.tick()
    await stage.tick()

    assert held == ([(GAR, "held", "stale-consents")], [], [b"h/" + MAIA])
    assert ends_of(stage, FILTERING_AUDIT)[1:] == [(GAR, "released", "R3/public-task")]
    assert [value["subject"] for value in stage.of(RELEASES)] == [INE]
    assert waiting(stage) == []


async def test_stale_policies_hold_as_well() -> None:
    stage = filtering(policy())
    book_of(stage).confirmed_us = OLD
    await stage.take(CHANGES, JOINS)
    book_of(stage).confirmed_us = NOW_US
    await stage.tick()

    assert ends_of(stage, FILTERING_AUDIT) == [(GAR, "held", "stale-policies"), (GAR, "released", "R3/public-task")]


async def test_while_a_consent_waits_what_was_last_known_counts() -> None:
    """A lane that is being read says nothing of itself: not every batch of it makes what is known old."""
    stage = filtering(policy())
    await stage.tick()
    stage.reached = Reached({})
    await stage.take(CHANGES, JOINS)

    assert ends_of(stage, FILTERING_AUDIT) == [(GAR, "released", "R3/public-task")]


async def test_a_process_that_has_heard_nothing_yet_releases_nothing() -> None:
    stage = filtering(policy())
    stage.reached = Reached({})
    await stage.take(CHANGES, JOINS)

    assert (stage.of(RELEASES), waiting(stage)) == ([], [b"h/" + MAIA])


async def test_what_is_owed_flows_while_everything_is_stale() -> None:
    stage = filtering(policy(), policy("consent-service"))
    for party in ("child", "guardian:aaf-d99:999-2001"):
        await stage.take(CONSENTS, (MAIA, bytes_of(consent(party, "given", "2026-09-04T17:12:08+02:00"))))
    await stage.take(CHANGES, JOINS)
    stage.reached = Reached({CONSENTS: OLD, MOVES: OLD})
    book_of(stage).confirmed_us = OLD
    await stage.take(CONSENTS, (MAIA, bytes_of(consent("child", "withdrawn", "2026-09-10T00:00:00Z"))))
    await stage.take(CHANGES, change(delete("20261001.1.000000001")))

    assert [(value["provider"], value["reasons"]) for value in stage.of(WITHDRAWALS)] == [
        ("lecture", ["R1/consent-withdrawn"]), ("gar", ["R1/subject-deleted"]),
    ]  # fmt: skip
    assert waiting(stage) == []


async def test_what_a_sweep_would_release_is_held_too() -> None:
    stage = filtering()
    await stage.take(CHANGES, JOINS)
    book_of(stage).apply(b"gar", bytes_of(policy()))
    stage.reached = Reached({CONSENTS: OLD, MOVES: OLD})
    await stage.sweep()
    before = stage.of(RELEASES)
    stage.reached = Reached({CONSENTS: NOW_US, MOVES: NOW_US})
    await stage.tick()

    assert (before, len(stage.of(RELEASES))) == ([], 1)


async def test_what_is_as_it_was_is_not_held() -> None:
    stage = filtering(policy())
    await stage.take(CHANGES, JOINS)
    stage.reached = Reached({CONSENTS: OLD, MOVES: OLD})
    await stage.take(CHANGES, change(patch("20260916.1.000000001", divisions=[])))

    assert ends_of(stage, FILTERING_AUDIT)[1:] == [(GAR, "released", "unchanged")]
    assert waiting(stage) == []


async def test_whoever_was_deleted_meanwhile_is_not_released() -> None:
    stage = filtering(policy())
    stage.reached = Reached({CONSENTS: OLD, MOVES: OLD})
    await stage.take(CHANGES, JOINS, change(delete("20261001.1.000000001")))
    stage.reached = Reached({CONSENTS: NOW_US, MOVES: NOW_US})
    await stage.tick()

    assert stage.of(RELEASES) == stage.of(WITHDRAWALS)[1:] == []
    assert ends_of(stage, FILTERING_AUDIT)[-1] == (GAR, "withheld", "R2/subject-deleted")


async def test_nobody_is_left_out_where_many_wait() -> None:
    stage = filtering(policy())
    stage.reached = Reached({CONSENTS: OLD, MOVES: OLD})
    people = [(f"99{n:07d}ZZ", joins(id=f"p-{n}", attributes={"ine": f"99{n:07d}ZZ"})) for n in range(DUE_AT_ONCE + 3)]
    await stage.take(CHANGES, *((key.encode(), bytes_of(each)) for key, each in people))
    stage.reached = Reached({CONSENTS: NOW_US, MOVES: NOW_US})
    await stage.tick()
    first = len(stage.of(RELEASES))
    await stage.tick()

    assert (first, len(stage.of(RELEASES)), waiting(stage)) == (DUE_AT_ONCE, DUE_AT_ONCE + 3, [])


async def test_one_whom_nobody_can_release_holds_up_neither_the_others_nor_the_heartbeat() -> None:
    stage = filtering(policy())
    stage.reached = Reached({CONSENTS: OLD, MOVES: OLD})
    long = {"source": "a" * 40, "id": "9" * 120, "attributes": {"ine": None}}
    await stage.take(CHANGES, change(joins(**long), b"a" * 40 + b":" + b"9" * 120), JOINS)
    stage.reached = Reached({CONSENTS: NOW_US, MOVES: NOW_US, UNLINKS: NOW_US})
    await stage.tick()

    assert [value["subject"] for value in stage.of(RELEASES)] == [INE]
    assert ("-", "held", "not-this-schema") in ends_of(stage, FILTERING_AUDIT)
    assert waiting(stage) == []
    assert [value["applied_until"] for value in stage.of(WITHDRAWALS)] == ["2026-09-15T08:00:00Z"]


async def test_bound_is_a_setting() -> None:
    stage = Stage(FilteringAgent(book(policy()), fresh_seconds=60.0))
    stage.reached = Reached({CONSENTS: OLD, MOVES: OLD})
    book_of(stage).confirmed_us = OLD
    await stage.take(CHANGES, JOINS)

    assert ends_of(stage, FILTERING_AUDIT) == [(GAR, "released", "R3/public-task")]


async def test_account_of_a_tick_names_nobody() -> None:
    stage = filtering(policy(contracts=contract_with()))
    stage.reached = Reached({CONSENTS: OLD, MOVES: OLD})
    await stage.take(CHANGES, JOINS)
    stage.reached = Reached({CONSENTS: NOW_US, MOVES: NOW_US})
    await stage.tick()

    assert [entry["topic"] for entry in stage.of(FILTERING_AUDIT)] == [CHANGES, "tick"]
    assert [word for word in ("Maïa", "Exemple", INE, "999-1001") if word.encode() in stage.raw] == []

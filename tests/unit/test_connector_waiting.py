"""Heartbeats, release windows and backlogs at the connector: who may leave when."""

import pytest

from services.connectors.freshness import is_fresh
from services.connectors.waiting import WAITING, key_of, later_word_waits, until_of, window_end
from services.contract.topology import CONNECTORS_AUDIT
from services.runtime.agent import NotYet
from tests.replay.invented import policy
from tests.replay.rapid import NOW_US
from tests.unit.connector_runs import DELETES, UPSERTS, Connector, delete, heartbeat, upsert, windowed

A, B, C = "a" * 32, "b" * 32, "c" * 32


async def fresh(connector: Connector) -> Connector:
    await connector.hear()
    return connector


# Heartbeats


async def test_upsert_before_the_first_heartbeat_waits_where_it_is() -> None:
    gar = Connector(policy())
    with pytest.raises(NotYet, match="stale-consents"):
        await gar.take(UPSERTS, upsert())
    await gar.hear()
    await gar.take(UPSERTS, upsert())

    assert gar.names() == [A]


@pytest.mark.parametrize(
    ("age", "fresh"),
    [
        pytest.param(29.999, True, id="recent"),
        pytest.param(30.0, False, id="old"),
        pytest.param(-5.0, True, id="a clock a little ahead"),
        pytest.param(-5.001, False, id="a clock too far ahead"),
    ],
)
def test_heartbeat_is_fresh_while_it_is_under_30_s_old(age: float, fresh: bool) -> None:  # noqa: FBT001  # a row
    assert is_fresh(str(NOW_US - round(age * 1_000_000)).encode(), NOW_US) is fresh


async def test_upsert_waits_where_it_is_while_the_heartbeat_is_old() -> None:
    gar = Connector(policy())
    await gar.take(DELETES, heartbeat(NOW_US - 30_000_000))
    gar.sent.clear()
    with pytest.raises(NotYet, match="stale-consents"):
        await gar.take(UPSERTS, upsert(), delete(11, B))

    assert gar.sent == []


async def test_upsert_waits_while_any_partition_of_the_filter_has_no_fresh_heartbeat() -> None:
    gar = Connector(policy())
    gar.partitions = 3
    await gar.take(DELETES, heartbeat(NOW_US, 0), heartbeat(NOW_US, 1), heartbeat(NOW_US - 30_000_000, 2))
    with pytest.raises(NotYet, match="stale-consents"):
        await gar.take(UPSERTS, upsert())
    await gar.take(DELETES, heartbeat(NOW_US, 2))
    await gar.take(UPSERTS, upsert())

    assert gar.names() == [A]


async def test_delete_is_told_however_old_the_heartbeat() -> None:
    gar = await fresh(Connector(policy()))
    await gar.take(UPSERTS, upsert())
    gar.now_us += 3_600_000_000
    await gar.take(DELETES, delete())

    assert gar.known() == {}


async def test_account_says_up_to_when_the_partition_of_the_filter_that_is_furthest_behind_vouches() -> None:
    gar = Connector(policy())
    gar.partitions = 3
    await gar.take(DELETES, heartbeat(NOW_US, 0), heartbeat(NOW_US, 1))
    before = gar.vouched()
    await gar.take(DELETES, heartbeat(NOW_US - 30_000_000, 2), heartbeat(NOW_US + 2_000_000, 0))
    await gar.take(DELETES, delete(11), heartbeat(NOW_US + 7_000_000, 0))

    assert before == []
    assert gar.vouched() == [(0, "2026-09-15T07:59:30Z"), (1, "2026-09-15T07:59:30Z")]


async def test_heartbeats_of_other_partitions_alone_give_no_account() -> None:
    gar = Connector(policy())
    gar.partitions = 3
    await gar.take(DELETES, *(heartbeat(NOW_US, number) for number in range(3)))
    gar.sent.clear()
    await gar.take(DELETES, heartbeat(NOW_US + 5_000_000, 1), heartbeat(NOW_US + 5_000_000, 2))

    assert gar.sent == []


async def test_account_says_of_which_lanes_nothing_waits() -> None:
    gar = Connector(policy())
    gar.read_to = {UPSERTS: 17}
    await gar.take(DELETES, heartbeat(NOW_US))

    (entry,) = gar.accounts()
    assert (entry["topic"], entry["caught_up"]) == (DELETES, {UPSERTS: 17})


async def test_heartbeat_among_deletes_is_no_input() -> None:
    gar = Connector(policy())
    await gar.take(DELETES, delete(11), heartbeat(NOW_US), delete(12, B))
    entry = next(output.value for output in gar.sent if output.topic == CONNECTORS_AUDIT)

    assert b'"first":0,"last":2,"records":2' in (entry or b"")
    assert b'{"never-attempted":[[0,0],[2,2]]}' in (entry or b"")


async def test_nothing_that_waits_is_told_while_the_consents_are_stale() -> None:
    gar = await fresh(Connector(windowed(60)))
    await gar.take(UPSERTS, upsert())
    await gar.tick(61)
    before = gar.told()
    await gar.hear()
    await gar.tick()

    assert before == []
    assert gar.names() == [A]


# Release windows


@pytest.mark.parametrize(
    ("now_us", "seconds", "end"),
    [
        pytest.param(0, 300, "0000000300", id="the first window"),
        pytest.param(299_999_999, 300, "0000000300", id="the last instant of a window"),
        pytest.param(300_000_000, 300, "0000000600", id="the first instant of the next"),
        pytest.param(NOW_US, 2, "1789459202", id="a short one"),
    ],
)
def test_window_end(now_us: int, seconds: int, end: str) -> None:
    assert window_end(now_us, seconds) == end


@pytest.mark.parametrize(
    ("before", "until", "waits"),
    [
        pytest.param("", "0000000300", "0000000300", id="nothing waited"),
        pytest.param("0000000300", "0000000600", "0000000300", id="it keeps its turn"),
        pytest.param("~", "0000000600", "0000000600", id="allowed again"),
        pytest.param("0000000300", "~", "~", id="refused from now on"),
    ],
)
def test_until_when_a_replaced_word_waits(before: str, until: str, waits: str) -> None:
    assert later_word_waits(before, until) == waits


def test_key_says_until_when() -> None:
    assert key_of("0000000300", b"GAR-2026/aa") == b"w/0000000300/GAR-2026/aa"
    assert until_of(b"w/~/GAR-2026/aa") == "~"


async def test_upserts_leave_together_at_the_end_of_their_window_by_pseudonym() -> None:
    gar = await fresh(Connector(windowed(10)))
    await gar.take(UPSERTS, upsert(10, C), upsert(11, A))
    await gar.tick(5)
    await gar.take(UPSERTS, upsert(12, B))
    await gar.tick(4)
    before = gar.told()
    await gar.tick(1)
    await gar.tick(1)

    assert before == []
    assert gar.names() == [A, B, C]
    assert gar.ends() == [("held", "release-window"), ("held", "release-window"), ("released", "delivered")]
    assert list(gar.state.scan(WAITING, None)) == []


async def test_newer_upsert_replaces_the_one_that_waits() -> None:
    gar = await fresh(Connector(windowed(10)))
    await gar.take(UPSERTS, upsert(10))
    await gar.take(UPSERTS, upsert(11, fields={"level": "4EME"}))
    await gar.tick(10)

    assert [record["fields"] for _, record in gar.told()] == [{"level": "4EME"}]
    assert gar.ledger() == [("delivered", 11)]


async def test_delete_drops_what_waits_and_is_told_at_once() -> None:
    gar = await fresh(Connector(windowed(10)))
    await gar.take(UPSERTS, upsert(10))
    await gar.tick(10)
    await gar.take(UPSERTS, upsert(11))
    await gar.take(DELETES, delete(12))
    before = gar.told()[1:]
    await gar.tick(10)

    assert before == [(A, None)]
    assert gar.told()[2:] == []


async def test_what_waits_is_not_told_after_the_cut_off() -> None:
    gar = await fresh(Connector(windowed(10)))
    await gar.take(UPSERTS, upsert())
    await gar.learn(windowed(10, version=5, contract={"until": "2026-09-14"}))
    await gar.tick(10)
    before = gar.ledger()
    await gar.learn(windowed(10, version=6))
    await gar.tick(10)

    assert before == [("contract-not-in-force", 10)]
    assert gar.ledger()[1:] == [("delivered", 10)]


async def test_what_waits_is_not_told_under_a_contract_that_has_become_narrower() -> None:
    gar = await fresh(Connector(windowed(10)))
    await gar.take(UPSERTS, upsert(10, fields={"level": "5EME", "given_name": "Maïa"}))
    await gar.learn(windowed(10, version=5, contract={"fields": ["level"], "required": []}))
    await gar.tick(10)
    before = gar.ledger()
    await gar.take(UPSERTS, upsert(11, policy_version=5))
    await gar.tick(10)

    assert before == [("field-not-in-contract", 10)]
    assert gar.ledger()[1:] == [("delivered", 11)]


async def test_contract_that_becomes_live_tells_the_newer_word_at_once_and_forgets_the_older() -> None:
    gar = await fresh(Connector(windowed(300)))
    await gar.take(UPSERTS, upsert(10))
    await gar.learn(windowed(0, version=5))
    await gar.take(UPSERTS, upsert(11))
    await gar.hear()
    await gar.tick(20)

    assert gar.ledger() == [("delivered", 11)]
    assert list(gar.state.scan(WAITING, None)) == []


async def test_older_word_in_the_state_of_a_pair_is_not_told() -> None:
    """However it came to be there: the highest seq of the pair decides again at the flush."""
    gar = await fresh(Connector(windowed(10)))
    await gar.take(UPSERTS, upsert(10))
    kept = next(gar.state.scan(WAITING, None))
    await gar.take(DELETES, delete(11))
    gar.state.apply(dict([kept]))
    await gar.tick(10)

    assert gar.told() == []
    assert gar.ends()[-1] == ("refused", "superseded")


# Backlogs


async def test_backlog_is_read_to_its_end_and_only_the_last_words_are_told_by_pseudonym() -> None:
    gar = await fresh(Connector(policy()))
    gar.opened({UPSERTS: 4})
    await gar.take(UPSERTS, upsert(10, B), upsert(11, A))
    await gar.tick(1)
    await gar.take(UPSERTS, upsert(12, A), upsert(13, C))
    before = gar.told()
    await gar.tick(1)
    await gar.take(UPSERTS, upsert(14, A))

    assert before == []
    assert gar.names() == [A, B, C, A]
    assert gar.ledger() == [("delivered", 12), ("delivered", 10), ("delivered", 13), ("delivered", 14)]


async def test_delete_in_a_backlog_is_told_at_once() -> None:
    gar = await fresh(Connector(policy()))
    await gar.take(UPSERTS, upsert(10), upsert(10, B))
    gar.opened({UPSERTS: 1000})
    await gar.take(DELETES, delete(12))
    await gar.take(UPSERTS, delete(13, B))

    assert gar.known() == {}


async def test_neither_lane_may_lag_when_the_waiting_is_told() -> None:
    gar = await fresh(Connector(policy()))
    gar.opened({UPSERTS: 1, DELETES: 3})
    await gar.take(UPSERTS, upsert(10))
    await gar.tick(1)
    await gar.take(DELETES, heartbeat(gar.now_us), delete(11))
    await gar.tick(1)

    assert gar.told() == []


async def test_lane_that_ends_in_what_is_no_record_is_read_up_when_the_runtime_says_so() -> None:
    gar = await fresh(Connector(policy()))
    gar.opened({UPSERTS: 3})
    await gar.take(UPSERTS, upsert(10))
    await gar.tick(1)
    before = gar.told()
    gar.read_up(UPSERTS)
    await gar.tick(1)

    assert before == []
    assert gar.names() == [A]


async def test_kill_within_a_backlog_loses_and_repeats_nothing() -> None:
    gar = await fresh(Connector(policy()))
    gar.opened({UPSERTS: 4})
    await gar.take(UPSERTS, upsert(10, A), upsert(11, B))
    gar.restart()
    gar.opened({UPSERTS: 4})
    await gar.take(UPSERTS, upsert(12, B), upsert(13, C))
    gar.restart()
    gar.opened({})
    await gar.tick(1)
    gar.restart()
    gar.opened({})
    await gar.tick(1)

    assert gar.ledger() == [("delivered", 10), ("delivered", 12), ("delivered", 13)]


async def test_tick_tells_no_more_than_2000_and_the_next_goes_on() -> None:
    gar = await fresh(Connector(policy()))
    gar.opened({UPSERTS: 2001})
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [f"{x}{y}{z}" + "a" * 29 for x in letters for y in letters for z in letters][:2001]
    await gar.take(UPSERTS, *[upsert(10, name) for name in reversed(names)])
    await gar.tick(1)
    first = gar.names()
    await gar.tick(1)

    assert first == names[:2000]
    assert gar.names() == names


async def test_policy_that_was_taken_back_keeps_nothing_else_from_leaving() -> None:
    gar = await fresh(Connector(windowed(10)))
    await gar.take(UPSERTS, upsert())
    gar.book.by_provider.clear()
    await gar.tick(10)

    assert gar.told() == []
    assert gar.ledger() == [("contract-not-in-force", 10)]

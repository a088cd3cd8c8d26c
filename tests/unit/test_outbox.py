from collections.abc import Iterator, Sequence

import orjson
import pytest

from ops.benchmarks.memory_state import MemoryState
from services.contract.account import Account
from services.runtime.agent import NotYet, handle_each, sweep_each, tick
from services.runtime.outbox import BY_SUBJECT, SPREAD, Outbox
from services.runtime.records import FetchedRecord, Record
from tests.unit.stand_in_agent import CANARY, StandIn

NOW_US = 1_789_459_200_000_000


def outbox(**known: bytes) -> Outbox:
    state = MemoryState()
    state.apply({name.encode(): value for name, value in known.items()})
    return Outbox("filtering", 3, state, NOW_US)


def row(offset: int, value: bytes | None = b"fine") -> FetchedRecord:
    return FetchedRecord("in", 3, offset, 1000 + offset, b"k", value)


def test_batch_reads_its_own_writes_and_removals() -> None:
    box = outbox(a=b"old", b=b"old")
    box.put(b"a", b"new")
    box.put(b"b", None)

    assert [box.get(b"a"), box.get(b"b"), box.get(b"c")] == [b"new", None, None]


def test_scan_gives_the_first_entries_in_key_order_with_the_batch_s_own_changes() -> None:
    state = MemoryState()
    state.apply({b"w/1": b"old", b"w/3": b"old", b"w/4": b"old", b"x": b"other"})
    box = Outbox("connectors", 3, state, NOW_US)
    box.put(b"w/1", None)
    box.put(b"w/2", b"new")
    box.put(b"w/3", b"newer")

    assert box.scan(b"w/", 2) == [(b"w/2", b"new"), (b"w/3", b"newer")]
    assert box.scan(b"w/", 9) == [(b"w/2", b"new"), (b"w/3", b"newer"), (b"w/4", b"old")]


def test_output_goes_to_the_partition_that_is_read_or_is_spread_or_meets_its_subject() -> None:
    box = outbox()
    box.send("out", b"k", b"v")
    box.send("out", b"k", b"v", spread=True)
    box.send_to(b"k", "out", b"v", ())

    assert [output.partition for output in box.outputs] == [3, SPREAD, BY_SUBJECT]


def test_rollback_forgets_all_that_came_after_and_may_be_repeated() -> None:
    box = outbox()
    box.put(b"a", b"1")
    box.send("out", b"k", b"before")
    start = box.savepoint()
    for _ in range(2):
        box.put(b"a", b"2")
        box.put(b"b", b"2")
        box.quarantine(row(1), "not-json", "payload: not JSON")
        box.rollback(start)

    assert box.changes == {b"a": b"1"}
    assert [output.value for output in box.outputs] == [b"before"]
    assert box.quarantined == []


def test_quarantine_gives_coordinates_and_never_content() -> None:
    box = outbox()
    box.quarantine(row(7, CANARY), "not-json", "payload: not JSON in UTF-8")
    (output,) = box.outputs

    assert output.topic == "in.quarantine"
    assert output.key is None
    assert CANARY not in (output.value or b"")
    assert orjson.loads(output.value or b"") == {
        "topic": "in", "partition": 3, "offset": 7, "timestamp_ms": 1007, "stage": "filtering", "code": "not-json",
        "detail": "payload: not JSON in UTF-8", "size": len(CANARY), "at": "2026-09-15T08:00:00Z",
    }  # fmt: skip


def test_quarantine_is_said_once_however_often_the_batch_is_tried(caplog: pytest.LogCaptureFixture) -> None:
    box = outbox()
    start = box.savepoint()
    with caplog.at_level("INFO", "sanctuaire"):
        for _ in range(3):
            box.rollback(start)
            box.quarantine(row(1, CANARY), "not-json", "payload: not JSON")
        box.announce()

    assert [orjson.loads(record.getMessage())["offset"] for record in caplog.records] == [1]
    assert CANARY.decode() not in caplog.text


def test_report_goes_beside_the_input() -> None:
    box = outbox()
    account = Account("filtering", "in", 3, 2)
    account.end(5, "-", "held", "no-image")
    box.report("audit", account, (5, 6), {"gar": 4})
    (output,) = box.outputs

    assert (output.topic, output.partition, output.key) == ("audit", 3, None)
    assert dict(output.headers)["ce_id"] == f"in/3/5@{NOW_US}".encode()
    assert orjson.loads(output.value or b"")["ends"] == {"-": {"held": {"no-image": [[5, 5]]}}}


@pytest.mark.parametrize("poison", range(3))
async def test_only_the_record_that_raises_is_put_aside(poison: int, caplog: pytest.LogCaptureFixture) -> None:
    box, agent = outbox(), StandIn()
    await handle_each(agent, [row(n, b"raise" + CANARY if n == poison else b"fine") for n in range(3)], box)
    told = [orjson.loads(output.value or b"") for output in box.outputs if output.topic == "in.quarantine"]

    assert [(value["offset"], value["code"], value["detail"]) for value in told] == [
        (poison, "unexpected", "ValueError")
    ]
    assert [output.key for output in box.outputs if output.topic == "out"] == [
        str(n).encode() for n in range(3) if n != poison
    ]
    assert box.changes.keys() == {str(n).encode() for n in range(3) if n != poison}
    assert CANARY not in b"".join(output.value or b"" for output in box.outputs)
    assert CANARY.decode() not in caplog.text


class Talkative(StandIn):
    """Every record ends for a hundred contracts, each time otherwise than the one before."""

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        for record in records:
            outbox.send("out", None, b"once")
            for contract in range(100):
                account.end(record.offset, f"p/{contract}", "held", f"R0/{record.offset % 2}")

    async def sweep(self, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox, account: Account) -> None:
        for number in range(len(entries)):
            outbox.send("out", None, b"once")
            for contract in range(100):
                account.end(number, f"p/{contract}", "held", f"R0/{number % 2}")

    async def tick(self, outbox: Outbox, account: Account) -> bool:
        await self.sweep([(b"", b"")] * 2000, outbox, account)
        account.count(2000)
        return False


@pytest.mark.parametrize("swept", [False, True])
async def test_account_too_large_for_kafka_is_given_in_parts_that_cover_the_batch_once(*, swept: bool) -> None:
    box = outbox()
    if swept:
        await sweep_each(Talkative(), [(b"s/%d" % n, b"") for n in range(2000)], box)
    else:
        await handle_each(Talkative(), [row(n) for n in range(2000)], box)
    accounts = [orjson.loads(output.value or b"") for output in box.outputs if output.topic == "account"]
    sizes = [len(output.value or b"") for output in box.outputs if output.topic == "account"]

    assert max(sizes) < 1_000_000
    assert sum(account["records"] for account in accounts) == 2000
    assert sum(output.topic == "out" for output in box.outputs) == 2000
    covered = [
        offset
        for account in accounts
        for ranges in account["ends"]["p/7"]["held"].values()
        for first, last in ranges
        for offset in range(first, last + 1)
    ]
    assert len(covered) == 2000
    assert swept or sorted(covered) == list(range(2000))


async def test_sweep_passes_over_the_one_entry_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    box = outbox()
    entries = [(b"s/1", b"fine"), (b"s/2", b"raise" + CANARY), (b"s/3", b"fine")]
    await sweep_each(StandIn(), entries, box)

    assert box.changes.keys() == {b"s/1", b"s/3"}
    assert CANARY.decode() not in caplog.text


async def test_sweep_that_must_wait_says_so() -> None:
    with pytest.raises(NotYet):
        await sweep_each(StandIn(), [(b"s/1", b"wait")], outbox())


def test_batch_reads_what_the_batch_before_changes_and_is_not_durable_yet() -> None:
    state = MemoryState()
    state.apply({b"a": b"stored", b"b": b"stored", b"c": b"stored"})
    box = Outbox("filtering", 3, state, NOW_US, pending={b"a": b"pending", b"b": None})
    box.load([b"a", b"b", b"c", b"d"])

    assert [box.get(key) for key in (b"a", b"b", b"c", b"d")] == [b"pending", None, b"stored", None]
    box.put(b"a", b"own")
    assert box.get(b"a") == b"own"


def test_what_is_loaded_is_read_from_the_state_once() -> None:
    class Counting(MemoryState):
        reads = 0

        def get(self, key: bytes) -> bytes | None:
            self.reads += 1
            return super().get(key)

    state = Counting()
    box = Outbox("filtering", 3, state, NOW_US)
    box.load([b"a", b"a", b"b"])

    assert [box.get(b"a"), box.get(b"b")] == [None, None]
    assert state.reads == 0


def test_scan_shows_the_state_as_the_batch_leaves_it_in_key_order() -> None:
    state = MemoryState()
    state.apply({b"w/1": b"a", b"w/2": b"b", b"w/4": b"d", b"x": b"other"})
    box = Outbox("filtering", 3, state, NOW_US, pending={b"w/2": None})
    box.put(b"w/3", b"c")
    box.put(b"w/4", b"new")

    assert box.scan(b"w/", 9) == [(b"w/1", b"a"), (b"w/3", b"c"), (b"w/4", b"new")]
    assert box.scan(b"w/", 2) == [(b"w/1", b"a"), (b"w/3", b"c")]


async def test_account_of_a_tick_too_large_for_kafka_is_given_by_contracts_each_of_them_once() -> None:
    box = outbox()
    await tick(Talkative(), box)
    written = [output for output in box.outputs if output.topic == "account"]
    accounts = [orjson.loads(output.value or b"") for output in written]
    contracts = [contract for account in accounts for contract in account["ends"]]

    assert max(len(output.value or b"") for output in written) < 1_000_000
    assert sorted(contracts) == sorted(f"p/{contract}" for contract in range(100))
    assert {
        sum(len(of) for of in account["ends"][c]["held"].values()) for account in accounts for c in account["ends"]
    } == {2000}
    assert len({dict(output.headers)["ce_id"] for output in written}) == len(written) > 1
    assert sum(output.topic == "out" for output in box.outputs) == 2000


class Voluminous(StandIn):
    """Writes more than Kafka takes, for the record that says so."""

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        for record in records:
            account.end(record.offset, "-", "held", "seen")
            outbox.put(b"%d" % record.offset, b"seen")
            outbox.send("out", b"k", b"x" * 1_000_000 if record.value == b"large" else b"x")


async def test_record_whose_output_is_too_large_is_put_aside_with_that_reason_and_nothing_of_it_stays() -> None:
    box = outbox()
    await handle_each(Voluminous(), [row(1), row(2, b"large"), row(3)], box)
    told = [orjson.loads(output.value or b"") for output in box.outputs if output.topic == "in.quarantine"]

    assert [(value["offset"], value["code"], value["detail"]) for value in told] == [
        (2, "too-large", "output: over 921600 bytes")
    ]
    assert box.changes.keys() == {b"1", b"3"}
    assert [output.value for output in box.outputs if output.topic == "out"] == [b"x", b"x"]


class Ticking(StandIn):
    async def tick(self, outbox: Outbox, account: Account) -> bool:
        outbox.put(b"ticked", b"yes")
        if self.token == b"accounts":
            account.end(0, "-", "held", "seen")
        if self.token == b"waits":
            raise NotYet("policy-not-here")
        if self.token == b"raises":
            raise ValueError(CANARY)
        return True


@pytest.mark.parametrize(
    ("token", "changed", "accounts"),
    [(b"writes", True, 0), (b"accounts", True, 1), (b"waits", False, 0), (b"raises", False, 0)],
)
async def test_tick_keeps_all_or_nothing_and_accounts_only_for_ends(
    *, token: bytes, changed: bool, accounts: int, caplog: pytest.LogCaptureFixture
) -> None:
    box, agent = outbox(), Ticking()
    agent.token = token
    more = await tick(agent, box)

    assert more is changed
    assert (b"ticked" in box.changes) is changed
    assert sum(output.topic == "account" for output in box.outputs) == accounts
    assert CANARY.decode() not in caplog.text


class CountingState(MemoryState):
    """Counts what is read of it."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def scan(self, prefix: bytes, after: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        for entry in super().scan(prefix, after):
            self.read += 1
            yield entry


def test_scan_reads_no_further_than_it_must() -> None:
    state = CountingState()
    state.apply({b"d/%04d" % number: b"" for number in range(1000)})
    box = Outbox("filtering", 0, state, 1)
    box.put(b"d/0000", None)
    box.put(b"d/0001x", b"")

    assert [key for key, _ in box.scan(b"d/", 2)] == [b"d/0001", b"d/0001x"]
    assert state.read <= 5

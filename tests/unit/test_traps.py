"""The traps of Faust and its Kafka client (decisions/0005) that show without a broker, and our answer to each.

The others are in tests/integration/test_traps.py; of silence (6) also in test_liveness.py and test_vitals.py. Each test
fails if the answer is taken away.
"""

import asyncio
import pickle
from types import SimpleNamespace
from typing import Any, cast

import faust
import pytest
from faust.types import TP

from services.contract.changes import MAX_CHANGE_BYTES
from services.contract.topology import CHANGES
from services.filtering.agent import FilteringAgent
from services.filtering.subject import SUBJECT
from services.runtime.agent import handle_each
from services.runtime.records import UnreadableRecord
from services.runtime.transport import BatchingConsumer
from tests.replay.invented import MAIA, bytes_of, joins
from tests.unit.hosting import Hosting, StandInProducer
from tests.unit.stage_runs import Stage, book
from tests.unit.stand_in_agent import StandIn
from tests.unit.test_outbox import outbox


class FailsOnce(StandInProducer):
    """Its first transaction fails, and any later one would succeed."""

    async def begin_transaction(self) -> None:
        await super().begin_transaction()
        if not self.failed:
            self.failed = True
            raise ConnectionError

    failed = False


async def test_trap_01_what_an_agent_raises_on_is_put_aside_before_anything_is_acknowledged() -> None:
    async with Hosting(StandIn()) as at:
        at.take("in", b"a", b"raise", b"b")
        await at.until(lambda: at.state.next_offset("in") == 3)

        assert ("in.quarantine", 0, 1) in at.producer.sent
        assert [at.state.get(key) for key in (b"0", b"1", b"2")] == [b"seen", None, b"seen"]


async def test_trap_01_an_agent_that_raises_acknowledges_nothing_if_it_cannot_be_put_aside() -> None:
    async with Hosting(StandIn(), FailsOnce()) as at:
        at.take("in", b"raise")
        await at.until(lambda: bool(at.failures))

        assert at.state.next_offset("in") is None
    assert BatchingConsumer.ack(cast("Any", None), SimpleNamespace(acked=False)) is False


async def test_trap_03_one_reader_takes_what_comes_in_its_order(app: faust.App) -> None:
    assert {agent.concurrency for agent in app.agents.values()} == {1}


async def test_trap_03_no_batch_is_acknowledged_past_one_in_flight_before_it() -> None:
    async with Hosting(StandIn(), FailsOnce()) as at:
        at.producer.lets.clear()
        at.take("in", b"a", first=0)
        await at.until(lambda: at.partition.worklist.committing == 1)
        at.take("in", b"b", first=1)
        await at.until(lambda: at.partition.worklist.committing == 2)
        at.producer.lets.set()
        await at.until(lambda: len(at.failures) == 2)

        assert at.state.next_offset("in") is None
        assert at.producer.transactions == 0


async def test_trap_04_after_a_failed_commit_the_process_ends_and_the_state_is_as_before() -> None:
    async with Hosting(StandIn(), FailsOnce()) as at:
        at.state.apply({b"~offset/in": b"7"})
        at.take("in", b"a", first=7)
        await at.until(lambda: bool(at.failures))

        assert at.state.next_offset("in") == 7


async def test_trap_04_a_partition_goes_on_where_its_state_ends_whatever_was_read_of_it(consumer: Any) -> None:
    seeks: list[dict[TP, int]] = []
    tp = TP("in", 0)

    async def seek_wait(partitions: dict[TP, int]) -> None:
        seeks.append(partitions)

    consumer._thread = SimpleNamespace(seek_wait=seek_wait, assignment=lambda: {tp})
    consumer.positions = SimpleNamespace(
        next_offset=lambda _tp: 7, on_assignment=lambda assigned, _generation: consumer.go_on(assigned)
    )
    consumer._read_offset[tp] = 8
    await consumer.perform_seek()

    assert seeks == [{tp: 7}]
    assert consumer._read_offset[tp] is None


async def test_trap_07_a_rebalance_waits_neither_for_streams_nor_for_a_commit_that_hangs(app: faust.App) -> None:
    assert app.conf.stream_wait_empty is False
    async with Hosting(StandIn()) as at:
        at.producer.lets.clear()
        at.take("in", b"a")
        await at.until(lambda: at.partition.worklist.committing == 1)
        async with asyncio.timeout(1):
            await at.host.on_revocation()
            await at.host.on_assignment(set(), 1)

        assert at.host.partitions == {}
        at.take("in", b"b", first=1)
        assert at.agent.handled == [0]
    assert at.failures == []


async def test_trap_07_a_worker_that_comes_back_in_time_is_the_same_member(app: faust.App, consumer: Any) -> None:
    client = consumer._thread._create_worker_consumer(app.transport)
    await client.stop()

    assert client._group_instance_id == "w-1"


async def test_trap_07_a_rebalance_waits_for_a_commit_that_ends_in_time() -> None:
    async with Hosting(StandIn(), session_timeout_seconds=60) as at:
        at.producer.lets.clear()
        at.take("in", b"a")
        await at.until(lambda: at.partition.worklist.committing == 1)
        asyncio.get_running_loop().call_later(0.01, at.producer.lets.set)
        at.take("in", b"b", first=1)
        await at.host.on_revocation()

        assert at.state.next_offset("in") == 1
        assert at.agent.handled == [0]


async def test_trap_08_state_is_in_no_table_of_faust(app: faust.App) -> None:
    assert list(app.tables) == []


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param(bytes_of(joins()) + b" " * MAX_CHANGE_BYTES, "too-large", id="large"),
        pytest.param(b'{"version":NaN}', "not-json", id="not-a-number"),
        pytest.param(bytes_of(joins())[:-1] + b',"kind":"upsert"}', "not-json", id="a-key-twice"),
        pytest.param(b'{"kind":"\xff\xfe"}', "not-json", id="no-utf-8"),
        pytest.param(b"", "not-json", id="nothing"),
        pytest.param(b"[" * 100 + b"]" * 100, "not-json", id="nested-too-deep"),
    ],
)
async def test_trap_09_what_cannot_be_decoded_is_quarantined_and_nothing_else_with_it(value: bytes, code: str) -> None:
    stage = Stage(FilteringAgent(book()))
    await stage.take(CHANGES, (b"k", value), (MAIA, bytes_of(joins())), (b"k", value))

    assert stage.codes(CHANGES) == [code, code]
    assert stage.state.get(SUBJECT + MAIA) is not None


async def test_trap_09_nothing_but_bytes_is_decoded_by_faust_or_by_nobody(app: faust.App) -> None:
    box = outbox()
    await handle_each(StandIn(), [UnreadableRecord("in", 3, 9)], box)

    assert [output.topic for output in box.outputs] == ["in.quarantine"]
    assert {str(topic.value_serializer) for agent in app.agents.values() for topic in [agent.channel]} == {"raw"}


async def test_trap_09_where_the_client_cannot_decode_a_stand_in_goes_on_in_its_place(consumer: Any) -> None:
    tp, sought = TP("in", 0), list[dict[TP, int]]()

    async def undecodable(_timeout: float) -> None:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    async def seek_wait(partitions: dict[TP, int]) -> None:
        sought.append(partitions)

    consumer.bearings.void(tp)
    consumer._wait_next_records = undecodable
    consumer._thread = SimpleNamespace(
        limit=1, unreadable=lambda: (tp, 7), seek_wait=seek_wait, assignment=lambda: {tp}
    )
    handed = [message.value async for _, message in consumer.getmany(1.0)]

    assert [batch.records for batch in handed] == [[UnreadableRecord("in", 0, 7)]]
    assert sought == [{tp: 8}]


async def test_trap_11_nothing_of_the_worker_is_served_created_or_unpickled(app: faust.App) -> None:
    conf = app.conf

    assert (conf.web_enabled, conf.topic_disable_leader, conf.topic_allow_declare) == (False, True, False)
    assert (conf.key_serializer, conf.value_serializer) == ("raw", "raw")
    bomb = pickle.dumps({"a": 1})
    assert app.serializers.loads_value(bytes, bomb, serializer=conf.value_serializer) == bomb


async def test_trap_12_only_what_is_committed_is_read_and_by_no_driver_but_one(app: faust.App, consumer: Any) -> None:
    client = consumer._thread._create_worker_consumer(app.transport)

    assert client._isolation_level == "read_committed"
    assert client._enable_auto_commit is False
    assert {url.scheme for url in app.conf.broker} == {"kafka"}
    await client.stop()

"""What the console makes of the ends of topics: aborted transactions, and heartbeats among withdrawals."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from ops.broker.embedded import EmbeddedBroker
from ops.topics import apply_topics, wanted_topics
from services.console.history import History
from services.console.model import Model
from services.console.reading import Reading
from services.contract.account import Account
from services.contract.heartbeats import Heartbeat
from services.contract.topology import CONNECTORS_AUDIT, WITHDRAWALS
from services.runtime.policies import PolicyBook
from tests.replay.invented import bytes_of, example, policy

pytestmark = pytest.mark.broker

OPERATIONS = "provisioning.operations.gar.v1"
LOOK_SECONDS = 0.1
ERASED = orjson.dumps(example("withdrawal/1/consent-withdrawn"))


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110  # what is polled tells nobody
        await asyncio.sleep(0.05)
    return condition()


@pytest.fixture
async def model(own_broker: EmbeddedBroker, tmp_path: Path) -> AsyncIterator[Model]:
    apply_topics([own_broker.bootstrap], wanted_topics(["gar"], 2))
    made, book, history = Model(), PolicyBook("console"), History(tmp_path / "console.sqlite")
    book.apply(b"gar", bytes_of(policy()))
    reading = asyncio.create_task(Reading(own_broker.bootstrap, made, history, book, LOOK_SECONDS).run())
    yield made
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    history.close()


@pytest.fixture
async def producer(own_broker: EmbeddedBroker) -> AsyncIterator[AIOKafkaProducer]:
    made = AIOKafkaProducer(bootstrap_servers=own_broker.bootstrap, transactional_id="a-stage")
    await made.start()
    yield made
    await made.stop()


async def write(producer: AIOKafkaProducer, number: int, *, commit: bool) -> int:
    """So many operations in one transaction; the offset of the first."""
    await producer.begin_transaction()
    sent = [await producer.send_and_wait(OPERATIONS, b"{}", b"name", partition=0) for _ in range(number)]
    await (producer.commit_transaction() if commit else producer.abort_transaction())
    return int(sent[0].offset)


async def test_provider_is_not_stalled_before_aborted_records_and_is_before_a_committed_one(
    model: Model, producer: AIOKafkaProducer
) -> None:
    first = await write(producer, 1, commit=True)
    account = Account("connectors", OPERATIONS, 0, 1)
    account.end(first, "gar/GAR-2026", "released", "delivered")
    entry = account.entry((first, first), datetime.now(UTC), {"gar": 1}).model_dump_json(exclude_unset=True)
    await producer.begin_transaction()
    await producer.send_and_wait(CONNECTORS_AUDIT, entry.encode(), partition=0)
    await producer.commit_transaction()
    await write(producer, 3, commit=False)

    # The record and its mark, three that are aborted, and the mark that says so.
    assert await until(lambda: model.watching.positions.get((OPERATIONS, 0), (0, 0))[0] == first + 6)
    assert await until(lambda: model.watching.by_topic(0.0)[OPERATIONS].records == 0)

    await write(producer, 2, commit=False)
    waiting = await write(producer, 1, commit=True)

    assert await until(lambda: model.watching.positions[OPERATIONS, 0].next == waiting)
    assert await until(lambda: model.watching.by_topic(0.0)[OPERATIONS][:2] == ("stalled", 1))


async def test_heartbeat_grows_old_though_withdrawals_move_its_lane(model: Model, producer: AIOKafkaProducer) -> None:
    def age() -> float | None:
        return model.watching.beat_seconds().get(WITHDRAWALS, {}).get(1)

    beat = Heartbeat(partition=1, applied_until=datetime.now(UTC) - timedelta(seconds=20))
    for value, key in ((beat.model_dump_json().encode(), None), (ERASED, b"999000001AB")):
        await producer.begin_transaction()
        await producer.send_and_wait(WITHDRAWALS, value, key, partition=1)
        await producer.commit_transaction()

    assert await until(lambda: (age() or 0.0) >= 20.0)
    before = age() or 0.0
    await producer.begin_transaction()
    await producer.send_and_wait(WITHDRAWALS, ERASED, b"999000001AB", partition=1)
    await producer.commit_transaction()
    assert await until(lambda: (age() or 0.0) > before + 0.5)

    fresh = Heartbeat(partition=1, applied_until=datetime.now(UTC))
    await producer.begin_transaction()
    await producer.send_and_wait(WITHDRAWALS, fresh.model_dump_json().encode(), partition=1)
    await producer.commit_transaction()
    assert await until(lambda: (age() or 99.0) < 20.0)

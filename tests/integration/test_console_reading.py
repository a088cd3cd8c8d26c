"""What the console makes of real stages: that they have read past aborted transactions, and how old heartbeats are."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from ops.broker.embedded import EmbeddedBroker
from services.console.history import History
from services.console.model import Model
from services.console.reading import Reading
from services.console.watching import watched_topics
from services.contract.topology import WITHDRAWALS
from services.runtime.policies import PolicyBook
from tests.integration.pipeline_people import policies
from tests.integration.pipeline_stages import Stages, installation
from tests.replay.invented import example

pytestmark = pytest.mark.broker

OPERATIONS = "provisioning.operations.gar.v1"
EXPRESS = "provisioning.withdrawals.gar.v1"
LOOK_SECONDS = 0.1
ABORTED = 3


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110  # what is polled tells nobody
        await asyncio.sleep(0.05)
    return condition()


@pytest.fixture(scope="module")
def stages(own_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with installation(own_broker.bootstrap, tmp_path_factory.mktemp("console"), ("gar",), partitions=1) as made:
        made.publish(message for message in policies() if message[1] == b"gar")
        for name in made.names:
            made.start(name)
        yield made


@pytest.fixture
async def model(stages: Stages, tmp_path: Path) -> AsyncIterator[Model]:
    made, book, history = Model(), PolicyBook("console"), History(tmp_path / "console.sqlite")
    for _, key, value in policies():
        if key == b"gar":
            book.apply(key, value)
    reading = asyncio.create_task(Reading(stages.bootstrap, made, history, book, LOOK_SECONDS).run())
    yield made
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    history.close()


@pytest.fixture
async def producer(stages: Stages) -> AsyncIterator[AIOKafkaProducer]:
    made = AIOKafkaProducer(bootstrap_servers=stages.bootstrap, transactional_id="a-stage")
    await made.start()
    yield made
    await made.stop()


async def write(producer: AIOKafkaProducer, topic: str, key: str, value: object, *, commit: bool = True) -> int:
    """One transaction; the offset of its record."""
    await producer.begin_transaction()
    sent = await producer.send_and_wait(topic, orjson.dumps(value), key.encode(), partition=0)
    await (producer.commit_transaction() if commit else producer.abort_transaction())
    return int(sent.offset)


async def test_no_stage_is_stalled_before_aborted_records_and_a_connector_is_before_one_that_it_cannot_tell(
    model: Model, producer: AIOKafkaProducer
) -> None:
    def records() -> dict[str, int]:
        return {topic: behind.records for topic, behind in model.watching.by_topic(0.0).items()}

    def positions() -> dict[str, int]:
        return {topic: position.next for (topic, _), position in model.watching.positions.items() if topic in last}

    last = {}
    for topic in watched_topics(["gar"]):
        for _ in range(ABORTED):
            last[topic] = await write(producer, topic, "nobody", {}, commit=False)
    # Behind the last aborted record stands the mark that says so.
    assert await until(lambda: positions() == {topic: offset + 2 for topic, offset in last.items()})
    assert await until(lambda: records() == dict.fromkeys(last, 0))

    told = example("operation/1/upsert-pupil", provider="gar", policy_version=99)
    waiting = await write(producer, OPERATIONS, str(told["pseudonym"]), told)
    assert await until(lambda: model.watching.by_topic(0.0)[OPERATIONS][:2] == ("stalled", 1))

    applied = model.watching.applied[EXPRESS, 0]
    assert await until(lambda: model.watching.applied[EXPRESS, 0] > applied)
    assert model.watching.positions[OPERATIONS, 0].next == waiting
    assert model.watching.by_topic(0.0)[OPERATIONS][:2] == ("stalled", 1)


async def test_heartbeat_grows_old_though_withdrawals_move_its_lane(
    model: Model, producer: AIOKafkaProducer, stages: Stages
) -> None:
    def position() -> int:
        return model.watching.positions.get((WITHDRAWALS, 0), (0, 0))[0]

    assert await until(lambda: (WITHDRAWALS, 0) in model.watching.applied)
    await asyncio.to_thread(stages.stop, "filtering")
    erased = example("withdrawal/1/consent-withdrawn", provider="gar", contract="GAR-2026")
    first = await write(producer, WITHDRAWALS, str(erased["subject"]), erased)
    assert await until(lambda: position() > first)
    applied = model.watching.applied[WITHDRAWALS, 0]

    second = await write(producer, WITHDRAWALS, str(erased["subject"]), {**erased, "seq": erased["seq"] + 1})

    assert await until(lambda: position() > second)
    assert model.watching.applied[WITHDRAWALS, 0] == applied
    assert model.watching.beat_seconds(applied + 31.0)[WITHDRAWALS] == {0: 31.0}
    stages.start("filtering")
    assert await until(lambda: model.watching.applied[WITHDRAWALS, 0] > applied)

"""A partition's store against its changelog on a real broker."""

import asyncio
import json
import logging
import random
import time
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from kafka.admin import KafkaAdminClient

from ops.benchmarks.memory_state import MemoryState
from services.contract.errors import StoreInUse, Unreachable
from services.runtime import rebuild
from services.runtime.outbox import Outbox
from services.runtime.partition import Partition, open_partition
from services.runtime.rebuild import catch_up
from services.runtime.sender import Sender
from services.runtime.settings import Settings
from services.runtime.store import PartitionStore
from tests.unit.stand_in_agent import StandIn

pytestmark = pytest.mark.broker

SEED = 20261124


class Changelog:
    """A stage with a changelog of its own, and what its state ought to be."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self._bootstrap, self._folder = bootstrap, folder
        self.agent = StandIn()
        self.agent.changelog = f"state.{uuid4()}"
        self.agent.group = self.agent.changelog
        self.model = MemoryState()
        self._sender = Sender()
        self._chance = random.Random(SEED)  # noqa: S311  # the same history again
        self.make()

    def settings(self, worker: str) -> Settings:
        return Settings(KAFKA_BOOTSTRAP=self._bootstrap, work_folder=self._folder / worker)

    def make(self) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self._bootstrap)
        compacted = {"num_partitions": 1, "replication_factor": 1, "configs": {"cleanup.policy": "compact"}}
        admin.create_topics({self.agent.changelog: compacted})
        admin.close()

    def remake(self) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self._bootstrap)
        admin.delete_topics([self.agent.changelog])
        deadline = time.monotonic() + 10
        while self.agent.changelog in admin.list_topics():
            assert time.monotonic() < deadline
        admin.close()
        self.make()

    async def open(self, worker: str) -> Partition:
        return await open_partition(self.agent, self.settings(worker), self._sender, 0)

    async def commit(self, partition: Partition, batches: int = 1, size: int = 100) -> None:
        """Batches that put and remove among 500 keys."""
        for _ in range(batches):
            outbox = Outbox("filtering", 0, partition.state, 0)
            for _ in range(size):
                key = b"s/%03d" % self._chance.randrange(500)
                outbox.put(key, None if self._chance.random() < 0.3 else self._chance.randbytes(500))
            position = (partition.state.next_offset("in") or 0) + size
            await partition.commit(outbox, {"in": position})
            self.model.apply(outbox.changes)
            self.model.apply({b"~offset/in": str(position).encode()})

    async def begin_and_abort(self, partition: Partition) -> None:
        await partition.producer.begin_transaction()
        await partition.producer.send_and_wait(self.agent.changelog, b"never", b"s/never", partition=0)
        await partition.producer.abort_transaction()

    def is_in(self, store: PartitionStore) -> bool:
        return list(store.scan(b"", None)) == list(self.model.scan(b"", None))


@pytest.fixture
def changelog(bootstrap: str, tmp_path: Path) -> Changelog:
    return Changelog(bootstrap, tmp_path)


def said(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, object]]:
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "sanctuaire"]
    return [line for line in lines if line["event"] == event]


@pytest.fixture(autouse=True)
def _journal(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sanctuaire")


async def test_another_worker_rebuilds_what_was_committed_and_nothing_of_what_was_not(changelog: Changelog) -> None:
    partition = await changelog.open("first")
    await changelog.commit(partition, batches=20)
    await partition.sender.run(changelog.begin_and_abort(partition))
    await changelog.commit(partition, batches=2)
    with closing(await catch_up(changelog.agent, changelog.settings("second"), 0)) as store:
        assert changelog.is_in(store)
        assert changelog.is_in(partition.state)
        assert store.next_offset("in") == 2200
    await partition.close()


async def test_worker_that_comes_back_has_nothing_to_read(
    changelog: Changelog, caplog: pytest.LogCaptureFixture
) -> None:
    partition = await changelog.open("first")
    await changelog.commit(partition, batches=3)
    await changelog.commit(partition, size=3000)  # several batches of 512 KiB in one transaction
    await partition.close()
    again = await changelog.open("first")

    assert [line["records"] for line in said(caplog, "rebuilt")] == [0, 0]
    assert changelog.is_in(again.state)
    await again.close()


async def test_worker_that_was_away_learns_of_what_was_removed_meanwhile(
    changelog: Changelog, caplog: pytest.LogCaptureFixture
) -> None:
    partition = await changelog.open("first")
    await changelog.commit(partition, batches=5)
    await partition.close()
    other = await changelog.open("second")
    outbox = Outbox("filtering", 0, other.state, 0)
    for key, _ in changelog.model.scan(b"s/", None):
        outbox.put(key, None)
    await other.commit(outbox, {})
    await other.close()
    again = await changelog.open("first")

    assert [key for key, _ in again.state.scan(b"", None)] == [b"~offset/in"]
    assert said(caplog, "rebuilt")[-1]["records"] == len(outbox.changes)
    assert said(caplog, "thrown-away") == []
    await again.close()


class Interruption(logging.Handler):
    """Cancels a task at the first word of its progress."""

    task: asyncio.Task[PartitionStore]

    def emit(self, record: logging.LogRecord) -> None:
        if '"event":"rebuilding"' in record.getMessage():
            self.task.cancel()


async def test_interrupted_rebuild_goes_on_where_it_stopped(
    changelog: Changelog, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    partition = await changelog.open("first")
    await changelog.commit(partition, batches=30, size=400)  # 6 MB: several fetches
    monkeypatch.setattr(rebuild, "PROGRESS_SECONDS", 0.0)
    interruption = Interruption()
    logging.getLogger("sanctuaire").addHandler(interruption)
    try:
        interruption.task = asyncio.create_task(catch_up(changelog.agent, changelog.settings("second"), 0))
        with pytest.raises(asyncio.CancelledError):
            await interruption.task
    finally:
        logging.getLogger("sanctuaire").removeHandler(interruption)
    of = said(caplog, "rebuilding")[-1]["of"]
    with closing(await catch_up(changelog.agent, changelog.settings("second"), 0)) as store:
        left = said(caplog, "rebuilding")[-1]["of"]
        assert isinstance(of, int)
        assert isinstance(left, int)
        assert 0 < left < of
        assert changelog.is_in(store)
    await partition.close()


async def test_changelog_made_anew_is_followed_from_its_beginning(
    changelog: Changelog, caplog: pytest.LogCaptureFixture
) -> None:
    partition = await changelog.open("first")
    await changelog.commit(partition)
    await partition.close()
    changelog.remake()
    changelog.model = MemoryState()
    anew = await changelog.open("first")
    assert changelog.is_in(anew.state)
    await changelog.commit(anew, batches=2)

    assert changelog.is_in(anew.state)
    assert [line["code"] for line in said(caplog, "thrown-away")] == ["other-topic"]
    await anew.close()


async def test_store_beyond_the_changelogs_end_is_thrown_away(
    changelog: Changelog, caplog: pytest.LogCaptureFixture
) -> None:
    partition = await changelog.open("first")
    await changelog.commit(partition)
    assert partition.state.mark is not None
    partition.state.apply({b"s/never": b"1"}, partition.state.mark.offset + 1000, partition.state.mark.at_ms)
    await partition.close()
    again = await changelog.open("first")

    assert [line["code"] for line in said(caplog, "thrown-away")] == ["beyond-end"]
    assert changelog.is_in(again.state)
    await again.close()


async def test_folder_that_another_worker_has_is_refused_and_its_partition_let_go(changelog: Changelog) -> None:
    with closing(await catch_up(changelog.agent, changelog.settings("first"), 0)), pytest.raises(StoreInUse):
        await changelog.open("first")


async def test_changelog_that_is_not_there_is_said(changelog: Changelog) -> None:
    changelog.agent.changelog = "nobody"
    with pytest.raises(Unreachable, match="nobody is not there"):
        await changelog.open("first")

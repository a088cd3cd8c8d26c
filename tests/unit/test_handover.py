"""A host whose partitions come and go, and are taken over by others before it knows."""

import asyncio

import pytest
from aiokafka.errors import IllegalOperation, ProducerFenced
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from tests.unit.hosting import Hosting, StandInProducer
from tests.unit.stand_in_agent import StandIn


async def assign(at: Hosting[StandIn], generation: int) -> None:
    await at.host.on_assignment(at.lanes, generation)
    await at.until(lambda: at.consumer.fetched == at.lanes)


async def fence(at: Hosting[StandIn]) -> None:
    """Let a commit fail because another has taken the partition over."""
    at.producer.error = ProducerFenced()
    at.take("in", b"a")
    await at.until(lambda: not at.host.partitions)
    at.producer.error = None


async def turns() -> None:
    """Let everything that can go on go on."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_partition_that_another_took_over_is_opened_anew_once_it_is_assigned_again() -> None:
    async with Hosting(StandIn(), session_timeout_seconds=60) as at:
        await assign(at, 1)
        await fence(at)

        assert at.consumer.fetched == set()
        assert at.state.next_offset("in") is None
        await at.host.on_revocation()
        await assign(at, 2)
        at.take("in", b"a")
        await at.until(lambda: at.state.next_offset("in") == 1)
        assert list(at.host.partitions.values()) == at.opened
    assert at.failures == []


class FencedBetween(StandInProducer):
    """It is fenced while it sends: what it has sent fails, and the client lets nothing more be sent."""

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[RecordMetadata]:
        if self.sent:
            raise IllegalOperation
        self.sent.append((topic, partition, batch.record_count()))
        failed: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        failed.set_exception(ProducerFenced())
        return failed


async def test_fence_is_known_for_one_even_where_the_client_names_what_followed() -> None:
    async with Hosting(StandIn(), FencedBetween(), session_timeout_seconds=60) as at:
        at.take("in", b"a")
        await at.until(lambda: not at.host.partitions)

    assert at.failures == []


async def test_partition_that_another_took_over_and_was_given_is_not_opened_again() -> None:
    async with Hosting(StandIn(), session_timeout_seconds=60) as at:
        await assign(at, 1)
        await fence(at)
        await at.host.on_revocation()
        await at.host.on_assignment(set(), 2)
        await turns()

        assert at.opened == []
    assert at.failures == []


async def test_process_ends_where_another_took_over_and_nobody_divides_anew() -> None:
    async with Hosting(StandIn(), session_timeout_seconds=0.01) as at:
        await assign(at, 1)
        await fence(at)
        await at.until(lambda: bool(at.failures))

    assert isinstance(at.failures[0], ProducerFenced)


@pytest.mark.parametrize("told", ["before-the-fence", "after-the-fence"])
async def test_process_stays_while_partitions_are_divided_anew(told: str) -> None:
    async with Hosting(StandIn(), session_timeout_seconds=0.01) as at:
        await assign(at, 1)
        at.producer.lets.clear()
        at.producer.error = ProducerFenced()
        at.take("in", b"a")
        await at.until(lambda: at.host.partitions[0].worklist.committing == 1)
        if told == "before-the-fence":
            await at.host.on_revocation()
        at.producer.lets.set()
        await at.until(lambda: not at.host.partitions)
        if told == "after-the-fence":
            await at.host.on_revocation()
        await asyncio.sleep(0.05)  # longer than it would have waited

        assert at.failures == []


@pytest.mark.parametrize(("generation", "anew"), [(7, False), (8, False), (9, True), (3, True)])
async def test_partition_is_kept_only_where_nobody_can_have_had_it_meanwhile(generation: int, anew: bool) -> None:  # noqa: FBT001  # a row
    async with Hosting(StandIn()) as at:
        await assign(at, 7)
        at.opened.clear()
        await at.host.on_revocation()
        await at.host.on_assignment(at.lanes, generation)
        await turns()

        assert len(at.opened) == anew
        assert at.consumer.fetched == at.lanes


async def test_partition_that_is_being_opened_is_let_go_before_partitions_are_divided_anew() -> None:
    async with Hosting(StandIn(), session_timeout_seconds=60) as at:
        at.host.partitions.clear()
        ended: list[str] = []

        async def for_ever() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("opening")

        at.opening = for_ever
        await at.host.on_assignment(at.lanes, 1)
        await turns()
        await at.host.on_revocation()

        assert ended == ["opening"]
        at.opening = None
        await assign(at, 2)
    assert at.failures == []


async def test_partition_given_up_while_it_is_opened_is_closed_even_if_the_client_swallows_that() -> None:
    async with Hosting(StandIn(), session_timeout_seconds=60) as at:
        at.host.partitions.clear()

        async def swallowing() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                at.opening = None

        at.opening = swallowing
        await at.host.on_assignment(at.lanes, 1)
        await turns()
        await at.host.on_assignment(set(), 2)
        await at.until(lambda: len(at.opened) == 1)
        await turns()

        assert at.host.partitions == {}
        assert at.consumer.fetched == set()
        await assign(at, 3)
        assert list(at.host.partitions.values()) == at.opened[1:]
    assert at.failures == []


async def test_partition_is_opened_again_only_once_all_that_was_open_of_it_is_closed() -> None:
    async with Hosting(StandIn(), session_timeout_seconds=60) as at:
        at.producer.lets.clear()
        at.take("in", b"a")
        await at.until(lambda: at.partition.worklist.committing == 1)
        for generation in (1, 2, 3):
            await at.host.on_assignment(set(), generation)
            await at.host.on_assignment(at.lanes, generation)
            await turns()

        assert at.opened == []
        at.producer.lets.set()
        await at.until(lambda: at.consumer.fetched == at.lanes)
        assert len(at.opened) == 1
        assert at.state.next_offset("in") == 1
    assert at.failures == []

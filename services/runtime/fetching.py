"""The Kafka client below Faust's consumer, in its thread: how it divides, fetches and waits."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import aiokafka
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.transport.drivers import aiokafka as driver
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, server_list
from faust.types import TP

from services.contract.errors import Unreachable
from services.runtime.records import CaughtUp, FetchedRecord

FETCH_BYTES = 4 * 1024 * 1024
"""Of one partition: the client asks for more of it only once all of these are taken."""
FETCH_WAIT_SECONDS = 0.05
FETCH_LEAST_BYTES = 1024 * 1024
"""The broker answers once it has so much, or after so long: a fetch and a transaction for each record that comes would
cost more than the records do (measured at half load: a fifth of two cores, and twice the time to the provider).
One fetch is in flight a node: it also holds up what has come since it was sent, the express lanes too."""
NOTE_SECONDS = 0.2
"""A fetch that finds nothing but the ends of transactions moves on, and waits: how soon it is noted that it did."""


class WholeAssignor(RangePartitionAssignor):
    """Range, which keeps partitions of one number together over all topics; round-robin, Faust's choice, does not.

    It divides no topic that the metadata lacks, as just after a broker's start: range would give that topic's
    partitions to nobody, and a static member that is killed then takes the empty share back for good.
    """

    @classmethod
    def assign(cls, cluster: Any, members: Any) -> Any:
        topics = {topic for member in members.values() for topic in member.subscription}
        if unknown := [topic for topic in topics if not cluster.partitions_for_topic(topic)]:
            message = f"the cluster's metadata does not know {len(unknown)} of {len(topics)} topics yet"
            raise Unreachable(message)
        return super().assign(cluster, members)


class _Fetches(dict[Any, Any]):
    """The fetches that the client holds ready: each is told to make records of ours."""

    def __setitem__(self, tp: Any, fetch: Any) -> None:
        if records := getattr(fetch, "_partition_records", None):  # else it holds an error
            records._consumer_record = _record
        super().__setitem__(tp, fetch)


def _record(tp: Any, record: Any) -> FetchedRecord:
    return FetchedRecord(
        tp.topic, tp.partition, record.offset, record.timestamp, record.key, record.value, record.headers
    )


class _Consumer(aiokafka.AIOKafkaConsumer):
    async def start(self) -> None:
        await super().start()  # type: ignore[no-untyped-call]  # aiokafka types only a part of itself
        fetcher: Any = self._fetcher
        fetcher._records = _Fetches(fetcher._records)


class Fetched(NamedTuple):
    """What one fetch has found, and its number, which is greater than that of any fetch before."""

    records: Mapping[TP, Sequence[Any]]
    number: int


NOTHING_FETCHED: Final = Fetched({}, 0)


class ReadCommittedThread(AIOKafkaConsumerThread):
    """The consumer in its thread, with the settings that Faust does not let one choose."""

    limit: int | None = None
    """Records a fetch may yield, while an unreadable one is closed in on; null otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._number = 0
        self._handed: dict[TP, tuple[int | None, int]] = {}
        """Of each partition, its position after the last fetch, and the number of the last that had records of it."""
        super().__init__(*args, **kwargs)

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Any,
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Any:
        until = time.monotonic() + (timeout or 0.0)
        while True:
            wait = min(NOTE_SECONDS, max(0.0, until - time.monotonic()))
            found = await super()._fetch_records(consumer, active_partitions, wait, self.limit or max_records)
            self._number += 1
            fetched = Fetched({TP(*tp): records for tp, records in found.items() if records}, self._number)
            self._note(active_partitions, fetched)
            if fetched.records or not wait or not self.consumer.flow_active:
                return fetched

    def _note(self, active_partitions: Iterable[TP], fetched: Fetched) -> None:
        for tp in {*active_partitions, *fetched.records}:
            state = self._state_of(tp)
            position = state.position if state and state.has_valid_position else None
            last = self._handed.get(tp, (None, 0))[1]
            self._handed[tp] = (position, fetched.number if tp in fetched.records else last)

    def caught_up(self, tp: TP, taken: int) -> CaughtUp | None:
        """When the broker last said where this partition ends, and where, if all that it then held has been taken over.

        `taken` numbers the last fetch with records of it that has arrived: one may be on its way between threads.
        """
        state = self._state_of(tp)
        if state is None or state.lso is None or not state.has_valid_position:
            return None
        # In this order: a fetch moves the position first, and is noted last.
        position, at_ms = state.position, state.timestamp
        if position < state.lso or self._handed.get(tp) != (position, taken):
            return None
        return CaughtUp(int(at_ms), position)

    def _state_of(self, tp: TP) -> Any:
        assignment = self._ensure_consumer()._subscription.subscription.assignment
        return assignment and assignment.state_value(driver.ensure_aiokafka_TP(tp))

    def unreadable(self) -> tuple[TP, int]:
        """Where the record lies at which decoding has just raised: its iterator is the one that was closed."""
        fetcher: Any = self._ensure_consumer()._fetcher
        return next(
            (TP(*tp), result._partition_records.next_fetch_offset)
            for tp, result in fetcher._records.items()
            if getattr(result, "_partition_records", None) and not result._partition_records._records_iterator.gi_frame
        )

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        return _Consumer(  # type: ignore[no-untyped-call]  # as above
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[WholeAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 300) * 1000),
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_min_bytes=FETCH_LEAST_BYTES,
            fetch_max_wait_ms=int(FETCH_WAIT_SECONDS * 1000),
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            isolation_level="read_committed",
            metadata_max_age_ms=30_000,
        )

"""One operation in flight per pseudonym: lanes share the partition's lock, and a provider is told within it."""

import asyncio
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from services.connectors.agent import ConnectorAgent
from services.connectors.provider import Sink
from services.connectors.words import Word
from services.contract.outcomes import OutcomeCode
from services.runtime.host import Host
from services.runtime.records import Batch
from tests.replay.invented import contract_with, policy
from tests.replay.rows import Row
from tests.unit.connector_runs import DELETES, UPSERTS, Message, delete, heartbeat, upsert
from tests.unit.stage_runs import book
from tests.unit.test_host import StandInConsumer, StandInPartition

NAMES = ("a" * 32, "b" * 32)
ENDLESS = policy(contracts=contract_with(until=None))


class SlowProvider:
    """Answers after a while, and notes who was under way when."""

    def __init__(self) -> None:
        self.under_way: set[str] = set()
        self.overlaps: list[str] = []
        self.journal: list[tuple[str, str, int]] = []
        self.calls = 0

    async def deliver(self, words: Sequence[Word], sink: Sink) -> Sequence[OutcomeCode]:  # noqa: ARG002  # the port's
        self.calls += 1
        await asyncio.gather(*[self._tell(word) for word in words])
        return ["delivered"] * len(words)

    async def _tell(self, word: Word) -> None:
        if word.pseudonym in self.under_way:
            self.overlaps.append(word.pseudonym)
        self.under_way.add(word.pseudonym)
        self.journal.append(("begins", word.pseudonym, word.seq))
        for _ in range(3):
            await asyncio.sleep(0)
        self.journal.append(("ends", word.pseudonym, word.seq))
        self.under_way.discard(word.pseudonym)


def batch(topic: str, first: int, messages: Sequence[Message]) -> Batch:
    return Batch(topic, 0, 1, [Row(topic, 0, first + n, 0, key, value) for n, (key, value) in enumerate(messages)])


async def told(normal: Sequence[Sequence[Message]], express: Sequence[Sequence[Message]]) -> SlowProvider:
    """Both lanes read at the same time, as the app's agents do."""
    provider, partition = SlowProvider(), StandInPartition()
    host = Host(cast("Any", ConnectorAgent("gar", provider, book(ENDLESS))), cast("Any", None), cast("Any", None))
    host.app = SimpleNamespace(consumer=StandInConsumer())
    host.partitions[0] = cast("Any", partition)

    async def lane(topic: str, batches: Sequence[Sequence[Message]]) -> None:
        first = 1
        for messages in batches:
            await host.process(batch(topic, first, messages))
            first += len(messages)

    await host.process(batch(DELETES, 0, [heartbeat(time.time_ns() // 1000)]))
    await asyncio.gather(lane(UPSERTS, normal), lane(DELETES, express))
    return provider


async def test_erase_begins_after_the_upsert_has_ended() -> None:
    provider = await told([[upsert(10)]], [[delete(9)], [delete(11)]])

    assert provider.overlaps == []
    assert provider.journal == [
        ("begins", "a" * 32, 10), ("ends", "a" * 32, 10), ("begins", "a" * 32, 11), ("ends", "a" * 32, 11),
    ]  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4), max_size=6),
    st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4), max_size=6),
)
def test_no_two_operations_of_one_pseudonym_are_ever_under_way(
    normal: list[list[str]], express: list[list[str]]
) -> None:
    seqs = iter(range(1, 100))
    upserts = [[upsert(next(seqs), name) for name in names] for names in normal]
    deletes = [[delete(next(seqs), name) for name in names] for names in express]

    assert asyncio.run(told(upserts, deletes)).overlaps == []

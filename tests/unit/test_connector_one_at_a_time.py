"""One operation in flight per pseudonym: a partition decides one batch at a time, and a provider is told within it."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.connectors.agent import ConnectorAgent
from services.connectors.provider import Sink
from services.connectors.words import Word
from services.contract.outcomes import OutcomeCode
from tests.replay.invented import contract_with, policy
from tests.unit.connector_runs import DELETES, UPSERTS, Message, delete, heartbeat, upsert
from tests.unit.hosting import Hosting
from tests.unit.stage_runs import book

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


async def told(normal: Sequence[Sequence[Message]], express: Sequence[Sequence[Message]]) -> SlowProvider:
    """The normal lane is read first; the express lane as soon as the provider is busy."""
    provider = SlowProvider()
    async with Hosting(ConnectorAgent("gar", provider, book(ENDLESS))) as at:
        at.hear(DELETES, [heartbeat(time.time_ns() // 1000)], 0)
        await at.until(lambda: at.state.next_offset(DELETES) == 1)
        ends = {UPSERTS: lane(at, UPSERTS, normal), DELETES: 1}
        if normal:
            await at.until(lambda: provider.calls > 0)
        ends[DELETES] = lane(at, DELETES, express)
        await at.until(lambda: all((at.state.next_offset(topic) or 1) == end for topic, end in ends.items()))
    return provider


def lane(at: Hosting[Any], topic: str, batches: Sequence[Sequence[Message]]) -> int:
    """Hand over all batches of a lane; where it ends."""
    first = 1
    for messages in batches:
        at.hear(topic, messages, first)
        first += len(messages)
    return first


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

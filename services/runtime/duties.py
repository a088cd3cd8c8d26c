"""What a partition does beside its batches: what time asks for, and what rests on other policies than today's."""

from collections.abc import Callable
from datetime import datetime
from itertools import islice

from services.runtime.agent import Agent, NotYet, sweep_each, tick
from services.runtime.outbox import Outbox
from services.runtime.partition import Partition
from services.runtime.state import SWEEP

SWEEP_CHUNK = 500


async def tick_once(agent: Agent, partition: Partition, outbox: Outbox) -> bool:
    """Do what is due by time; whether that is anything to commit."""
    if await tick(agent, outbox):
        partition.worklist.add("tick")
    return outbox.size > 0


async def sweep_chunk(
    agent: Agent, partition: Partition, now: datetime, outbox_of: Callable[[], Outbox]
) -> Outbox | None:
    """Bring some of what is remembered up to what it now rests on; null where nothing is to be committed.

    The cursor is committed with it.
    """
    token = agent.sweep_token(now)
    done, after = swept(partition)
    if (done, after) == (token, b"end"):
        return None
    outbox = outbox_of()
    start = after if done == token and after else None
    chunk = list(islice(partition.state.scan(agent.swept, start), SWEEP_CHUNK))
    try:
        await sweep_each(agent, chunk, outbox)
    except NotYet:
        return None
    more = len(chunk) == SWEEP_CHUNK
    outbox.put(SWEEP, token + b" " + (chunk[-1][0] if more else b"end"))
    if more:
        partition.worklist.add("sweep")
    return outbox


def swept(partition: Partition) -> tuple[bytes, bytes]:
    """Which token the sweep has got to, and after which key it goes on."""
    token, _, after = (partition.state.get(SWEEP) or b"").partition(b" ")
    return token, after

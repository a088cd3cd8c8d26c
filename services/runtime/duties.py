"""What a partition does beside its batches: what time asks for, and what rests on other policies than today's."""

from services.runtime.agent import Agent, NotYet, sweep_each, tick
from services.runtime.outbox import Outbox
from services.runtime.schedule import Duty
from services.runtime.state import SWEEP

SWEEP_CHUNK = 500


async def attend(agent: Agent, duty: Duty, outbox: Outbox) -> bool:
    """Do it, or as much of it as one step takes; whether there is more to do at once."""
    return await (tick(agent, outbox) if duty == "tick" else _sweep_chunk(agent, outbox))


async def _sweep_chunk(agent: Agent, outbox: Outbox) -> bool:
    """Bring some of what is remembered up to what it now rests on. The cursor is committed with it."""
    token = agent.sweep_token(outbox.now)
    done, after = swept(outbox.get(SWEEP))
    if (done, after) == (token, b"end"):
        return False
    chunk = outbox.scan(agent.swept, SWEEP_CHUNK, after if done == token and after else None)
    start = outbox.savepoint()
    try:
        await sweep_each(agent, chunk, outbox)
    except NotYet:
        outbox.rollback(start)
        return False
    more = len(chunk) == SWEEP_CHUNK
    outbox.put(SWEEP, token + b" " + (chunk[-1][0] if more else b"end"))
    return more


def swept(kept: bytes | None) -> tuple[bytes, bytes]:
    """Which token the sweep has got to, and after which key it goes on; of what is kept under `SWEEP`."""
    token, _, after = (kept or b"").partition(b" ")
    return token, after

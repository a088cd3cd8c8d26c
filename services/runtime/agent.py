"""The one shape of every stage, and the loop that runs it over a partition."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.contract.account import Account
from services.contract.audit import Stage
from services.contract.errors import StoreFailed
from services.runtime import journal
from services.runtime.outbox import Outbox, OutputTooLarge
from services.runtime.records import Record, UnreadableRecord

MAX_ACCOUNT_BYTES = 768 * 1024
SLICE = 32
"""Records that an agent sees at a time: what they and their look-ups take stays in the processor's own cache.

A third of a record's whole cost, measured against batches of some hundred.
"""


class NotYet(Exception):
    """The batch cannot be decided yet: something that it names has not arrived. It is tried again whole."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Agent(Protocol):
    """A stage: decides with pure functions, and says through the outbox what follows.

    It keeps nothing of its own between batches: what it must remember it puts in the outbox's state.
    """

    stage: Stage
    group: str
    """Consumer group, and with the partition the transactional id."""
    lanes: tuple[str, ...]
    """Topics it reads, the express ones first; the partitions of the same number belong together."""
    express: int
    """How many of them are express: their batches go before all else."""
    changelog: str
    audit: str
    """Where the account of every batch goes."""
    swept: bytes
    """Which state entries rest on the policies: they are decided again when those change."""

    def policy_versions(self) -> Mapping[str, int]:
        """Provider → version, for the account."""

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        """Decide an ordered batch of one partition of one topic, and give the account of every record's end.

        Raises:
            NotYet: nothing was decided; the batch comes again.
            StoreFailed: nothing can be; the process ends.
        """

    async def tick(self, outbox: Outbox, account: Account) -> bool:
        """Do what time alone asks for, about once a second; `outbox.reached` says how far the lanes are.

        Returns whether there is more to do at once.
        """

    def sweep_token(self, now: datetime) -> bytes:
        """Names what every remembered decision rests on; when it changes, the partition is swept. Without a blank."""

    async def sweep(self, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox, account: Account) -> None:
        """Decide again some of what is remembered: state entries whose key begins with `swept`.

        The account's offsets are the entries' numbers, from 0.
        """


async def handle_each(agent: Agent, records: Sequence[Record], outbox: Outbox) -> None:
    """Handle a batch whole; if that raises, record by record, so that only the one that raises is put aside.

    Raises:
        NotYet: what came before it is in the outbox, and is to be rolled back.
    """
    if isinstance(records[0], UnreadableRecord):
        outbox.quarantine(records[0], "unreadable", "headers: not UTF-8")
        return
    start = outbox.savepoint()
    try:
        await _handle(agent, records, outbox)
    except (NotYet, StoreFailed):
        raise
    except Exception as error:  # noqa: BLE001  # a fault of ours must not stop the partition, nor lose a record
        journal.emit(journal.FAILED, stage=agent.stage, kind=type(error).__name__, where=journal.where(error))
        outbox.rollback(start)
        for record in records:
            await _handle_one(agent, record, outbox)


async def _handle(agent: Agent, records: Sequence[Record], outbox: Outbox) -> None:
    start = outbox.savepoint()
    account = Account(agent.stage, records[0].topic, outbox.partition, len(records))
    for first in range(0, len(records), SLICE):
        await agent.handle(records[first : first + SLICE], outbox, account)
    if account.is_empty:
        return
    size = _report(agent, outbox, account, (records[0].offset, records[-1].offset))
    if size > MAX_ACCOUNT_BYTES and len(records) > 1:
        # Many contracts and ends that alternate: two accounts of half the batch each, for Kafka takes no larger one.
        outbox.rollback(start)
        middle = len(records) // 2
        await _handle(agent, records[:middle], outbox)
        await _handle(agent, records[middle:], outbox)


async def _handle_one(agent: Agent, record: Record, outbox: Outbox) -> None:
    start = outbox.savepoint()
    try:
        await _handle(agent, [record], outbox)
    except (NotYet, StoreFailed):
        raise
    except Exception as error:  # noqa: BLE001  # as above
        outbox.rollback(start)
        if isinstance(error, OutputTooLarge):
            outbox.quarantine(record, error.code, str(error))
        else:
            outbox.quarantine(record, "unexpected", type(error).__name__)


async def tick(agent: Agent, outbox: Outbox) -> bool:
    """Let the agent do what is due; if that raises, nothing of it is kept, and the next second tries again."""
    start = outbox.savepoint()
    try:
        account = Account(agent.stage, "tick", outbox.partition, 0)
        more = await agent.tick(outbox, account)
        if not account.is_empty:
            _report_in_parts(agent, outbox, account)
    except NotYet:
        outbox.rollback(start)
    except StoreFailed:
        raise
    except Exception as error:  # noqa: BLE001  # a fault of ours must not end the process again at every second
        journal.emit(journal.FAILED, stage=agent.stage, kind=type(error).__name__, where=journal.where(error))
        outbox.rollback(start)
    else:
        return more
    return False


def _report_in_parts(agent: Agent, outbox: Outbox, account: Account, part: str = "") -> None:
    """Of a tick, which cannot be done again by halves as a batch can: some contracts first, then the others."""
    start = outbox.savepoint()
    span = (0, max(0, account.records - 1))
    size = outbox.report(agent.audit, account, span, agent.policy_versions(), part)
    if size > MAX_ACCOUNT_BYTES and account.contracts > 1:
        outbox.rollback(start)
        for number, half in enumerate(account.halves()):
            _report_in_parts(agent, outbox, half, f"{part}.{number}")


def _report(agent: Agent, outbox: Outbox, account: Account, span: tuple[int, int]) -> int:
    return outbox.report(agent.audit, account, span, agent.policy_versions())


async def sweep_each(agent: Agent, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox) -> None:
    """Sweep a chunk whole; if that raises, entry by entry, so that only the one that raises stays as it was."""
    if not entries:
        return
    start = outbox.savepoint()
    try:
        account = Account(agent.stage, "sweep", outbox.partition, len(entries))
        await agent.sweep(entries, outbox, account)
        size = _report(agent, outbox, account, (0, len(entries) - 1))
        if size > MAX_ACCOUNT_BYTES and len(entries) > 1:
            outbox.rollback(start)
            middle = len(entries) // 2
            await sweep_each(agent, entries[:middle], outbox)
            await sweep_each(agent, entries[middle:], outbox)
    except (NotYet, StoreFailed):
        raise
    except Exception as error:  # noqa: BLE001  # a fault of ours must not end the process again at every start
        journal.emit(journal.FAILED, stage=agent.stage, kind=type(error).__name__, where=journal.where(error))
        outbox.rollback(start)
        if len(entries) > 1:
            for entry in entries:
                await sweep_each(agent, [entry], outbox)

"""The smallest stage: it writes what it reads, fails at `raise`, and waits at `wait`."""

from collections.abc import Sequence
from datetime import datetime

from services.contract.account import Account
from services.contract.audit import Stage
from services.runtime.agent import NotYet
from services.runtime.outbox import Outbox
from services.runtime.records import Record

CANARY = b"ZORVELQUIMUR"


class StandIn:
    stage: Stage = "filtering"
    group = "stand-in"
    lanes: tuple[str, ...] = ("express", "in")
    express = 1
    changelog = "state"
    audit = "account"
    swept = b"s/"

    def __init__(self) -> None:
        self.token = b"t1"
        self.waits = True
        self.ticks = False
        self.handled: list[int] = []
        """Offsets, and -1 for each entry swept, in the order in which they were decided."""
        self.seen_before: list[list[bytes]] = []
        """Of each batch, which offsets its state already showed."""
        self.backlogs: list[set[str]] = []

    def policy_versions(self) -> dict[str, int]:
        return {}

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        self.seen_before.append([b"%d" % n for n in range(records[0].offset) if outbox.get(b"%d" % n)])
        self.backlogs.append(set(outbox.reached.backlog))
        for record in records:
            account.end(record.offset, "-", "held", "seen")
            outbox.put(str(record.offset).encode(), b"seen")
            outbox.send("out", str(record.offset).encode(), record.value)
            self._take(record.value or b"")
            self.handled.append(record.offset)

    async def tick(self, outbox: Outbox, account: Account) -> bool:  # noqa: ARG002  # nothing to account for
        if self.ticks:
            until, ends = outbox.reached.until_us, outbox.reached.ends
            outbox.put(b"ticked", ",".join(f"{one}={until[one]}/{ends[one]}" for one in sorted(until)).encode())
        return False

    def sweep_token(self, now: datetime) -> bytes:  # noqa: ARG002  # its token is set by hand
        return self.token

    async def sweep(self, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox, account: Account) -> None:
        for number, (key, value) in enumerate(entries):
            account.end(number, "-", "held", "swept")
            outbox.put(key, b"swept")
            self._take(value)
            self.handled.append(-1)

    def _take(self, value: bytes) -> None:
        if value.startswith(b"raise"):
            raise ValueError(value.decode())
        if value.startswith(b"wait") and self.waits:
            raise NotYet("policy-not-here")

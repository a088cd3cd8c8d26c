"""The real filter, but for its clock: who a row is about is decided at the row's moment, told by `moments.json`.

An operator has approved all that a policy erases at once, and nothing is stale: the rows know of neither.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson

from services.contract.account import Account
from services.filtering.agent import FilteringAgent
from services.filtering.guard import Everything
from services.filtering.receiving import Receiving
from services.filtering.subject import SUBJECT
from services.runtime.outbox import Outbox
from services.runtime.policies import PolicyBook
from services.runtime.records import Record
from services.runtime.settings import Settings
from services.runtime.stream import main


class RowFilter(FilteringAgent):
    """Hands one input after the other to the filter, with the hands of the clock where the row has them."""

    def __init__(self, policies: PolicyBook, work_folder: Path) -> None:
        super().__init__(policies)
        self._moments: dict[str, int] = orjson.loads((work_folder / "moments.json").read_bytes())

    def _deciding(self, outbox: Outbox, account: Account, *, express: bool, rotating: bool = False) -> Receiving:  # noqa: ARG002  # names never change here
        return Receiving(self.contracts(), outbox, account, express=express, approved=Everything(), stale=None)

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        for record in records:
            with self._at(record.key or b"", outbox):
                await super().handle([record], outbox, account)

    async def sweep(self, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox, account: Account) -> None:
        for number, entry in enumerate(entries):
            with self._at(entry[0].removeprefix(SUBJECT), outbox):
                alone = Account(self.stage, "sweep", outbox.partition, 1)
                await super().sweep([entry], outbox, alone)
            for contract, ends in alone.entry((0, 0), outbox.now, {}).ends.items():
                for end, reasons in ends.items():
                    for reason in reasons:
                        account.end(number, contract, end, reason)

    async def tick(self, outbox: Outbox, account: Account) -> bool:  # noqa: ARG002  # the clocks stand
        """Nothing: by the wall clock every consent of the rows would have run out."""
        return False

    @contextmanager
    def _at(self, key: bytes, outbox: Outbox) -> Iterator[None]:
        wall = outbox.now_us
        outbox.now_us = self._moments[key.decode()]
        yield
        outbox.now_us = wall


def build(settings: Settings, policies: PolicyBook) -> RowFilter:
    return RowFilter(policies, settings.work_folder)


if __name__ == "__main__":
    main("filtering", build)

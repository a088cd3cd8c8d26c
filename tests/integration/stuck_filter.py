"""The real filter, but for one batch in which it never comes back: as long as there is a file `stick`."""

import time
from collections.abc import Sequence
from pathlib import Path

from services.contract.account import Account
from services.filtering.agent import FilteringAgent
from services.runtime.outbox import Outbox
from services.runtime.policies import PolicyBook
from services.runtime.records import Record
from services.runtime.settings import Settings
from services.runtime.stream import main


class StuckFilter(FilteringAgent):
    def __init__(self, policies: PolicyBook, work_folder: Path) -> None:
        super().__init__(policies)
        self._stick = work_folder / "stick"

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        if self._stick.exists():
            self._stick.unlink()
            while True:
                time.sleep(0.01)  # noqa: ASYNC251  # the event loop is what it shall block
        await super().handle(records, outbox, account)


def build(settings: Settings, policies: PolicyBook) -> StuckFilter:
    return StuckFilter(policies, settings.work_folder)


if __name__ == "__main__":
    main("filtering", build)

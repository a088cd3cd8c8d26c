"""The real filter, but for its consents, of which none can be decided as long as there is a file `wait`."""

from collections.abc import Sequence

from services.contract.account import Account
from services.contract.topology import CONSENTS
from services.filtering.agent import FilteringAgent
from services.runtime.agent import NotYet
from services.runtime.outbox import Outbox
from services.runtime.policies import PolicyBook
from services.runtime.records import Record
from services.runtime.settings import Settings
from services.runtime.stream import main


class WaitingFilter(FilteringAgent):
    def __init__(self, policies: PolicyBook, settings: Settings) -> None:
        super().__init__(policies, settings.fresh_seconds)
        self._wait = settings.work_folder / "wait"

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        if records[0].topic == CONSENTS and self._wait.exists():
            raise NotYet("policy-not-here")
        await super().handle(records, outbox, account)


def build(settings: Settings, policies: PolicyBook) -> WaitingFilter:
    return WaitingFilter(policies, settings)


if __name__ == "__main__":
    main("filtering", build)

"""A filter whose time passes as it does in the runtime, for tests of what time and families change."""

from datetime import UTC, datetime
from typing import Any

from services.contract.consents import ConsentDecision
from services.contract.errors import Payload
from services.contract.policies import ProviderPolicy
from services.contract.topology import CHANGES, CONSENTS, FILTERING_AUDIT, MOVES, RELEASES, WITHDRAWALS
from services.filtering.agent import FilteringAgent
from services.filtering.expiry import DUE
from services.runtime.outbox import Reached
from tests.replay.invented import MAIA, bytes_of, consent, policy
from tests.unit.stage_runs import Stage, book, ends_of

NOE = "guardian:aaf-d99:999-2001"
GIVEN_AT = "2026-09-04T17:12:08+02:00"
READING = policy("consent-service")


def microseconds(instant: str) -> int:
    return round(datetime.fromisoformat(instant).timestamp() * 1_000_000)


class Clock:
    """A filter whose time passes as it does in the runtime: a sweep where the token is another, and a tick."""

    def __init__(self, start: str, *policies: ProviderPolicy) -> None:
        self._book = book(*policies)
        self.stage = Stage(FilteringAgent(self._book))
        self.set(start)
        self.token = self._token()

    async def hear(self, *payloads: Payload, key: bytes = MAIA) -> None:
        for payload in payloads:
            topic = CHANGES if "version" in type(payload).model_fields else CONSENTS
            await self.stage.take(topic, (key, bytes_of(payload)))

    def set(self, instant: str) -> None:
        """Let it be so late, and all that is in force be known at that instant."""
        self.stage.now_us = self._book.confirmed_us = microseconds(instant)

    async def until(self, instant: str) -> None:
        self.set(instant)
        if self._token() != self.token:
            self.token = self._token()
            await self.stage.sweep()
        # The lane of links has told nothing, so that no heartbeat comes between what is looked at.
        await self.stage.tick(Reached({CONSENTS: self.stage.now_us, MOVES: self.stage.now_us}))

    def _token(self) -> bytes:
        return self.stage.agent.sweep_token(datetime.fromtimestamp(self.stage.now_us / 1e6, UTC))

    @property
    def last_end(self) -> tuple[str, str]:
        _, end, reason = ends_of(self.stage, FILTERING_AUDIT)[-1]
        return end, reason

    @property
    def sent(self) -> list[str]:
        """What went out, in order: a release, a restriction, or where a withdrawal went."""
        named = {RELEASES: "ordinary", WITHDRAWALS: "express"}
        return [
            "release" if "fields" in value else "restriction" if "restricted" in value else named[topic]
            for topic, value in self.stage.sent
            if topic in named and "applied_until" not in value
        ]

    @property
    def due(self) -> list[bytes]:
        return [key for key, _ in self.stage.state.scan(DUE, None)]


def given(party: str, until: str | None = None, **differences: Any) -> ConsentDecision:
    return consent(party, "given", differences.pop("at", GIVEN_AT), until=until, **differences)

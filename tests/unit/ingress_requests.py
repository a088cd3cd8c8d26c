"""A platform that posts to the API, without a socket and without Kafka."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

from services.contract.changes import Change
from services.contract.consents import ConsentDecision
from services.contract.errors import Unreachable
from services.ingress.api import Ports, create_api
from services.ingress.identifiers import Identifiers
from services.ingress.platforms import Platform, Register, digest_of
from tests.replay.invented import example

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
TOKEN = "sanctuaire_invented"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
DECISION = example("consent-decision/1/guardian-gives")
CHANGE = example("change/1/pupil-joins")
JSON = {"content-type": "application/json"}
LINES = {"content-type": "application/x-ndjson"}


@dataclass
class Platforms:
    """What the world is to the API: who may post, what was published, and how each item ended."""

    register: Register | None = field(
        default_factory=lambda: Register(
            platforms=(Platform(name="ac-99", digest=digest_of(TOKEN), sources=("aaf-d99",), ine=True),)
        )
    )
    away: bool = False
    """Whether Kafka does not answer."""
    published: list[Any] = field(default_factory=list)
    ends: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    defects: list[str] = field(default_factory=list)
    directory: Identifiers | None = field(default_factory=Identifiers)
    """What was published before; null while that is not read."""

    async def publish(self, payloads: Sequence[ConsentDecision | Change]) -> None:
        if self.away:
            raise Unreachable("Kafka does not answer")
        self.published += payloads

    def addressed(self, decision: ConsentDecision) -> ConsentDecision | None:
        if ":" not in decision.subject:
            return decision
        return None if self.directory is None else self.directory.addressed(decision)

    def count(self, payload: str, platform: str, ends: Sequence[str]) -> None:
        self.ends.update((payload, platform, end) for end in ends)

    @property
    def ports(self) -> Ports:
        return Ports(
            register=lambda: self.register, now=lambda: NOW, addressed=self.addressed, publish_decisions=self.publish,
            publish_changes=self.publish, count=self.count,
            defect=lambda error: self.defects.append(type(error).__name__),
        )  # fmt: skip

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(create_api(self.ports), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://ingress.example.test", headers=BEARER)

    async def post(self, path: str, content: Any, **headers: str) -> httpx.Response:
        """Anything but bytes is sent as JSON, under that media type unless a header says another."""
        raw = content if isinstance(content, bytes) else orjson.dumps(content)
        async with self.client() as client:
            return await client.post(path, content=raw, headers={**JSON, **headers})


def lines(*items: Any) -> bytes:
    return b"\n".join(item if isinstance(item, bytes) else orjson.dumps(item) for item in items)

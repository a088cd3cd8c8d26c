"""Consent decisions, one JSON object a line, to `consents.decisions.v1`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ops.publishing.delivery import Delivery
from services.contract.consents import ConsentDecision
from services.contract.errors import TooLarge, Unreadable
from services.contract.parsing import parse_payload
from services.contract.topology import CONSENTS

MAX_CONSENT_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that was not taken; lines are counted from 1."""

    line: int
    code: str
    why: str


def read_decisions(stream: BinaryIO) -> Iterator[ConsentDecision | RefusedLine]:
    """Each line that holds something: one bad line never keeps a withdrawal on the next from being published."""
    number = 0
    while raw := stream.readline(MAX_CONSENT_BYTES + 1):
        number += 1
        if len(raw) > MAX_CONSENT_BYTES and not raw.endswith(b"\n"):
            _skip_line(stream)
            yield RefusedLine(number, TooLarge.code, f"over {MAX_CONSENT_BYTES} bytes")
        elif line := raw.strip():
            try:
                yield parse_payload(ConsentDecision, line, MAX_CONSENT_BYTES)
            except Unreadable as error:
                yield RefusedLine(number, error.code, str(error))


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(MAX_CONSENT_BYTES)) and not rest.endswith(b"\n"):
        pass


def publish_decision(delivery: Delivery, decision: ConsentDecision) -> None:
    """Send one decision under its subject's key; `delivery.settle()` waits for it."""
    delivery.send(CONSENTS, decision.subject, decision.model_dump_json().encode(), "consent-decision")

"""Consent decisions, one JSON object a line, to `consents.decisions.v1`."""

from collections.abc import Iterator
from typing import BinaryIO

from ops.publishing.delivery import Delivery
from ops.publishing.lines import RefusedLine, read_lines
from services.contract.consents import ConsentDecision
from services.contract.parsing import parse_payload
from services.contract.topology import CONSENTS

__all__ = ["MAX_CONSENT_BYTES", "RefusedLine", "publish_decision", "read_decisions"]

MAX_CONSENT_BYTES = 16 * 1024


def read_decisions(stream: BinaryIO) -> Iterator[ConsentDecision | RefusedLine]:
    """Each line that holds something: one bad line never keeps a withdrawal on the next from being published."""
    return read_lines(stream, lambda line: parse_payload(ConsentDecision, line, MAX_CONSENT_BYTES), MAX_CONSENT_BYTES)


def publish_decision(delivery: Delivery, decision: ConsentDecision) -> None:
    """Send one decision under its subject's key; `delivery.settle()` waits for it."""
    delivery.send(CONSENTS, decision.subject, decision.model_dump_json().encode(), "consent-decision")

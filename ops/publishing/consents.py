"""Consent decisions to `consents.decisions.v1`."""

from ops.publishing.delivery import Delivery
from services.contract.consents import ConsentDecision
from services.ingress.events import decision_event


def publish_decision(delivery: Delivery, decision: ConsentDecision) -> None:
    """Send one decision under its subject's key; `delivery.settle()` waits for it."""
    delivery.send(decision_event(decision))

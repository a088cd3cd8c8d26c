"""Consent decisions to `consents.decisions.v1`, and one person's from there."""

from collections.abc import Iterable, Iterator

from ops.publishing.cluster import Addresses, read_partition_of
from ops.publishing.delivery import Delivery
from services.contract.consents import ConsentDecision
from services.contract.envelope import body
from services.contract.errors import Unreadable
from services.contract.parsing import parse_payload
from services.contract.topology import CONSENTS
from services.ingress.events import decision_event
from services.ingress.reading import MAX_CONSENT_BYTES

_RANK = {"given": 0, "refused": 1, "withdrawn": 2}


def publish_decision(delivery: Delivery, decision: ConsentDecision) -> None:
    """Send one decision under its subject's key; `delivery.settle()` waits for it."""
    delivery.send(decision_event(decision))


def decisions_about(addresses: Addresses, subject: str) -> Iterator[ConsentDecision]:
    """All that the topic has about a person, by the routing key; what the filter quarantines is none.

    Raises:
        Unreachable: the cluster went away in between.
    """
    for record in read_partition_of(addresses, CONSENTS, subject.encode()):
        if record.key == subject.encode():
            try:
                raw = body(record.value, record.headers, MAX_CONSENT_BYTES)
                decision = parse_payload(ConsentDecision, raw, MAX_CONSENT_BYTES)
            except Unreadable:
                continue
            if decision.subject == subject:
                yield decision


def last_words(decisions: Iterable[ConsentDecision]) -> list[ConsentDecision]:
    """Of each party, purpose and provider the last word: the greatest `at`, on a tie the more restrictive (R13)."""
    last: dict[tuple[str, str, str], ConsentDecision] = {}
    for decision in decisions:
        about = (decision.party, decision.purpose, decision.provider)
        known = last.get(about)
        if known is None or (decision.at, _RANK[decision.status]) > (known.at, _RANK[known.status]):
            last[about] = decision
    return list(last.values())

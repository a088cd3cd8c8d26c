"""What ingress counts: how each payload that was posted ended. Labels name platforms and codes, never anybody."""

from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import Counter

from services.runtime.metrics import REGISTRY

POSTED = Counter("sanctuaire_ingress_payloads_total", "Payloads posted, and how each ended.",
                 ("payload", "platform", "end"), registry=REGISTRY)  # fmt: skip


def posted(payload: str, platform: str, ends: Sequence[str]) -> None:
    """One request has ended."""
    for end, count in Tally(ends).items():
        POSTED.labels(payload, platform, end).inc(count)

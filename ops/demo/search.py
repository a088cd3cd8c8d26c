"""Looks for what may not be seen outside, in everything that is outside: invariant I4.

Opens nothing. A hit is a place and a number, never the value that was found.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator

from ops.demo.readout import Finding, ReadOut, Row
from services.contract.topology import (
    CHANGES,
    CONNECTORS_AUDIT,
    FILTERING_AUDIT,
    LEDGER,
    PROVIDER_DIRECTORY,
    PSEUDONYMISATION_AUDIT,
    named_for,
)

Forbidden = Callable[[frozenset[str]], frozenset[str]]
"""From the attributes that a reader is entitled to, the values that it may not see (ops.synthesis.Canaries)."""

NOTHING: frozenset[str] = frozenset()
SHORTEST = 4
"""Anything shorter occurs by chance; a canary is never shorter."""


class Needles:
    """Values to look for, each also without accents escaped by JSON, without blanks in a number, and in any case."""

    def __init__(self, values: Collection[str]) -> None:
        spelt = {spelling for value in values for spelling in spellings(value) if len(spelling) >= SHORTEST}
        self._width = min(map(len, spelt), default=0)
        self._by_start: defaultdict[str, list[str]] = defaultdict(list)
        for spelling in spelt:
            self._by_start[spelling[: self._width]].append(spelling)

    def count_in(self, text: str) -> int:
        """How many places of the text hold a value: one look a character, however many the values."""
        if not self._width:
            return 0
        folded, width, starts = text.casefold(), self._width, self._by_start
        places = [at for at in range(len(folded) - width + 1) if folded[at : at + width] in starts]
        return sum(
            any(folded.startswith(spelling, at) for spelling in starts[folded[at : at + width]]) for at in places
        )


def spellings(value: str) -> frozenset[str]:
    """As UTF-8 text and as JSON may escape it; a telephone number also in one piece."""
    folded = value.casefold()
    found = {folded, json.dumps(folded)[1:-1].casefold(), json.dumps(value)[1:-1].casefold()}
    if value.startswith("+"):
        found.add(folded.replace(" ", ""))
    return frozenset(found)


def canaries_inside(read: ReadOut, forbidden: Forbidden) -> int:
    """The control: the same search over what the school published, where it must find them."""
    return Needles(forbidden(NOTHING)).count_in(_text_of(read, CHANGES))


def canary_findings(read: ReadOut, forbidden: Forbidden) -> Iterator[Finding]:
    """A provider's topics may hold what its contracts name; accounts, ledger, quarantine and logs nothing at all."""
    nothing = Needles(forbidden(NOTHING))
    quarantines = sorted(topic for topic in read.topics if topic.endswith(".quarantine"))
    for topic in (LEDGER, FILTERING_AUDIT, PSEUDONYMISATION_AUDIT, CONNECTORS_AUDIT, *quarantines):
        yield from _in_topic(read, topic, nothing)
    for name, log in sorted(read.logs.items()):
        if hits := nothing.count_in(log):
            yield Finding("canary", f"log of {name}", hits)
    for provider, policy in sorted(read.policies.items()):
        entitled = Needles(forbidden(frozenset(field for c in policy.contracts for field in c.fields)))
        for topic in (*read.of_provider(provider), named_for(PROVIDER_DIRECTORY, provider)):
            yield from _in_topic(read, topic, entitled)


def _in_topic(read: ReadOut, topic: str, needles: Needles) -> Iterator[Finding]:
    if hits := needles.count_in(_text_of(read, topic)):
        yield Finding("canary", topic, hits)


def _text_of(read: ReadOut, topic: str) -> str:
    return "\n".join(text for row in read.rows(topic) for text in _texts(row))


def _texts(row: Row) -> Iterator[str]:
    """Key, value and headers; what is not text is searched byte by byte."""
    for part in (row.key, row.value, *(content for _, content in row.headers)):
        if part is not None:
            try:
                yield part.decode()
            except UnicodeDecodeError:
                yield part.decode("latin-1")
    yield from (name for name, _ in row.headers)

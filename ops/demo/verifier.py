"""The independent reader's judgement: reconciles every input with its ends, and searches for what must not be there.

Pure. Knows the contract between the stages and none of their code; takes nothing that a stage says on trust where
the topics themselves can be counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ops.demo.arrival import arrival_findings
from ops.demo.chain import Chain
from ops.demo.coverage import coverage_findings
from ops.demo.readout import Finding, ReadOut, gather
from ops.demo.search import Forbidden, canaries_inside, canary_findings


@dataclass(frozen=True, slots=True)
class Judgement:
    """What does not add up, and the canaries found outside; both empty where all is well."""

    unreconciled: tuple[Finding, ...]
    canaries: tuple[Finding, ...]
    canaries_inside: int
    """How many the same search finds in what the school published: none would mean that it cannot see."""

    @property
    def reconciled(self) -> bool:
        return not self.unreconciled

    @property
    def canaries_found(self) -> int:
        return sum(finding.count for finding in self.canaries)

    @property
    def is_good(self) -> bool:
        return self.reconciled and not self.canaries and self.canaries_inside > 0


def judge(read: ReadOut, forbidden: Forbidden) -> Judgement:
    """Judge one read-out."""
    unreconciled = gather(_unreconciled(read))
    return Judgement(unreconciled, gather(canary_findings(read, forbidden)), canaries_inside(read, forbidden))


def _unreconciled(read: ReadOut) -> Iterator[Finding]:
    yield from coverage_findings(read)
    yield from arrival_findings(Chain(read))
    for topic, count in sorted(read.unreadable.items()):
        yield Finding("unreadable-record", topic, count)

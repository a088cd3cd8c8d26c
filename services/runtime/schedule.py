"""What a partition does next: erasures before news, and what is due before what merely waits. Pure.

Seconds are those of one monotonic clock, given by whoever asks.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.runtime.records import Batch, UnreadableRecord

Duty = Literal["tick", "sweep"]
Job = Batch | Duty | Literal["commit"]
TOGETHER = 5000
"""Most records that are decided as one, unless one fetch alone brings more."""
GATHER_SECONDS = 0.25
GATHER_MOST = 10_000
"""How long, and how many outputs and changes, what is decided of a backlog waits to be committed as one."""
STEP_SECONDS = 0.05
FEWEST = 50
FIRST_COST_SECONDS = 50e-6
"""Of a record, before any has been decided."""
EXPRESS = 0
ORDINARY = 1


@dataclass(slots=True)
class Lane:
    """Batches of one topic and partition, in order."""

    batches: deque[Batch] = field(default_factory=deque)
    not_before: float = 0.0
    """Until then its first batch waits for something that it names."""

    def together(self) -> list[Batch]:
        """The first batches, which are decided and committed as one: a backlog then costs fewer transactions."""
        chosen: list[Batch] = []
        for batch in self.batches:
            alone = isinstance(batch.records[0], UnreadableRecord)
            if chosen and (alone or sum(len(each.records) for each in chosen) + len(batch.records) > TOGETHER):
                break
            chosen.append(batch)
            if alone:
                break
        return chosen

    def ready(self, now: float) -> bool:
        return bool(self.batches) and now >= self.not_before


@dataclass(slots=True)
class Worklist:
    """The work of one partition; lanes in order of priority, of which the first `express` are express."""

    lanes: dict[str, Lane]
    express: int
    deciding: bool = False
    committing: int = 0
    """Batches that are decided and not durable yet: one is in flight while the next is decided, no more."""
    duty_last: bool = False
    """What was done last was no batch: a long duty and a backlog take turns."""
    due: deque[Duty] = field(default_factory=deque)
    """What must not wait for the backlog to end."""
    goes_on: bool = False
    """The tick that is due is what the one before has left: other partitions have their turn before it."""
    overdue: bool = False
    """A second tick came due before the first was done: it no longer gives way, were the express lanes never empty."""
    gathered: int = 0
    """Outputs and changes that are decided, and that no transaction holds yet."""
    commit_by: float = 0.0
    """When these are committed, though there be more to decide."""

    @classmethod
    def of(cls, topics: Sequence[str], express: int) -> "Worklist":
        return cls({topic: Lane() for topic in topics}, express)

    @property
    def at_rest(self) -> bool:
        """Whether all that was begun is durable."""
        return not (self.deciding or self.committing or self.gathered)

    def is_express(self, topic: str) -> bool:
        return topic in tuple(self.lanes)[: self.express]

    def add(self, duty: Duty, *, goes_on: bool = False) -> None:
        if duty == "tick":
            if not goes_on:
                self.overdue = "tick" in self.due and not self.goes_on
            self.goes_on = goes_on and (self.goes_on or "tick" not in self.due)
        if duty not in self.due:
            self.due.append(duty)

    def next_job(self, now: float) -> tuple[int, Job] | None:
        """The job to do now and its rank, the lower the sooner; null where there is none, or none may begin yet."""
        if self.deciding or self.committing > 1:
            return None
        # However much there is to erase: a transaction must fit into memory, and into its time.
        if self.gathered and (self.gathered >= GATHER_MOST or now >= self.commit_by + GATHER_SECONDS):
            return EXPRESS, "commit"
        lanes = list(self.lanes.values())
        urgent = "tick" in self.due and not self.goes_on
        erasure = next((lane.batches[0] for lane in lanes[: self.express] if lane.ready(now)), None)
        # In turn with erasures: a tick may take longer than until the next.
        first: Job | None = "tick" if urgent and self.overdue and not (self.duty_last and erasure) else erasure
        if first:
            return EXPRESS, first
        ordinary = next((lane.batches[0] for lane in lanes[self.express :] if lane.ready(now)), None)
        duty: Duty | None = None if self.duty_last and ordinary else "tick" if urgent else next(iter(self.due), None)
        if self.gathered and (now >= self.commit_by or not (ordinary or duty)):
            return EXPRESS, "commit"
        if duty:
            return EXPRESS if urgent else ORDINARY, duty
        return (ORDINARY, ordinary) if ordinary else None

    def gather(self, entries: int, now: float, *, express: bool) -> None:
        """So many outputs and changes wait to be committed now; what an express lane brought does not wait."""
        if not self.gathered:
            self.commit_by = now + GATHER_SECONDS
        self.gathered = entries
        if express or entries >= GATHER_MOST:
            self.commit_by = min(self.commit_by, now)


@dataclass(slots=True)
class Pace:
    """How much is decided in one step, by what the last ones cost: an erasure waits no longer than that."""

    cost_seconds: float = FIRST_COST_SECONDS

    @property
    def most(self) -> int:
        return max(FEWEST, int(STEP_SECONDS / self.cost_seconds))

    def learn(self, records: int, seconds: float) -> None:
        self.cost_seconds += (seconds / records - self.cost_seconds) / 8


def choose(worklists: Iterable[tuple[int, Worklist]], now: float) -> tuple[int, Job] | None:
    """The partition whose turn it is, and its job: of equal rank, the first in the order given."""
    best: tuple[int, int, Job] | None = None
    for number, worklist in worklists:
        offered = worklist.next_job(now)
        if offered is not None and (best is None or offered[0] < best[0]):
            best = (offered[0], number, offered[1])
    return None if best is None else best[1:]

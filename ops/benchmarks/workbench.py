"""What every section of one run shares: the broker, started when first needed, a scratch folder, and the screen."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ops.benchmarks.cluster import Cluster
from ops.benchmarks.comparing import Naming, digest_of
from ops.benchmarks.contest import Contest, Engine
from ops.broker.embedded import EmbeddedBroker

HEAP_MB = 1024
PARTITIONS = 4
CORES = 2
"""What the bars are for: all stages on one machine have as many partitions as it has cores, for a partition is a
transaction of its own."""
PROPERTIES = {"group.initial.rebalance.delay.ms": "1500"}
"""Workers that are started together then begin together, instead of the first alone and all over again."""


@dataclass(slots=True)
class Workbench:
    """Handed to every section."""

    quick: bool
    folder: Path
    """Of its own for each section's files; gone at the end."""
    peers: frozenset[str] | None
    """Which peers to run; null for all."""
    say: Callable[[str], None]
    """One line on how far it is."""
    _stack: ExitStack
    _broker: EmbeddedBroker | None = field(default=None, init=False)
    _is_warm: bool = field(default=False, init=False)

    @property
    def broker(self) -> EmbeddedBroker:
        """One for the whole run."""
        if self._broker is None:
            self.say("starting Kafka")
            self._broker = self._stack.enter_context(EmbeddedBroker(heap_mb=HEAP_MB, properties=PROPERTIES))
        return self._broker

    def contest(
        self, name: str, cluster: Cluster, engines: Sequence[Engine], expected: int,
        naming: Callable[[], Naming] = lambda: digest_of,
    ) -> Contest:  # fmt: skip
        """Of all engines of one stage; the first of a run finds the broker cold."""
        was_warm, self._is_warm = self._is_warm, True
        return Contest(cluster, self.broker.pid, engines, expected, self.folder / name, self.say, naming, was_warm)


@contextmanager
def workbench(quick: bool, peers: frozenset[str] | None, say: Callable[[str], None]) -> Iterator[Workbench]:
    """Open one; leaving it ends the broker and removes the folder."""
    with tempfile.TemporaryDirectory(prefix="sanctuaire-bench-") as name, ExitStack() as stack:
        yield Workbench(quick, Path(name), peers, say, stack)


def machine() -> dict[str, int]:
    """What the figures depend on, without a name or a path."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {"cores": os.cpu_count() or 0, "memory_bytes": pages * size}

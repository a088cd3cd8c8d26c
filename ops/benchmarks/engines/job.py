"""What a peer is told: one JSON file, the same for Python and Java. Needs only what every peer's environment has."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

import orjson


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one peer, with topics and a group of its own."""

    bootstrap: str
    group: str
    input: str
    outputs: Mapping[str, str]
    """Provider → topic."""
    perimeter: str
    keys: Mapping[str, str]
    """`<provider>/<purpose family>` → its derived key in hexadecimal: invented for the run, never an installation's."""
    allowed: Mapping[str, Sequence[str]]
    """`<provider>/<contract>` in force → the closed list of fields."""
    policies: Mapping[str, str]
    """Provider → its policy in force, as JSON: what our own step reads; the Java one reads the two around it."""
    versions: Mapping[str, int]
    """Provider → version of its policy."""
    folder: str
    """Where the engine may keep its state."""
    consents: str = ""
    """Filtering: the topic that is joined."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Filtering: provider → what a release names its policy by."""

    def write(self, path: Path) -> Path:
        path.touch(mode=0o600)
        path.write_bytes(orjson.dumps(asdict(self)))
        return path

    @classmethod
    def read(cls, path: Path) -> Self:
        return cls(**orjson.loads(path.read_bytes()))


def job_of_this_process() -> Job:
    """The file that the benchmark names as the first argument."""
    return Job.read(Path(sys.argv[1]))

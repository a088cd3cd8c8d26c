"""Which jars make Kafka: the pure reading of `jars.lock`, one `sha256  group:artifact:version` a line."""

import re
from dataclasses import dataclass

from ops.broker.errors import BrokerError

KAFKA = "4.3.1"
COORDINATES = f"org.apache.kafka:kafka_2.13:{KAFKA}+org.slf4j:slf4j-simple:1.7.36"

_LINE = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<group>[\w.-]+):(?P<artifact>[\w.-]+):(?P<version>[\w.-]+)")


@dataclass(frozen=True, slots=True)
class Jar:
    """One artifact at one version, and the only bytes it may consist of."""

    sha256: str
    group: str
    artifact: str
    version: str

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def parse_lock(text: str) -> tuple[Jar, ...]:
    """The jars in the lock's order.

    Raises:
        BrokerError: naming the line.
    """
    jars = []
    for number, line in enumerate(text.splitlines(), start=1):
        found = _LINE.fullmatch(line)
        if found is None:
            raise BrokerError(f"jars.lock, line {number}: expected `sha256  group:artifact:version`")
        jars.append(Jar(**found.groupdict()))
    return tuple(jars)


def render_lock(jars: tuple[Jar, ...]) -> str:
    """Sorted by coordinate, as `parse_lock` reads it."""
    rows = sorted((f"{jar.group}:{jar.artifact}:{jar.version}", jar.sha256) for jar in jars)
    return "".join(f"{digest}  {coordinate}\n" for coordinate, digest in rows)

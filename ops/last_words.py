"""What a service said of itself before it died. Repeats our own words only: others' may quote a value."""

import re
from pathlib import Path

import orjson

from ops.broker.guardian import older

_TAIL_BYTES = 64 * 1024
_STATED = re.compile(r"^(?:filtering|pseudonymisation|connectors): [a-z-]+: .*$")
"""What a service says of a wrong setting or key before it ends: our own words, which never quote a value."""
_UNCAUGHT = re.compile(r"^((?:[A-Za-z_]\w*\.)*[A-Z]\w*)(?::|$)|: (No module named \S+)$")


def last_failure(log: Path) -> str:
    """The last failure that a service's log names, or the one before it, if that was put aside just then."""
    return failure_in(_tail(older(log, 1)) + _tail(log))


def failure_in(log: str) -> str:
    """Kind and place of the last failure in a journal; of an uncaught exception its class, for it may quote a value."""
    for line in reversed(log.splitlines()):
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            if stated := _STATED.match(line):
                return stated[0]
            if uncaught := _UNCAUGHT.search(line):
                return uncaught[1] or uncaught[2]
            continue
        if isinstance(event, dict) and event.get("event") == "failed":
            return " ".join(str(event[part]) for part in ("event", "kind", "where") if part in event)
    return "it named no failure"


def _tail(log: Path) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        return file.read().decode("utf-8", "replace")

"""What a service may say: each event is a constant with the fields it may carry. One JSON object a line on stderr.

A field that is not listed cannot be written; values that a person could be known by are in no list.
"""

import logging
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

_log = logging.getLogger("sanctuaire")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing worth saying, its gravity, and the only fields it may carry."""

    code: str
    level: int
    fields: frozenset[str]


def _event(code: str, level: int, *fields: str) -> Event:
    return Event(code, level, frozenset(fields))


STARTED = _event("started", logging.INFO, "stage", "provider")
STOPPED = _event("stopped", logging.INFO, "stage")
ASSIGNED = _event("assigned", logging.INFO, "stage", "partitions")
THROWN_AWAY = _event("thrown-away", logging.WARNING, "stage", "partition", "code")
REBUILDING = _event("rebuilding", logging.INFO, "stage", "partition", "records", "of", "seconds")
REBUILT = _event("rebuilt", logging.INFO, "stage", "partition", "records", "seconds")
FENCED = _event("fenced", logging.WARNING, "stage", "partition")
WAITING = _event("waiting", logging.WARNING, "stage", "partition", "code")
QUARANTINED = _event("quarantined", logging.WARNING, "stage", "topic", "partition", "offset", "code")
POLICY_SEEN = _event("policy-seen", logging.INFO, "stage", "provider", "version")
FAILED = _event("failed", logging.ERROR, "stage", "kind", "where")
EVENTS = (
    STARTED, STOPPED, ASSIGNED, THROWN_AWAY, REBUILDING, REBUILT, FENCED, WAITING, QUARANTINED, POLICY_SEEN, FAILED,
)  # fmt: skip

Value = str | int | float | None


def emit(event: Event, **fields: Value) -> None:
    """Write one event.

    Raises:
        ValueError: for a field that the event may not carry; a test finds it, not an operator.
    """
    if not fields.keys() <= event.fields:
        message = f"{event.code} may not carry {sorted(fields.keys() - event.fields)}"
        raise ValueError(message)
    if _log.isEnabledFor(event.level):
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": logging.getLevelName(event.level), "event": event.code, **fields}
        _log.log(event.level, "%s", orjson.dumps(line).decode())


def where(error: BaseException) -> str:
    """The place that raised it, as `module.function:line`; its text stays unread, for it may quote a value."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return "unknown"
    frame = trace.tb_frame
    return f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_name}:{trace.tb_lineno}"


def open_journal(level: int = logging.INFO) -> None:
    """Send events to stderr, and other libraries' warnings as their kind alone: their text may quote a record."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(lambda record: record.name == "sanctuaire")
    handler.setFormatter(logging.Formatter("%(message)s"))
    foreign = logging.StreamHandler(sys.stderr)
    foreign.addFilter(lambda record: record.name != "sanctuaire" and record.levelno >= logging.WARNING)
    foreign.setFormatter(_ForeignFormatter())
    root = logging.getLogger()
    root.handlers = [handler, foreign]
    root.setLevel(logging.WARNING)
    _log.setLevel(level)


class _ForeignFormatter(logging.Formatter):
    """Who warned and from where, and of an error its kind and the place that raised it; never what it said."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname, "event": "library", "logger": record.name,
                "where": f"{record.module}:{record.lineno}"}  # fmt: skip
        if record.exc_info and (error := record.exc_info[1]):
            line |= {"kind": type(error).__name__, "raised": where(error)}
        return orjson.dumps(line).decode()

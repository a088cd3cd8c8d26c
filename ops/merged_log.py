"""One log of several services, for a person to follow: what each journal says, in the order in which it was said.

Only lines that are events are taken over; anything else a service wrote stays where it is, for it may quote a value.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

MAX_BYTES = 16 * 1024 * 1024
"""At this size the log becomes the older one, and a new one begins."""
READ_BYTES = 4 * 1024 * 1024
HEAD = ("at", "level", "event")

Said = tuple[str, str, Mapping[str, Any]]
"""When, by which service, and the event."""


@dataclass(slots=True)
class MergedLog:
    """Follows the journals of services into `path`, and keeps one older log beside it."""

    path: Path
    journals: Mapping[str, Path]
    """Service → its journal, read from its beginning."""
    _offsets: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def follow(self) -> None:
        """Take over what was said since the last time, whole lines only."""
        said = sorted((one for name in self.journals for one in self._news(name)), key=lambda one: one[0])
        if not said:
            return
        if self.path.exists() and self.path.stat().st_size > MAX_BYTES:
            self.path.replace(self.path.with_suffix(".1.log"))
        with self.path.open("a", encoding="utf-8") as log:
            log.writelines(f"{line}\n" for line in lines_of(said, max(map(len, self.journals))))

    def _news(self, name: str) -> Iterator[Said]:
        start, journal = self._offsets.get(name, 0), self.journals[name]
        if not journal.exists():
            return
        with journal.open("rb") as file:
            file.seek(start)
            news = file.read(READ_BYTES)
        whole = news[: news.rfind(b"\n") + 1]
        # A line that fills everything that is read at once is none of ours.
        self._offsets[name] = start + (len(whole) or (len(news) if len(news) == READ_BYTES else 0))
        for line in whole.splitlines():
            if (event := _event(line)) is not None:
                yield str(event["at"]), name, event


def _event(line: bytes) -> Mapping[str, Any] | None:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) and event.keys() >= set(HEAD) else None


def lines_of(said: Iterable[Said], width: int) -> Iterator[str]:
    """`08:30:00.125 filtering-1 WARNING  waiting stage=filtering code=…`."""
    for at, name, event in said:
        rest = " ".join(f"{key}={value}" for key, value in event.items() if key not in HEAD)
        yield f"{_clock(at)} {name:<{width}} {event['level']:<7}  {event['event']} {rest}".rstrip()


def _clock(at: str) -> str:
    try:
        return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    except ValueError:
        return at

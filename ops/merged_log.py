"""One log of several services, for a person to follow: what each journal says, in the order in which it was said.

Only lines that are events are taken over; anything else a service wrote stays where it is, for it may quote a value.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from ops.broker.guardian import OLDER_LOGS, older

MAX_BYTES = 16 * 1024 * 1024
"""At this size the log becomes the older one, and a new one begins."""
READ_BYTES = 4 * 1024 * 1024
HEAD = ("at", "level", "event")

Said = tuple[str, str, Mapping[str, Any]]
"""When, by which service, and the event."""
Place = tuple[tuple[int, int], int]
"""Which file, and how far."""
NOWHERE: Place = ((0, 0), 0)


@dataclass(slots=True)
class MergedLog:
    """Follows the journals of services into `path`, and keeps one older log beside it."""

    path: Path
    journals: Mapping[str, Path]
    """Service → its journal, read from its beginning."""
    _read: dict[str, Place] = field(default_factory=dict, init=False, repr=False)

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
        with ExitStack() as opened:
            for file in self._unread(name, opened):
                which, start = self._read.get(name, NOWHERE)
                start = file.seek(start if which == _which(file) else 0)
                news = file.read(READ_BYTES)
                whole = news[: news.rfind(b"\n") + 1]
                # A line that fills everything that is read at once is none of ours.
                taken = len(whole) or (len(news) if len(news) == READ_BYTES else 0)
                self._read[name] = _which(file), start + taken
                for line in whole.splitlines():
                    if (event := _event(line)) is not None:
                        yield str(event["at"]), name, event
                if len(news) == READ_BYTES:
                    return  # the rest of it comes before the next file

    def _unread(self, name: str, opened: ExitStack) -> list[BinaryIO]:
        """The file where reading stopped, which may have been put aside since, and those after it, in their order."""
        files: dict[tuple[int, int], BinaryIO] = {}
        journal, stopped = self.journals[name], self._read.get(name, NOWHERE)[0]
        for path in (journal, *(older(journal, number) for number in range(1, OLDER_LOGS + 1))):
            if not path.exists():
                break
            file = opened.enter_context(path.open("rb"))
            files.setdefault(_which(file), file)
            if stopped in files or name not in self._read:
                break
        return list(reversed(files.values()))


def _which(file: BinaryIO) -> tuple[int, int]:
    """Stays when the file is renamed."""
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino


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

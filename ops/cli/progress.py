"""A progress bar on stderr, where that is a terminal; nothing where it is not."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

EVERY_CHANGES = 200


class Meter:
    """How much of an export was read, of `total` bytes; a bar without end where that is not known.

    What is counted besides is named by `what`; the total may also be a number of these.
    """

    def __init__(self, total: int | None, what: str = "changes") -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        console = Console(stderr=True)
        self._progress = Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty())
        self._task = self._progress.add_task("reading", total=total)
        self._what = what
        self._count = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def advance(self, bytes_read: int | None = None) -> None:
        """One more, at this place; where none is given, so many are done as were counted."""
        self._count += 1
        if self._count % EVERY_CHANGES == 0:
            done = self._count if bytes_read is None else bytes_read
            self._progress.update(self._task, completed=done, description=f"{self._count} {self._what}")


@contextmanager
def reading(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that is told how much was read, and of how much."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)

"""The demonstration's screen: a live table on a terminal, plain lines anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live

from ops.demo.view import flow
from ops.demo.watch import Watch

PER_SECOND = 8


class Screen:
    """Where everything is said. Off a terminal it is as wide as its tables need."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or _console()

    def act(self, title: str) -> None:
        self._console.print(f"\n[bold]{title}[/bold]")

    def say(self, line: str) -> None:
        self._console.print(f"  {line}", highlight=False, soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        self._console.print(what)

    @contextmanager
    def following(self, watch: Watch) -> Iterator[None]:
        """The flow, as it fills, for as long as the block; nothing off a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with Live(
            get_renderable=lambda: watch.look(flow),
            console=self._console,
            refresh_per_second=PER_SECOND,
            transient=True,
        ):
            yield


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=140)

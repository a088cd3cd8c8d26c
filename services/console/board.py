"""What has changed on the page since when: fragments by version, rendered so that no reader gets over two a second."""

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from services.console import pages
from services.console.model import Model
from services.console.overview import Hourly, Overview, Row, look_over
from services.console.reasons_view import Chosen, ReasonRow, Reasons
from services.console.words import Language

RENDER_SECONDS: Final = 0.75
"""At most two updates a second reach a page, though one of them be late."""


class Fragment(NamedTuple):
    """One element of the page, and since which version it reads so."""

    version: int
    html: str


class Since(NamedTuple):
    """What a page has seen: of which providers, of which process, up to which version."""

    roster: str
    boot: str
    version: int

    def __str__(self) -> str:
        return f"{self.roster}.{self.boot}.{self.version}"


def read_since(said: str) -> Since | None:
    """Null for what no board has written."""
    roster, _, rest = said.partition(".")
    boot, _, version = rest.partition(".")
    if not version.isascii() or not version.isdecimal() or len(version) > 15:
        return None
    return Since(roster, boot, int(version))


class Board:
    """All fragments of the first page, in each language that somebody reads."""

    def __init__(self, model: Model, boot: str, clock: Callable[[], float] = time.time) -> None:
        self._model = model
        self._boot = boot
        self._clock = clock
        self._hourly = Hourly()
        self._reasons = Reasons()
        self._overview: tuple[float, str, Overview] | None = None
        """When, and of which roster."""
        self._fragments: dict[Language, dict[str, Fragment]] = {}
        self._rows: dict[tuple[Language, str], tuple[Row, str]] = {}
        self._rendered: dict[Language, tuple[float, str] | None] = {}
        self._version = 0

    @property
    def roster(self) -> str:
        """Names the providers: a page that was made for others must be made anew."""
        return hashlib.sha256("\0".join(self._model.providers).encode()).hexdigest()[:12]

    @property
    def now(self) -> Since:
        return Since(self.roster, self._boot, self._version)

    def overview(self) -> Overview:
        """Of the roster of now, however lately one was made: a page with rows of another would never be renewed."""
        now, roster, last = self._clock(), self.roster, self._overview
        if last is None or last[1] != roster or not 0 <= now - last[0] < RENDER_SECONDS:
            last = self._overview = now, roster, look_over(self._model, self._hourly, now)
        return last[2]

    def changed(self, language: Language, since: Since | None) -> str:
        """What reads otherwise than a page that has seen `since`; all of it, where another process made that page."""
        self._render(language)
        version = since.version if since is not None and since.boot == self._boot else -1
        return "\n".join(one.html for one in self._fragments[language].values() if one.version > version)

    def reasons(self, chosen: Chosen) -> tuple[ReasonRow, ...]:
        return self._reasons.rows(self._model.counts, self._clock(), chosen)

    def _render(self, language: Language) -> None:
        overview = self.overview()
        at = self._overview[:2] if self._overview else None
        if at is not None and self._rendered.get(language) == at:
            return
        self._rendered[language] = at
        known = self._fragments.setdefault(language, {})
        fresh = dict(self._parts(language, overview))
        changed = {name for name, html in fresh.items() if name not in known or known[name].html != html}
        if changed:
            self._version += 1
        self._fragments[language] = {
            name: Fragment(self._version, html) if name in changed else known[name] for name, html in fresh.items()
        }

    def _parts(self, language: Language, overview: Overview) -> Iterator[tuple[str, str]]:
        yield "summary", pages.summary(language, overview)
        yield "stages", pages.stages(language, overview)
        yield "drawing", pages.drawing(language, overview)
        for row in overview.rows:
            before = self._rows.get((language, row.provider))
            if before is None or before[0] != row:
                before = row, pages.provider_row(language, row)
                self._rows[language, row.provider] = before
            yield row.provider, before[1]

"""The pages as HTML: every value escaped, nothing inline that runs or styles. Opens only its own templates."""

import hashlib
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

import jinja2
import orjson

from services.console.overview import Overview, Row, StageRow
from services.console.picture import Picture, bars, draw, polyline, width_of
from services.console.reasons_view import ENDS, SCHOOLS, UNSAID, Chosen, ReasonRow
from services.console.words import LANGUAGES, Language, Words

STATIC: Final = resources.files("services.console").joinpath("static")
MEDIA_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
"""Of files that are served, by ending; no other is."""
_WORDS: Final = {language: Words(language) for language in LANGUAGES}


class Reader(NamedTuple):
    """Who reads: how the page is written for them."""

    language: Language
    theme: str
    token: str
    """Of their forms."""


@cache
def static_files() -> dict[str, tuple[bytes, str]]:
    """Name → content and media type."""
    return {
        file.name: (file.read_bytes(), MEDIA_TYPES[ending])
        for file in STATIC.iterdir()
        if (ending := file.name.rpartition(".")[2]) in MEDIA_TYPES
    }


def _digests() -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest()[:12] for name, (content, _) in static_files().items()}


_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("services.console"), autoescape=True, undefined=jinja2.StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, auto_reload=False,
)  # fmt: skip


def _lag_line(words: Words, row: Row | StageRow) -> str:
    """Of a box in the drawing: how far behind it is."""
    if not row.records:
        return words(row.level)
    return f"{words(row.level)} · {words.number(row.records)} · {words.duration(row.seconds)}"


def _kept_line(words: Words, overview: Overview) -> str:
    """Below the filter: what it kept back, in the last 24 hours."""
    ends = ("withheld", "held")
    return " · ".join(f"{words(end).lower()} {words.number(overview.ends.get(end, 0))}" for end in ends)


_ENVIRONMENT.globals |= {
    "polyline": polyline, "bars": bars, "width": width_of, "lag_line": _lag_line, "kept_line": _kept_line,
    "digests": _digests(),
}  # fmt: skip
_FRAGMENTS: Final = _ENVIRONMENT.get_template("fragments.html").module


def _fragment(name: str, language: Language, *said: Any) -> str:
    return str(getattr(_FRAGMENTS, name)(_WORDS[language], *said, oob=True))


def summary(language: Language, overview: Overview) -> str:
    return _fragment("summary", language, overview)


def stages(language: Language, overview: Overview) -> str:
    return _fragment("stages", language, overview)


def provider_row(language: Language, row: Row) -> str:
    return _fragment("row", language, row)


def reason_table(language: Language, rows: tuple[ReasonRow, ...]) -> str:
    return _fragment("reason_table", language, rows)


def drawing(language: Language, overview: Overview) -> str:
    """What in the drawing changes: place, text and class, each null where it stays."""
    words, picture = _WORDS[language], draw(overview)
    filtering, pseudonymisation, _ = overview.stages
    said: list[tuple[str, str | None, str | None]] = [
        ("f-changes", None, f"line {width_of(filtering.per_minute)}"),
        ("f-releases", None, f"line {width_of(pseudonymisation.per_minute)}"),
        ("f-withdrawals", None, f"line express {'w1' if overview.waiting.number else 'w0'}"),
    ]
    said.append(("k-filtering", _kept_line(words, overview), None))
    boxes: list[tuple[str, Row | StageRow]] = [(one.stage, one) for one in (filtering, pseudonymisation)]
    boxes += [(drawn.row.provider.replace(".", "_"), drawn.row) for drawn in picture.providers]
    for name, row in boxes:
        said += [
            (f"n-{name}", None, f"node {row.level}"), (f"r-{name}", words.rate(row.per_minute), None),
            (f"l-{name}", _lag_line(words, row), None),
        ]  # fmt: skip
    said += [
        (f"f-{drawn.row.provider.replace('.', '_')}", None, f"line {width_of(drawn.row.per_minute)}")
        for drawn in picture.providers
    ]
    return str(_FRAGMENTS.drawing(orjson.dumps(said).decode()))  # type: ignore[attr-defined]  # a macro


def overview_page(reader: Reader, overview: Overview, stream: str) -> str:
    picture: Picture = draw(overview)
    return _page(
        "overview.html", reader, tab="overview", stream=stream, o=overview, p=picture,
        rates={one.stage: one.per_minute for one in overview.stages},
    )  # fmt: skip


def reasons_page(
    reader: Reader, rows: tuple[ReasonRow, ...], providers: dict[str, str], chosen: Chosen, stream: str
) -> str:
    return _page(
        "reasons.html", reader, tab="reasons", stream=stream, rows=rows, providers=providers, chosen=chosen,
        ends=ENDS, schools=(*SCHOOLS, UNSAID),
    )  # fmt: skip


def login_page(reader: Reader, problem: str | None) -> str:
    return _page("login.html", reader, problem=problem)


def notice_page(reader: Reader, said: str) -> str:
    return _page("notice.html", reader, said=said)


def _page(name: str, reader: Reader, **shown: Any) -> str:
    return _ENVIRONMENT.get_template(name).render(
        words=_WORDS[reader.language], theme=reader.theme, token=reader.token, **shown
    )

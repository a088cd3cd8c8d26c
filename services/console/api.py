"""The pages over HTTP, each behind the gate; the live stream; nothing that changes anything but who is signed in."""

import asyncio
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlencode

import orjson
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console import pages
from services.console.board import RENDER_SECONDS, Board, read_since
from services.console.gate import FORM, SESSION, Gate, TooMany, keep, read_form
from services.console.model import Model
from services.console.overview import minute_series
from services.console.pages import Reader
from services.console.reasons_view import ENDS, SCHOOLS, UNSAID, Chosen
from services.console.words import LANGUAGES, Language

LANGUAGE: Final = "sanctuaire-language"
THEME: Final = "sanctuaire-theme"
THEMES: Final = ("auto", "light", "dark")
A_YEAR: Final = 365 * 24 * 3600
REASONS_SECONDS: Final = 2.0
RETRY_MS: Final = 1000
HEADERS: Final = {
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}
_STATIC: Final = {b"cache-control": b"private, max-age=31536000, immutable"}
_NEVER_KEPT: Final = {b"cache-control": b"no-store"}


@dataclass(frozen=True, slots=True)
class Ports:
    """All that the pages need of the world."""

    model: Model
    board: Board
    gate: Gate
    now: Callable[[], float]
    defect: Callable[[BaseException], None]


class NotIn(Exception):
    """Nobody is signed in."""


def create_api(ports: Ports) -> FastAPI:
    api = FastAPI(
        title="Sanctuaire: console", docs_url=None, redoc_url=None, openapi_url=None,
        # It would send the password again to whatever host the request named, without TLS.
        redirect_slashes=False,
    )  # fmt: skip

    def signed_in(request: Request) -> None:
        if not ports.gate.is_in(request):
            raise NotIn

    _add_pages(api, ports, Depends(signed_in))
    _add_streams(api, ports, Depends(signed_in))
    _add_static(api)
    _add_doors(api, ports)
    _answer_without_values(api, ports)
    api.add_middleware(_Guarded)
    return api


def _add_pages(api: FastAPI, ports: Ports, signed_in: object) -> None:
    board = ports.board

    @api.get("/", dependencies=[signed_in])  # type: ignore[list-item]  # FastAPI's own marker
    async def overview(request: Request) -> Response:
        if (turned := _turned(request)) is not None:
            return turned
        since = board.now
        stream = f"/stream?{urlencode({'since': str(since)})}"
        return HTMLResponse(pages.overview_page(_reader(request, ports), board.overview(), stream))

    @api.get("/reasons", dependencies=[signed_in])  # type: ignore[list-item]
    async def reasons(request: Request, provider: str = "", end: str = "", school: str = "") -> Response:
        if (turned := _turned(request)) is not None:
            return turned
        chosen = _chosen(ports, provider, end, school)
        stream = f"/reasons/stream?{urlencode(chosen._asdict())}"
        rows = board.reasons(chosen)
        return HTMLResponse(
            pages.reasons_page(_reader(request, ports), rows, dict(ports.model.providers), chosen, stream)
        )

    @api.get("/minutes.json", dependencies=[signed_in])  # type: ignore[list-item]
    async def minutes() -> Response:
        series = minute_series(ports.model.counts, ports.now())
        return Response(orjson.dumps(series), media_type="application/json")


def _add_streams(api: FastAPI, ports: Ports, signed_in: object) -> None:
    board = ports.board

    @api.get("/stream", response_class=EventSourceResponse, dependencies=[signed_in])  # type: ignore[list-item]
    async def stream(
        request: Request, since: str = "", last_event_id: Annotated[str, Header()] = ""
    ) -> AsyncIterable[ServerSentEvent]:
        language, seen = _language(request), read_since(last_event_id) or read_since(since)
        yield ServerSentEvent(comment="hello", retry=RETRY_MS)
        while ports.gate.is_in(request):
            if seen is not None and seen.roster != board.roster:
                yield ServerSentEvent(raw_data="providers", event="renew")
                return
            html = board.changed(language, seen)
            seen = board.now
            if html:
                yield ServerSentEvent(raw_data=html, event="fragments", id=str(seen))
            await asyncio.sleep(RENDER_SECONDS)

    @api.get("/reasons/stream", response_class=EventSourceResponse, dependencies=[signed_in])  # type: ignore[list-item]
    async def reasons_stream(
        request: Request, provider: str = "", end: str = "", school: str = ""
    ) -> AsyncIterable[ServerSentEvent]:
        language, before = _language(request), None
        chosen = _chosen(ports, provider, end, school)
        yield ServerSentEvent(comment="hello", retry=RETRY_MS)
        while ports.gate.is_in(request):
            rows = board.reasons(chosen)
            if rows != before:
                before = rows
                yield ServerSentEvent(raw_data=pages.reason_table(language, rows), event="fragments", id=str(board.now))
            await asyncio.sleep(REASONS_SECONDS)


def _add_static(api: FastAPI) -> None:
    @api.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in pages.static_files():
            raise HTTPException(404)
        content, media_type = pages.static_files()[name]
        return Response(content, media_type=media_type)


def _add_doors(api: FastAPI, ports: Ports) -> None:
    gate = ports.gate

    @api.get("/login")
    async def door(request: Request) -> Response:
        if (turned := _turned(request)) is not None:
            return turned
        return _login(request, ports, None, 200)

    @api.post("/login")
    async def knock(request: Request) -> Response:
        form = await read_form(request)
        if not gate.is_own_form(request.cookies.get(FORM, ""), form.get("token", "")):
            return _login(request, ports, "form-stale", 403)
        try:
            session = await asyncio.to_thread(gate.enter, form.get("name", ""), form.get("password", ""))
        except TooMany:
            return _login(request, ports, "too-many", 429)
        if session is None:
            return _login(request, ports, "wrong", 403)
        answer = RedirectResponse("/", 303)
        keep(answer, SESSION, session, secure=request.url.scheme == "https")
        return answer

    @api.post("/logout")
    async def leave(request: Request) -> Response:
        form = await read_form(request)
        answer = RedirectResponse("/login", 303)
        if gate.is_own_form(request.cookies.get(SESSION, ""), form.get("token", "")):
            answer.delete_cookie(SESSION, path="/")
        return answer


def _login(request: Request, ports: Ports, problem: str | None, status: int) -> Response:
    cookie = ports.gate.form_cookie(request)
    reader = Reader(_language(request), _theme(request), ports.gate.token(cookie))
    answer = HTMLResponse(pages.login_page(reader, problem), status)
    keep(answer, FORM, cookie, secure=request.url.scheme == "https")
    return answer


def _reader(request: Request, ports: Ports) -> Reader:
    return Reader(_language(request), _theme(request), ports.gate.token(request.cookies.get(SESSION, "")))


def _language(request: Request) -> Language:
    """As was chosen; else what the browser asks for first, of the two."""
    chosen = request.cookies.get(LANGUAGE) or request.headers.get("accept-language", "")[:2].lower()
    return next((language for language in LANGUAGES if language == chosen), "en")


def _theme(request: Request) -> str:
    chosen = request.cookies.get(THEME)
    return chosen if chosen in THEMES else "auto"


def _turned(request: Request) -> Response | None:
    """Where a language or a theme was asked for: remember it, and show the same page."""
    asked = [
        (LANGUAGE, request.query_params.get("lang"), LANGUAGES),
        (THEME, request.query_params.get("theme"), THEMES),
    ]
    known = [(cookie, value) for cookie, value, values in asked if value in values]
    if not known:
        return None
    answer = RedirectResponse(request.url.path, 303)
    for cookie, value in known:
        keep(answer, cookie, str(value), secure=request.url.scheme == "https", seconds=A_YEAR)
    return answer


def _chosen(ports: Ports, provider: str, end: str, school: str) -> Chosen:
    """What is no provider, no end or no type of school chooses nothing."""
    return Chosen(
        provider if provider in ports.model.providers else "", end if end in ENDS else "",
        school if school in {*SCHOOLS, UNSAID} else "",
    )  # fmt: skip


def _answer_without_values(api: FastAPI, ports: Ports) -> None:
    def notice(request: Request, said: str, status: int) -> Response:
        return HTMLResponse(pages.notice_page(Reader(_language(request), _theme(request), ""), said), status)

    @api.exception_handler(NotIn)
    async def not_in(request: Request, _error: NotIn) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        return Response("sign-in\n", 401, media_type="text/plain")

    @api.exception_handler(404)
    @api.exception_handler(405)
    @api.exception_handler(422)
    async def not_here(request: Request, _error: Exception) -> Response:
        return notice(request, "not-found", 404)

    @api.exception_handler(Exception)
    async def defect(request: Request, error: Exception) -> Response:
        ports.defect(error)
        return notice(request, "defect", 500)


class _Guarded:
    """Puts on every answer what keeps a browser from running, framing or keeping more than is meant."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = _STATIC if scope.get("path", "").startswith("/static/") else _NEVER_KEPT

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {**HEADERS, **(kept if message["status"] == 200 else _NEVER_KEPT)}
                message["headers"] = [
                    *((name, value) for name, value in message["headers"] if name.lower() not in own), *own.items(),
                ]  # fmt: skip
            await send(message)

        await self._app(scope, receive, guarded)

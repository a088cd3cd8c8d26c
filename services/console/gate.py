"""Who is let in: the session cookie, the token of each form, and how often a password may be tried."""

import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from services.console.login import (
    SESSION_SECONDS,
    Account,
    form_token,
    is_form_token,
    is_right,
    is_session,
    new_session,
)

SESSION: Final = "sanctuaire-session"
FORM: Final = "sanctuaire-form"
"""Before there is a session, what a form's token is bound to."""
MAX_BODY: Final = 4096
TRIES: Final = 10
TRIES_SECONDS: Final = 60.0
MAX_COOKIE: Final = 256


class TooMany(Exception):
    """Passwords are being tried."""


class Gate:
    """Stands before every page. Nothing of what was typed is kept or said."""

    def __init__(self, account: Callable[[], Account | None], clock: Callable[[], float] = time.time) -> None:
        self._account = account
        self._clock = clock
        self._tries: deque[float] = deque(maxlen=TRIES)

    def is_in(self, request: Request) -> bool:
        account, cookie = self._account(), request.cookies.get(SESSION, "")
        return account is not None and len(cookie) <= MAX_COOKIE and is_session(account, cookie, self._clock())

    def token(self, cookie: str) -> str:
        account = self._account()
        return form_token(account, cookie) if account else ""

    def form_cookie(self, request: Request) -> str:
        known = request.cookies.get(FORM, "")
        return known if 20 <= len(known) <= MAX_COOKIE else secrets.token_urlsafe(24)

    def is_own_form(self, cookie: str, token: str) -> bool:
        account = self._account()
        return account is not None and is_form_token(account, cookie, token)

    def enter(self, name: str, password: str) -> str | None:
        """A session; null for a wrong name or password. It takes its time: call it on a thread.

        Raises:
            TooMany: ten within a minute were wrong.
        """
        now = self._clock()
        if len(self._tries) == TRIES and now - self._tries[0] < TRIES_SECONDS:
            raise TooMany
        account = self._account()
        if account is not None and is_right(account, name, password):
            return new_session(account, now, secrets.token_urlsafe(12))
        self._tries.append(now)
        return None


def keep(response: Response, name: str, value: str, *, secure: bool, seconds: int = SESSION_SECONDS) -> None:
    """Set a cookie that no script reads and no other site sends."""
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="strict", secure=secure, path="/")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a small form; nothing where it is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return {}
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return {}
    try:
        fields = parse_qs(body.decode(), max_num_fields=8, keep_blank_values=True)
    except (UnicodeDecodeError, ValueError):
        return {}
    return {name: values[0] for name, values in fields.items()}

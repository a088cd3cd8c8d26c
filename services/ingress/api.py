"""What a platform posts to, over HTTP: a thin shell around `intake`. It connects to nothing by itself.

An answer of 2xx means that Kafka has it on all replicas. No answer repeats a value, and nothing is logged of who asks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import FastAPI, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from services.contract.changes import MAX_CHANGE_BYTES, Change
from services.contract.consents import ConsentDecision
from services.contract.errors import Unreachable
from services.ingress.description import PROBLEM, described
from services.ingress.events import encode, event_id
from services.ingress.guard import refuse_change, refuse_decision
from services.ingress.intake import JSON, MEDIA_TYPES, Intake, take
from services.ingress.platforms import Platform, Register
from services.ingress.reading import MAX_CONSENT_BYTES
from services.ingress.recording import reference_of
from services.ingress.refusals import NotTaken, Problem, problem_of

BODY_SECONDS = 15.0
"""Who sends a body more slowly holds up nobody else."""
MAX_AT_ONCE = 32
RETRY_SECONDS = {"unreachable": 5, "busy": 1, "no-register": 30}

CONSENTS = Intake("consent-decision", ConsentDecision, MAX_CONSENT_BYTES, 1 << 20, refuse_decision, reference_of)
CHANGES = Intake(
    "change", Change, MAX_CHANGE_BYTES, 2 << 20, refuse_change, lambda change: event_id(encode(change)),
)  # fmt: skip

PayloadType = TypeVar("PayloadType", bound=BaseModel)
Publish = Callable[[Sequence[PayloadType]], Awaitable[None]]
"""Returns once Kafka has acknowledged all of them; raises Unreachable where it has not."""


@dataclass(frozen=True, slots=True)
class Ports:
    """All that the API needs of the world."""

    register: Callable[[], Register | None]
    """Who may post; null while that cannot be read, and then nobody may."""
    now: Callable[[], datetime]
    addressed: Callable[[ConsentDecision], ConsentDecision | None]
    """A decision under the key of whom it is about; null while that key is not known."""
    publish_decisions: Publish[ConsentDecision]
    publish_changes: Publish[Change]
    count: Callable[[str, str, Sequence[str]], None]
    """Payload, platform (`-` for nobody known), and how each item ended."""
    defect: Callable[[BaseException], None]


Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Security(
        HTTPBearer(auto_error=False, description="The token of a platform; `sanctuaire ingress token` makes one.")
    ),
]


def create_api(ports: Ports, body_seconds: float = BODY_SECONDS) -> FastAPI:
    """The application; its document is schemas/openapi.json, so it serves none."""
    api = FastAPI(
        title="Sanctuaire: ingress", version="1.0.0", docs_url=None, redoc_url=None, openapi_url=None,
        # It would send body and token again to whatever host the request named, without TLS.
        redirect_slashes=False,
        description="What regional platforms tell the directory. An answer of 2xx means that Kafka has it on all "
        "replicas; posted again, the same counts once. Rendered by `python -m ops.rendering`; do not edit.",
        license_info={"name": "EUPL-1.2", "url": "https://eupl.eu/1.2/en/"},
    )  # fmt: skip
    gate = asyncio.Semaphore(MAX_AT_ONCE)

    async def answer(
        request: Request, bearer: HTTPAuthorizationCredentials | None,
        intake: Intake[PayloadType], publish: Publish[PayloadType],
        addressed: Callable[[PayloadType], PayloadType | None],
    ) -> Response:  # fmt: skip
        name = "-"
        try:
            platform = _platform(ports, bearer)
            name = platform.name
            _refuse_more_than_can_be_taken(gate)
            async with gate:
                media_type, body = _media_type(request), await _body(request, intake, body_seconds)
                taken = take(intake, platform, media_type, body, ports.now(), addressed)
                await publish(taken.payloads)
        except Unreachable:
            raise _counted(ports, intake, name, NotTaken("unreachable")) from None
        except NotTaken as refusal:
            raise _counted(ports, intake, name, refusal) from None
        ports.count(intake.payload, name, taken.codes)
        status = 207 if taken.answer.refused else 202
        return Response(taken.answer.model_dump_json(), status, media_type=JSON)

    @api.post("/v1/consents", **described(CONSENTS, "postConsents", "Say what families decided."))
    async def post_consents(request: Request, bearer: Bearer) -> Response:
        return await answer(request, bearer, CONSENTS, ports.publish_decisions, ports.addressed)

    @api.post("/v1/changes", **described(CHANGES, "postChanges", "Say what has changed in the directory."))
    async def post_changes(request: Request, bearer: Bearer) -> Response:
        return await answer(request, bearer, CHANGES, ports.publish_changes, lambda change: change)

    _answer_without_values(api, ports)
    return api


def _counted(ports: Ports, intake: Intake[PayloadType], platform: str, refusal: NotTaken) -> NotTaken:
    ports.count(intake.payload, platform, [one.code for one in refusal.refused] or [refusal.code])
    return refusal


def _platform(ports: Ports, bearer: HTTPAuthorizationCredentials | None) -> Platform:
    register = ports.register()
    if register is None:
        raise NotTaken("no-register")
    platform = register.platform_of(bearer.credentials) if bearer else None
    if platform is None:
        raise NotTaken("unknown-token")
    return platform


def _refuse_more_than_can_be_taken(gate: asyncio.Semaphore) -> None:
    if gate.locked():
        raise NotTaken("busy")


def _media_type(request: Request) -> str:
    named = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if named not in MEDIA_TYPES or request.headers.get("content-encoding", "identity").lower() != "identity":
        raise NotTaken("not-this-media-type")
    return named


async def _body(request: Request, intake: Intake[PayloadType], seconds: float) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > intake.body_bytes:
        raise NotTaken("too-large")
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > intake.body_bytes:
                    raise NotTaken("too-large")
    except (TimeoutError, ClientDisconnect):
        raise NotTaken("slow-body") from None
    return bytes(body)


def _answer_without_values(api: FastAPI, ports: Ports) -> None:
    """Every other answer is a problem too: the libraries' own would quote what was sent."""

    @api.exception_handler(NotTaken)
    async def not_taken(_request: Request, refusal: NotTaken) -> Response:
        return _problem(problem_of(refusal.code, refusal.refused))

    @api.exception_handler(HTTPException)
    async def not_here(_request: Request, error: HTTPException) -> Response:
        return _problem(problem_of("method-not-allowed" if error.status_code == 405 else "not-found"))

    @api.exception_handler(RequestValidationError)
    async def not_valid(_request: Request, _error: RequestValidationError) -> Response:
        return _problem(problem_of("not-this-schema"))

    @api.exception_handler(Exception)
    async def defect(_request: Request, error: Exception) -> Response:
        ports.defect(error)
        return _problem(problem_of("unexpected"))


def _problem(problem: Problem) -> Response:
    headers = {"Cache-Control": "no-store"}
    if problem.code in RETRY_SECONDS:
        headers["Retry-After"] = str(RETRY_SECONDS[problem.code])
    match problem.status:
        case 401:
            headers["WWW-Authenticate"] = "Bearer"
        case 405:
            headers["Allow"] = "POST"
        case 415:
            headers["Accept-Post"] = ", ".join(MEDIA_TYPES)
        case _:
            pass
    return Response(problem.model_dump_json(), problem.status, headers, PROBLEM)

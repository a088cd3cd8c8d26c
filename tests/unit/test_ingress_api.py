import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from services.contract.changes import Identifier
from services.contract.consents import ConsentDecision
from services.contract.parsing import parse_payload
from services.ingress import api, reading
from services.ingress.identifiers import Identifiers
from services.ingress.intake import MAX_ITEMS
from services.ingress.platforms import Platform, Register, digest_of
from services.ingress.reading import MAX_CONSENT_BYTES
from services.ingress.refusals import MEANINGS, Code
from tests.unit.ingress_requests import BEARER, CHANGE, DECISION, JSON, LINES, TOKEN, Platforms, lines

CANARY = "ZORVELQUIMUR"
CONSENTS, CHANGES = "/v1/consents", "/v1/changes"
# b2sum -l 128 of the example's canonical JSON, of the change's likewise.
RECEIPT = "99cc9cb8e75a80fcf909bb84a4d9b813"
FOREIGN = {**DECISION, "subject": "aaf-d98:1"}
WRONG = {**DECISION, "status": CANARY}


async def test_decision_is_taken_once_it_is_published_and_its_receipt_is_its_digest() -> None:
    platforms = Platforms()

    answer = await platforms.post(CONSENTS, DECISION)

    assert (answer.status_code, answer.json()) == (
        202, {"receipts": [{"position": 1, "receipt": RECEIPT}], "refused": []},
    )  # fmt: skip
    assert platforms.published == [ConsentDecision.model_validate_json(json.dumps(DECISION))]
    assert platforms.ends == {("consent-decision", "ac-99", "accepted"): 1}


async def test_same_decision_has_the_same_receipt_again_and_another_has_another() -> None:
    platforms = Platforms()

    answers = [await platforms.post(CONSENTS, one) for one in (DECISION, DECISION, {**DECISION, "proof": "other"})]

    receipts = [answer.json()["receipts"][0]["receipt"] for answer in answers]
    assert receipts[0] == receipts[1] == RECEIPT != receipts[2]


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        pytest.param([DECISION, FOREIGN, WRONG, DECISION], JSON, id="a list"),
        pytest.param(lines(DECISION, FOREIGN, WRONG, DECISION), LINES, id="one a line"),
        pytest.param(lines(DECISION, FOREIGN, WRONG, DECISION), {"content-type": "application/x-ndjson; charset=utf-8"},
                     id="one a line, and the encoding named"),
    ],
)  # fmt: skip
async def test_bad_item_is_told_by_its_place_and_keeps_no_other_from_being_heard(
    content: Any, headers: dict[str, str]
) -> None:
    platforms = Platforms()

    answer = await platforms.post(CONSENTS, content, **headers)

    assert answer.status_code == 207
    assert answer.json() == {
        "receipts": [{"position": 1, "receipt": RECEIPT}, {"position": 4, "receipt": RECEIPT}],
        "refused": [
            {"position": 2, "status": 403, "code": "foreign-subject", "detail": "subject"},
            {"position": 3, "status": 422, "code": "not-this-schema", "detail": "status: literal_error (1 in all)"},
        ],
    }
    assert len(platforms.published) == 2
    assert platforms.ends == {
        ("consent-decision", "ac-99", "accepted"): 2,
        ("consent-decision", "ac-99", "foreign-subject"): 1,
        ("consent-decision", "ac-99", "not-this-schema"): 1,
    }


TOO_MANY: list[dict[str, str]] = [{}] * (MAX_ITEMS + 1)


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        pytest.param(FOREIGN, {}, 403, "foreign-subject", id="another region's subject"),
        pytest.param({**DECISION, "party": f"guardian:aaf-d98:{CANARY}"}, {}, 403, "foreign-guardian",
                     id="another region's guardian"),
        pytest.param({**DECISION, "at": "2026-09-15T09:00:00Z"}, {}, 422, "dated-ahead", id="a yes dated ahead"),
        pytest.param({**DECISION, "subject": CANARY}, {}, 422, "not-a-subject", id="nobody's key"),
        pytest.param({**DECISION, CANARY: 1}, {}, 422, "not-this-schema", id="a field that is not declared"),
        pytest.param({**DECISION, "at": "yesterday"}, {}, 422, "not-this-schema", id="no instant"),
        pytest.param({**DECISION, "at": "2026-09-01T00:00:00"}, {}, 422, "not-this-schema", id="no offset"),
        pytest.param({"subject": CANARY}, {}, 422, "not-this-schema", id="fields missing"),
        pytest.param([], {}, 422, "nothing-said", id="an empty list"),
        pytest.param(b"\n\n", LINES, 422, "nothing-said", id="empty lines"),
        pytest.param(b"", {}, 422, "not-json", id="an empty body"),
        pytest.param(b'{"subject":"' + CANARY.encode(), {}, 422, "not-json", id="JSON cut off"),
        pytest.param(b'{"subject":"a","subject":"' + CANARY.encode() + b'"}', {}, 422, "not-json", id="a key twice"),
        pytest.param(CANARY, {}, 422, "not-this-schema", id="a text"),
        pytest.param(b"x" * (api.CONSENTS.body_bytes + 1), {}, 413, "too-large", id="a body too large"),
        pytest.param({**DECISION, "proof": CANARY * MAX_CONSENT_BYTES}, {}, 413, "too-large",
                     id="a decision too large, in a body that is not"),
        pytest.param(TOO_MANY, {}, 413, "too-many", id="too many in a list"),
        pytest.param(lines(*TOO_MANY), LINES, 413, "too-many", id="too many lines"),
        pytest.param(DECISION, {"content-type": "text/plain"}, 415, "not-this-media-type", id="plain text"),
        pytest.param(DECISION, {"content-type": ""}, 415, "not-this-media-type", id="no media type"),
        pytest.param(DECISION, {"content-type": CANARY}, 415, "not-this-media-type", id="any media type"),
        pytest.param(DECISION, {"content-encoding": "gzip"}, 415, "not-this-media-type", id="compressed"),
        pytest.param(DECISION, {"Authorization": ""}, 401, "unknown-token", id="no token"),
        pytest.param(DECISION, {"Authorization": f"Bearer {CANARY}"}, 401, "unknown-token", id="another's token"),
        pytest.param(DECISION, {"Authorization": f"Basic {TOKEN}"}, 401, "unknown-token", id="another scheme"),
        pytest.param(DECISION, {"Authorization": TOKEN}, 401, "unknown-token", id="a token without its scheme"),
        pytest.param(b"x" * (api.CONSENTS.body_bytes + 1), {"Authorization": ""}, 401, "unknown-token",
                     id="who is nobody is not read"),
    ],
)  # fmt: skip
async def test_refusal_says_what_is_wrong_without_a_value_and_publishes_nothing(
    content: Any, headers: dict[str, str], status: int, code: str
) -> None:
    platforms = Platforms()

    answer = await platforms.post(CONSENTS, content, **headers)

    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:sanctuaire:problem:{code}"
    assert problem["action"].endswith(".")
    assert CANARY not in answer.text + str(answer.headers)
    assert platforms.published == []
    assert sum(platforms.ends.values()) == 1


async def test_pupil_is_heard_under_the_ine_that_she_was_published_under_though_the_platform_may_not_say_it() -> None:
    register = Register(platforms=(Platform(name="ac-99", digest=digest_of(TOKEN), sources=("aaf-d99",), ine=False),))
    directory = Identifiers()
    directory.remember(Identifier(source="aaf-d99", entity="person", id="999-1001", value=DECISION["subject"]))
    platforms = Platforms(register=register, directory=directory)

    answer = await platforms.post(
        CONSENTS, [{**DECISION, "subject": f"aaf-d99:{local}"} for local in ("999-1001", "999-1002")]
    )

    assert answer.status_code == 202
    assert [one.subject for one in platforms.published] == [DECISION["subject"], "aaf-d99:999-1002"]
    assert answer.json()["receipts"][0]["receipt"] == RECEIPT


async def test_who_can_be_found_in_the_directory_alone_waits_for_it_and_nobody_beside_her_does() -> None:
    platforms = Platforms(directory=None)
    by_her_id = {**DECISION, "subject": "aaf-d99:999-1001"}

    both = await platforms.post(CONSENTS, [by_her_id, DECISION])
    alone = await platforms.post(CONSENTS, by_her_id)

    assert (both.status_code, [one.subject for one in platforms.published]) == (207, [DECISION["subject"]])
    assert both.json()["refused"] == [{"position": 1, "status": 503, "code": "unreachable", "detail": "subject"}]
    assert (alone.status_code, alone.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize("headers", [JSON, LINES], ids=["a list", "one a line"])
async def test_no_more_is_looked_at_than_may_be_taken(headers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bytes] = []

    def parse(model: type[BaseModel], raw: bytes, limit_bytes: int) -> BaseModel:
        looked.append(raw)
        return parse_payload(model, raw, limit_bytes)

    monkeypatch.setattr(reading, "parse_payload", parse)
    many = [1] * 100_000

    answer = await Platforms().post(CONSENTS, lines(*many) if headers is LINES else many, **headers)

    assert (answer.status_code, answer.json()["code"], len(looked)) == (413, "too-many", MAX_ITEMS + 1)


@pytest.mark.parametrize(
    ("content", "status", "code", "detail"),
    [
        pytest.param(CHANGE, 202, None, None, id="its own change"),
        pytest.param({**CHANGE, "source": "aaf-d98"}, 403, "foreign-source", "source", id="someone else's region"),
        pytest.param({**CHANGE, "category": "teacher", "entity": "school"}, 422, "not-this-schema",
                     "payload: value_error (1 in all)", id="a category of another entity"),
        pytest.param({**CHANGE, "attributes": {CANARY: CANARY}}, 422, "not-this-schema",
                     "attributes.?: extra_forbidden (1 in all)", id="an attribute that is not declared"),
    ],
)  # fmt: skip
async def test_change_passes_the_same_guard(
    content: dict[str, Any], status: int, code: str | None, detail: str | None
) -> None:
    platforms = Platforms()

    answer = await platforms.post(CHANGES, content)

    assert answer.status_code == status
    assert [(one["code"], one["detail"]) for one in answer.json()["refused"]] == ([(code, detail)] if code else [])
    assert len(platforms.published) == (0 if code else 1)
    assert CANARY not in answer.text


async def test_kafka_that_does_not_answer_is_told_with_a_time_and_nothing_is_said_to_be_taken() -> None:
    platforms = Platforms(away=True)

    answer = await platforms.post(CONSENTS, DECISION)

    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (503, "5", "unreachable")
    assert platforms.ends == {("consent-decision", "ac-99", "unreachable"): 1}


async def test_register_that_cannot_be_read_lets_nobody_in_and_does_not_blame_the_token() -> None:
    answer = await Platforms(register=None).post(CONSENTS, DECISION)

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "no-register", "30")


async def test_defect_is_told_without_its_text() -> None:
    platforms = Platforms()

    async def fail(payloads: Sequence[ConsentDecision]) -> None:
        raise KeyError(CANARY, payloads)

    transport = httpx.ASGITransport(
        api.create_api(replace(platforms.ports, publish_decisions=fail)), raise_app_exceptions=False
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=BEARER) as client:
        answer = await client.post(CONSENTS, json=DECISION)

    assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")
    assert CANARY not in answer.text
    assert platforms.defects == ["KeyError"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        pytest.param("GET", CONSENTS, 405, "method-not-allowed", id="reading"),
        pytest.param("DELETE", CHANGES, 405, "method-not-allowed", id="deleting"),
        pytest.param("POST", f"/v1/{CANARY}", 404, "not-found", id="another path"),
        pytest.param("POST", f"{CONSENTS}/", 404, "not-found", id="a path with a slash too many"),
        pytest.param("GET", "/openapi.json", 404, "not-found", id="the document, which is a file"),
        pytest.param("GET", "/docs", 404, "not-found", id="a page with scripts from elsewhere"),
    ],
)
async def test_there_is_nothing_else_and_no_path_is_repeated(method: str, path: str, status: int, code: str) -> None:
    async with Platforms().client() as client:
        answer = await client.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert CANARY not in answer.text
    assert "location" not in answer.headers
    assert answer.headers.get("allow") == ("POST" if status == 405 else None)


async def test_body_that_has_no_declared_length_is_bounded_all_the_same() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(api.CONSENTS.body_bytes // 1024 + 1):
            yield b" " * 1024

    platforms = Platforms()
    async with platforms.client() as client:
        answer = await client.post(CONSENTS, content=endless(), headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


async def test_body_that_does_not_come_is_not_waited_for() -> None:
    async def halting() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    platforms = Platforms()
    transport = httpx.ASGITransport(api.create_api(platforms.ports, body_seconds=0.05))
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=BEARER) as client:
        answer = await client.post(CONSENTS, content=halting(), headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (408, "slow-body")
    assert platforms.published == []


async def test_more_at_once_than_can_be_taken_is_told_to_come_again() -> None:
    platforms, full = Platforms(), asyncio.Event()

    async def wait(_payloads: Sequence[ConsentDecision]) -> None:
        await full.wait()

    transport = httpx.ASGITransport(api.create_api(replace(platforms.ports, publish_decisions=wait)))
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=BEARER) as client:
        asked = [asyncio.create_task(client.post(CONSENTS, json=DECISION)) for _ in range(api.MAX_AT_ONCE + 1)]
        (first,), _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        full.set()
        statuses = [(await one).status_code for one in asked]

    assert (first.result().json()["code"], first.result().headers["retry-after"]) == ("busy", "1")
    assert statuses.count(202) == api.MAX_AT_ONCE
    assert statuses.count(503) == 1


def test_every_code_has_a_meaning_and_every_meaning_a_code() -> None:
    codes = {code for part in Code.__args__ for code in part.__args__}

    assert codes == set(MEANINGS)
    assert [code for code, meaning in MEANINGS.items() if not meaning.title.endswith(".")] == []

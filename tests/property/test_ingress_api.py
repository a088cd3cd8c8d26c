"""Whatever is posted gets an answer that is described, repeats nothing, and takes only what the guard allows."""

import asyncio
import json
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from services.contract.changes import Change
from services.contract.consents import ConsentDecision
from services.ingress.intake import Answer
from services.ingress.refusals import MEANINGS, Problem
from tests.unit.ingress_requests import BEARER, CHANGE, DECISION, Platforms

CANARY = "ZORVELQUIMUR"
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(CANARY)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
SUBJECTS = st.sampled_from(["aaf-d99:1", "aaf-d98:1", "999000001AB", f"{CANARY}:1", CANARY])
HEADERS = st.fixed_dictionaries(
    {
        "content-type": st.sampled_from(["application/json", "application/x-ndjson", "text/plain", "", CANARY]),
        "authorization": st.sampled_from([BEARER["Authorization"], "", f"Bearer {CANARY}", CANARY]),
    }
)


def nearly(example: dict[str, Any]) -> SearchStrategy[Any]:
    """An example with some values replaced, dropped or added."""
    spoilt = st.dictionaries(st.sampled_from([*example, CANARY]), ANYTHING | SUBJECTS, max_size=3)
    dropped = st.sets(st.sampled_from(list(example)), max_size=1)
    return st.builds(
        lambda changes, gone: {name: value for name, value in (example | changes).items() if name not in gone},
        spoilt, dropped,
    )  # fmt: skip


ITEMS = nearly(DECISION) | nearly(CHANGE) | ANYTHING
BODIES = st.one_of(
    ITEMS.map(json.dumps).map(str.encode),
    st.lists(ITEMS, max_size=4).map(json.dumps).map(str.encode),
    st.lists(ITEMS, max_size=4).map(lambda items: "\n".join(map(json.dumps, items)).encode()),
    st.binary(max_size=200),
)


def ask(path: str, body: bytes, headers: dict[str, str]) -> tuple[httpx.Response, Platforms]:
    platforms = Platforms()

    async def post() -> httpx.Response:
        async with platforms.client() as client:
            return await client.post(path, content=body, headers=headers)

    return asyncio.run(post()), platforms


@settings(max_examples=250)
@given(path=st.sampled_from(["/v1/consents", "/v1/changes"]), body=BODIES, headers=HEADERS)
def test_every_answer_is_described_and_takes_only_what_is_the_platform_s(
    path: str, body: bytes, headers: dict[str, str]
) -> None:
    answer, platforms = ask(path, body, headers)

    assert platforms.defects == []
    assert CANARY not in answer.text + str(answer.headers)
    if answer.status_code in {202, 207}:
        taken = Answer.model_validate_json(answer.content)
        assert len(taken.receipts) == len(platforms.published) > 0
        assert bool(taken.refused) is (answer.status_code == 207)
    else:
        problem = Problem.model_validate_json(answer.content)
        assert MEANINGS[problem.code].status == answer.status_code == problem.status
        assert platforms.published == []
    for payload in platforms.published:
        match payload:
            case ConsentDecision():
                assert payload.subject == "999000001AB" or payload.subject.startswith("aaf-d99:")
            case Change():
                assert payload.source == "aaf-d99"
            case _:
                raise AssertionError
    assert sum(platforms.ends.values()) >= 1


@settings(max_examples=60)
@given(body=st.lists(nearly(DECISION), min_size=1, max_size=4).map(json.dumps).map(str.encode))
def test_same_body_posted_twice_has_the_same_answer(body: bytes) -> None:
    headers = {"content-type": "application/json", **BEARER}

    first, _ = ask("/v1/consents", body, headers)
    second, _ = ask("/v1/consents", body, headers)

    assert (first.status_code, first.content) == (second.status_code, second.content)

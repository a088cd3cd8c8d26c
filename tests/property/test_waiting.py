"""What waits (for an operator, for fresh consents or policies) ends as if it had never had to."""

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.contract.acts import APPROVAL_KEY
from services.contract.policies import ProviderPolicy
from services.contract.topology import CONSENTS, MOVES, RELEASES, WITHDRAWALS
from services.filtering.agent import FilteringAgent
from services.filtering.guard import OF_THE_PERSON
from services.filtering.subject import SUBJECT, load
from services.runtime.outbox import Reached
from services.runtime.policies import PolicyBook
from tests.property.histories import Fact, histories, message
from tests.replay.invented import MAIA, bytes_of, contract_with, example, policy
from tests.replay.rapid import NOW_US, judged
from tests.unit.stage_runs import Stage, book

GAR = policy(contracts=contract_with(required=["level"]))
LECTURE = policy("consent-service", version=4)
US = example("provider-policy/1/us-support")["places"]
PAST = {"until": "2026-09-14"}
CUT_OFFS = [
    policy(version=5, places=US),
    policy(version=5, contracts=[]),
    policy(version=5, contracts=contract_with(**PAST)),
    policy(version=5, contracts=contract_with(kinds=[])),
    policy("consent-service", version=5, places=US),
    policy("consent-service", version=5, contracts=[]),
    policy("consent-service", version=5, contracts=contract_with("consent-service", **PAST)),
    policy("consent-service", version=5, contracts=contract_with("consent-service", kinds=["teacher"]), staged=True),
]
facts = histories.flatmap(st.permutations)
cut_offs = st.sampled_from(CUT_OFFS)
Step = tuple[Fact, str]


def filtering() -> tuple[Stage, PolicyBook]:
    policies = book(GAR, LECTURE)
    return Stage(FilteringAgent(policies)), policies


def view(stage: Stage) -> dict[str, str]:
    """What each pair would show at its provider: the digest of what was last released, where it is not erased."""
    pairs = load(stage.state.get(SUBJECT + MAIA)).pairs
    return {name: pair.digest for name, pair in pairs.items() if pair.last == "release"}


async def put(stage: Stage, policies: PolicyBook, changed: ProviderPolicy) -> None:
    policies.apply(changed.provider.encode(), bytes_of(changed))
    await stage.sweep()


async def tell(stage: Stage, told: Sequence[Fact]) -> None:
    for fact in told:
        topic, key, value = message(fact)
        await stage.take(topic, (key, value))


def withdrawn(stage: Stage) -> list[dict[str, Any]]:
    return [value for topic in (RELEASES, WITHDRAWALS) for value in stage.of(topic) if "reasons" in value]


@settings(deadline=None, max_examples=60)
@given(facts, st.lists(st.sampled_from(("", "", "consents", "policies")), min_size=11, max_size=11))
def test_staleness_delays_what_is_released_and_changes_nothing_else(told: list[Fact], stale: list[str]) -> None:
    async def run(*, ever_stale: bool) -> tuple[dict[str, str], list[bool]]:
        stage, policies = filtering()
        sent_while_stale = []
        for number, fact in enumerate(told):
            what = stale[number] if ever_stale else ""
            stage.reached = Reached(dict.fromkeys((CONSENTS, MOVES), 0 if what == "consents" else NOW_US))
            policies.confirmed_us = None if what == "policies" else NOW_US
            before = len(stage.of(RELEASES))
            await tell(stage, [fact])
            await stage.tick()
            if what:
                sent_while_stale.append(len(stage.of(RELEASES)) > before)
        stage.reached, policies.confirmed_us = Reached({CONSENTS: NOW_US, MOVES: NOW_US}), NOW_US
        await stage.tick()
        return view(stage), sent_while_stale

    delayed, sent_while_stale = asyncio.run(run(ever_stale=True))

    assert not any(sent_while_stale)
    assert delayed == asyncio.run(run(ever_stale=False))[0]


@settings(deadline=None, max_examples=60)
@given(facts, cut_offs, st.integers(0, 11), st.integers(0, 11))
def test_what_is_put_right_before_anybody_approves_ends_as_if_it_had_never_been(
    told: list[Fact], cut_off: ProviderPolicy, first: int, second: int
) -> None:
    start, end = sorted((first, second))

    async def run(*, ever_cut_off: bool) -> tuple[dict[str, str], list[dict[str, Any]]]:
        stage, policies = filtering()
        await tell(stage, told[:start])
        if ever_cut_off:
            await put(stage, policies, cut_off)
        await tell(stage, told[start:end])
        if ever_cut_off:
            before = {GAR.provider: GAR, LECTURE.provider: LECTURE}[cut_off.provider]
            await put(stage, policies, before.model_copy(update={"version": 6}))
        await tell(stage, told[end:])
        return view(stage), withdrawn(stage)

    seen, taken_back = asyncio.run(run(ever_cut_off=True))

    assert seen == asyncio.run(run(ever_cut_off=False))[0]
    assert all(reasons_of_the_person(value) or said_no(told) for value in taken_back)


def reasons_of_the_person(withdrawal: dict[str, Any]) -> bool:
    return any(reason.partition("/")[2] in OF_THE_PERSON for reason in withdrawal["reasons"])


def said_no(told: Sequence[Fact]) -> bool:
    """Whether somebody ever said no, or a source let go of her: then an erasure may be owed under any reason."""
    return any(getattr(fact, "status", "given") != "given" or getattr(fact, "kind", "") == "delete" for fact in told)


@settings(deadline=None, max_examples=60)
@given(facts, cut_offs, st.integers(0, 11), st.integers(0, 11))
def test_an_approval_at_any_moment_ends_as_if_it_had_been_there_from_the_start(
    told: list[Fact], cut_off: ProviderPolicy, first: int, second: int
) -> None:
    start, end = sorted((first, second))

    async def run(*, at_once: bool) -> dict[str, str]:
        stage, policies = filtering()
        await tell(stage, told[:start])
        await put(stage, policies, cut_off)
        if at_once:
            await approve(stage, policies)
        await tell(stage, told[start:end])
        await approve(stage, policies)
        await tell(stage, told[end:])
        return view(stage)

    assert asyncio.run(run(at_once=False)) == asyncio.run(run(at_once=True))


async def approve(stage: Stage, policies: PolicyBook) -> None:
    policies.apply(APPROVAL_KEY, judged(policies, "approved"))
    await stage.sweep()

"""A guardian is known to a provider while a pupil whom it knows links her, and no longer."""

from typing import Any

import pytest

from services.contract.changes import Change
from services.contract.links import Link
from services.contract.policies import ProviderPolicy
from services.contract.topology import (
    CHANGES,
    CONSENTS,
    FILTERING_AUDIT,
    LINKS,
    RELEASES,
    UNLINKS,
    WITHDRAWALS,
)
from services.filtering.agent import FilteringAgent
from tests.replay.invented import (
    INE,
    MAIA,
    bytes_of,
    consent,
    contract_with,
    delete,
    for_families,
    guardian_joins,
    joins,
    link,
    patch,
    policy,
)
from tests.unit.stage_runs import Stage, book, ends_of

NOE, LEA = "aaf-d99:999-2001", "aaf-d99:999-2002"
GAR = {"provider": "gar", "contract": "GAR-2026"}
AT = "2026-09-04T17:12:08+02:00"
V2 = "20260916.1.000000001"


def filtering(*policies: ProviderPolicy) -> Stage:
    return Stage(FilteringAgent(book(*policies)))


def apply(stage: Stage, *policies: ProviderPolicy) -> None:
    for each in policies:
        stage.agent._policies.apply(each.provider.encode(), bytes_of(each))  # type: ignore[attr-defined]  # its book


async def tell(stage: Stage, *changes: Change, key: bytes = MAIA) -> None:
    await stage.take(CHANGES, *((key, bytes_of(each)) for each in changes))


async def bind(stage: Stage, *links: Link, lane: str = LINKS) -> None:
    await stage.take(lane, *((each.guardian.encode(), bytes_of(each)) for each in links))


def said(stage: Stage, topic: str) -> list[tuple[str, str, bool]]:
    """Guardian, `<provider>/<contract>` and word of every link on a topic, in order."""
    return [(one["guardian"], f"{one['provider']}/{one['contract']}", one["on"]) for one in stage.of(topic)]


def released(stage: Stage) -> list[str]:
    return [one["subject"] for one in stage.of(RELEASES) if "fields" in one]


def withdrawn(stage: Stage, topic: str = WITHDRAWALS) -> list[tuple[str, list[str]]]:
    return [(one["subject"], one["reasons"]) for one in stage.of(topic) if "reasons" in one]


# --- the pupil's side


async def test_release_of_a_pupil_links_each_of_her_guardians_once() -> None:
    stage = filtering(for_families())
    await tell(stage, joins(), patch(V2, level="4EME"))

    assert said(stage, LINKS) == [(NOE, "gar/GAR-2026", True), (LEA, "gar/GAR-2026", True)]
    assert said(stage, UNLINKS) == []
    assert [one["pupil"] for one in stage.of(LINKS)] == [INE, INE]


async def test_link_has_a_seq_of_its_own_above_that_of_the_release() -> None:
    stage = filtering(for_families())
    await tell(stage, joins())
    (release,) = stage.of(RELEASES)
    seqs = [one["seq"] for one in stage.of(LINKS)]

    assert seqs == [release["seq"] + 1, release["seq"] + 2]


async def test_withdrawal_of_a_pupil_unlinks_her_guardians_on_the_express_lane() -> None:
    stage = filtering(for_families())
    await tell(stage, joins(), delete("20261001.1.000000001"))

    assert said(stage, UNLINKS) == [(NOE, "gar/GAR-2026", False), (LEA, "gar/GAR-2026", False)]
    assert stage.of(UNLINKS)[0]["seq"] > stage.of(LINKS)[1]["seq"]


async def test_withdrawal_of_a_sweep_unlinks_on_the_ordinary_lane() -> None:
    stage = filtering(for_families())
    await tell(stage, joins())
    apply(stage, for_families(schools=["0999002X"]).model_copy(update={"version": 9}))
    await stage.sweep()
    await stage.sweep()

    assert said(stage, LINKS)[2:] == [(NOE, "gar/GAR-2026", False), (LEA, "gar/GAR-2026", False)]
    assert said(stage, UNLINKS) == []


async def test_contract_that_comes_to_cover_guardians_links_those_of_pupils_who_are_known_already() -> None:
    stage = filtering(policy())
    await tell(stage, joins())
    before = said(stage, LINKS)
    apply(stage, for_families().model_copy(update={"version": 9}))
    await stage.sweep()

    assert before == []
    assert said(stage, LINKS) == [(NOE, "gar/GAR-2026", True), (LEA, "gar/GAR-2026", True)]


@pytest.mark.parametrize(
    ("guardians", "words"),
    [
        pytest.param([{"id": "999-2001", "legal": "1"}], [(LEA, False)], id="one who is no longer named"),
        pytest.param([{"id": "999-2001", "legal": "1"}, {"id": "999-2002", "legal": "0"}], [(LEA, False)],
                     id="one who lost her authority"),
        pytest.param([{"id": "999-2001"}, {"id": "999-2002", "legal": "2"}], [], id="who may at least oppose stays"),
        pytest.param([], [(NOE, False), (LEA, False)], id="all of them"),
    ],
)  # fmt: skip
async def test_guardian_falls_with_her_authority(guardians: list[Any], words: list[tuple[str, bool]]) -> None:
    stage = filtering(for_families())
    await tell(stage, joins(), patch(V2, guardians=guardians))

    assert [(guardian, on) for guardian, _, on in said(stage, UNLINKS)] == words
    assert len(said(stage, LINKS)) == 2


async def test_guardian_who_comes_later_is_linked_then() -> None:
    stage = filtering(for_families())
    await tell(stage, joins(attributes={"guardians": []}), patch(V2, guardians=[{"id": "999-2001", "legal": "1"}]))

    assert said(stage, LINKS) == [(NOE, "gar/GAR-2026", True)]


async def test_pupil_who_is_held_keeps_her_guardians() -> None:
    stage = filtering(for_families())
    await tell(stage, joins(), patch(V2, given_name=None))

    assert [end for _, end, _ in ends_of(stage, FILTERING_AUDIT)] == ["released", "held"]
    assert said(stage, UNLINKS) == []


@pytest.mark.parametrize(
    "contract",
    [
        pytest.param({"kinds": ["pupil"]}, id="a contract for pupils alone"),
        pytest.param({"schools": []}, id="a contract that does not release the pupil"),
    ],
)
async def test_nobody_is_linked_by(contract: dict[str, Any]) -> None:
    stage = filtering(for_families(**contract))
    await tell(stage, joins())

    assert (said(stage, LINKS), said(stage, UNLINKS)) == ([], [])


async def test_contract_for_adults_alone_links_by_whatever_contract_its_provider_knows_the_pupil() -> None:
    (pupils,) = contract_with(kinds=["pupil"])
    adults: dict[str, Any] = {"id": "GAR-ADULTS", "purpose": "school-news", "kinds": ["guardian"]}
    (news,) = contract_with(**adults)
    (elsewhere,) = contract_with(**adults | {"id": "GAR-OTHERS", "purpose": "news", "schools": ["0750001A"]})
    stage = filtering(
        policy(contracts=[pupils, news, elsewhere]),
        policy(provider="suite", contracts=contract_with(kinds=["guardian"], id="SUI-2026")),
    )
    await tell(stage, joins())

    assert said(stage, LINKS) == [(NOE, "gar/GAR-ADULTS", True), (LEA, "gar/GAR-ADULTS", True)]


async def test_guardian_whose_key_is_too_long_to_travel_is_not_linked() -> None:
    stage = filtering(for_families())
    source, guardians = "a" * 40, [{"id": "9" * 120, "legal": "1"}, {"id": "1", "legal": "1"}]
    await tell(stage, joins(source=source, attributes={"guardians": guardians}))

    assert said(stage, LINKS) == [(f"{source}:1", "gar/GAR-2026", True)]


async def test_teacher_links_nobody() -> None:
    stage = filtering(for_families(kinds=["pupil", "guardian", "teacher"]))
    await tell(stage, joins(category="teacher", id="t-1", attributes={"ine": None}), key=b"aaf-d99:t-1")

    assert said(stage, LINKS) == []


# --- the guardian's side


async def test_guardian_whom_nobody_links_is_withheld() -> None:
    stage = filtering(for_families())
    await tell(stage, guardian_joins(), key=NOE.encode())

    assert ends_of(stage, FILTERING_AUDIT) == [("gar/GAR-2026", "withheld", "R2/no-linked-pupil")]


@pytest.mark.parametrize("order", ["link first", "guardian first"])
async def test_guardian_is_released_once_she_and_a_link_are_there(order: str) -> None:
    stage = filtering(for_families())
    if order == "link first":
        await bind(stage, link(on=True, seq=1, **GAR))
        await tell(stage, guardian_joins(), key=NOE.encode())
    else:
        await tell(stage, guardian_joins(), key=NOE.encode())
        await bind(stage, link(on=True, seq=1, **GAR))

    assert released(stage) == [NOE]


async def test_guardian_falls_with_the_last_pupil_that_links_her_and_not_before() -> None:
    stage = filtering(for_families())
    await tell(stage, guardian_joins(), key=NOE.encode())
    await bind(stage, link(on=True, seq=1, pupil="p-1", **GAR), link(on=True, seq=1, pupil="p-2", **GAR))
    await bind(stage, link(on=False, seq=2, pupil="p-1", **GAR), lane=UNLINKS)
    before = withdrawn(stage)
    await bind(stage, link(on=False, seq=2, pupil="p-2", **GAR), lane=UNLINKS)

    assert before == []
    assert released(stage) == [NOE]
    assert withdrawn(stage) == [(NOE, ["R1/no-contract"])]
    assert ends_of(stage, FILTERING_AUDIT)[-1] == ("gar/GAR-2026", "erased", "R1/no-linked-pupil")


async def test_same_pupil_linking_twice_is_one_pupil() -> None:
    stage = filtering(for_families())
    await tell(stage, guardian_joins(), key=NOE.encode())
    await bind(stage, link(on=True, seq=1, **GAR), link(on=True, seq=3, **GAR))
    await bind(stage, link(on=False, seq=4, **GAR), lane=UNLINKS)

    assert withdrawn(stage) == [(NOE, ["R1/no-contract"])]


async def test_link_under_one_contract_opens_no_other() -> None:
    stage = filtering(for_families())
    await tell(stage, guardian_joins(), key=NOE.encode())
    await bind(stage, link(on=True, seq=1, provider="gar", contract="GAR-2025"))

    assert released(stage) == []


async def test_guardian_needs_her_own_legal_basis_beside_the_link() -> None:
    kinds = ["pupil", "guardian"]
    stage = filtering(policy("consent-service", contracts=contract_with("consent-service", kinds=kinds, required=[])))
    await tell(stage, guardian_joins(), key=NOE.encode())
    await bind(stage, link(on=True, seq=1))
    before = ends_of(stage, FILTERING_AUDIT)[-1]
    await stage.take(CONSENTS, (NOE.encode(), bytes_of(consent("subject", "given", AT, subject=NOE))))

    assert before == ("lecture/LEC-2026", "withheld", "R12/subject-consent-missing")
    assert released(stage) == [NOE]


async def test_schools_of_a_contract_are_those_of_the_pupils_who_link() -> None:
    stage = filtering(for_families(schools=["0999001W"]))
    await tell(stage, guardian_joins(), key=NOE.encode())
    await bind(stage, link(on=True, seq=1, **GAR))

    assert released(stage) == [NOE]


@pytest.mark.parametrize(
    ("late", "word"),
    [
        pytest.param(link(on=True, seq=1, **GAR), "superseded", id="an older word"),
        pytest.param(link(on=False, seq=2, **GAR), "duplicate", id="the same word again"),
    ],
)
async def test_guardian_does_not_come_back_by(late: Link, word: str) -> None:
    stage = filtering(for_families())
    await tell(stage, guardian_joins(), key=NOE.encode())
    await bind(stage, link(on=False, seq=2, **GAR), lane=UNLINKS)
    await bind(stage, late)

    assert ends_of(stage, FILTERING_AUDIT)[-1] == ("-", "refused", word)
    assert released(stage) == []


@pytest.mark.parametrize(("lane", "topic"), [(UNLINKS, WITHDRAWALS), (LINKS, RELEASES)])
async def test_end_of_a_link_is_passed_on_on_the_lane_it_came_on(lane: str, topic: str) -> None:
    stage = filtering(for_families())
    await tell(stage, guardian_joins(), key=NOE.encode())
    await bind(stage, link(on=True, seq=1, **GAR))
    await bind(stage, link(on=False, seq=2, **GAR), lane=lane)

    assert withdrawn(stage, topic) == [(NOE, ["R1/no-contract"])]
    assert withdrawn(stage, RELEASES if topic == WITHDRAWALS else WITHDRAWALS) == []


async def test_guardian_of_whom_only_a_link_is_known_is_held() -> None:
    stage = filtering(for_families())
    await bind(stage, link(on=True, seq=1, **GAR))

    assert ends_of(stage, FILTERING_AUDIT) == [("-", "held", "subject-unknown")]


async def test_link_under_the_key_of_another_is_put_aside() -> None:
    stage = filtering(for_families())
    await stage.take(LINKS, (LEA.encode(), bytes_of(link(on=True, seq=1, **GAR))), (NOE.encode(), b"{}"))

    assert stage.codes(LINKS) == ["key-mismatch", "not-this-schema"]


async def test_whole_family_comes_and_goes_together() -> None:
    """What the pupil's partition says is what the guardian's takes."""
    stage = filtering(for_families())
    await tell(stage, guardian_joins(), key=NOE.encode())
    await tell(stage, joins())
    await stage.take(LINKS, *((one["guardian"].encode(), bytes_of(Link(**one))) for one in stage.of(LINKS)))
    await tell(stage, delete("20261001.1.000000001"))
    await stage.take(UNLINKS, *((one["guardian"].encode(), bytes_of(Link(**one))) for one in stage.of(UNLINKS)))

    assert released(stage) == [INE, NOE]
    assert [subject for subject, _ in withdrawn(stage)] == [INE, NOE]

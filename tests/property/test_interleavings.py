"""In which order things arrive does not alter what is known in the end: small histories, every order of each."""

from itertools import permutations

import pytest

from services.contract.changes import Change
from services.contract.links import Link
from services.contract.policies import ProviderPolicy
from services.contract.topology import CHANGES, CONSENTS, POLICIES
from services.filtering.particulars import NOTHING_PARTICULAR, tie
from tests.integration.pipeline_people import known_of
from tests.property.household import Household, Told, all_views, household
from tests.replay.invented import (
    INE,
    bytes_of,
    consent,
    contract_with,
    delete,
    for_families,
    guardian_joins,
    joins,
    link,
    objection,
    patch,
    policy,
    restriction,
)
from tests.replay.rapid import Rapid

NOE = "aaf-d99:999-2001"
GAR, LECTURE = "gar/GAR-2026", "lecture/LEC-2026"
ALONE = [{"id": "999-2001", "legal": "1"}]
READING = contract_with("consent-service", kinds=["pupil", "guardian"], required=[])
SCHOOL, READERS = for_families(), policy("consent-service", contracts=READING)


def pupil(payload: object) -> Told:
    return Told(INE, payload)  # type: ignore[arg-type]  # every payload here is one


def of_pupil(party: str, status: str, hour: int, until: str | None = None) -> Told:
    return pupil(consent(party, status, f"2026-09-04T{hour:02d}:00:00Z", until=until))


def of_guardian(status: str, hour: int) -> Told:
    return Told(NOE, consent("subject", status, f"2026-09-04T{hour:02d}:00:00Z", subject=NOE))


MAIA = pupil(joins(attributes={"guardians": ALONE}))
MAIA_ALONE = pupil(patch("20260916.1.000000001", guardians=[]))
MAIA_WITH_NOE = pupil(patch("20260917.1.000000001", guardians=ALONE))
MAIA_LEAVES = pupil(delete("20260918.1.000000001"))
MOTHER = Told(NOE, guardian_joins())
GIVEN = (of_pupil("child", "given", 8), of_pupil(f"guardian:{NOE}", "given", 8))

HISTORIES = [
    pytest.param([SCHOOL], [MAIA, MOTHER], {INE: {GAR}, NOE: {GAR}}, id="a family joins"),
    pytest.param([SCHOOL], [MAIA, MOTHER, MAIA_LEAVES], {}, id="the pupil leaves, and her mother with her"),
    pytest.param([SCHOOL], [MAIA, MAIA_ALONE, MOTHER], {INE: {GAR}}, id="the mother is no longer named"),
    pytest.param([SCHOOL], [MAIA, MAIA_ALONE, MAIA_WITH_NOE, MOTHER], {INE: {GAR}, NOE: {GAR}},
                 id="the mother goes and comes back"),
    pytest.param([SCHOOL], [MAIA, MAIA_ALONE, MAIA_WITH_NOE, MAIA_LEAVES, MOTHER], {},
                 id="the mother goes, comes back, and the pupil leaves"),
    pytest.param([READERS], [MAIA, MOTHER, *GIVEN, of_guardian("given", 8)], {INE: {LECTURE}, NOE: {LECTURE}},
                 id="everybody agrees"),
    pytest.param([READERS], [MAIA, *GIVEN, of_pupil(f"guardian:{NOE}", "withdrawn", 9), MOTHER], {},
                 id="the mother withdraws for her daughter"),
    pytest.param([READERS], [MAIA, MOTHER, *GIVEN, of_guardian("withdrawn", 9)], {INE: {LECTURE}},
                 id="the mother does not agree for herself"),
    pytest.param([READERS], [MAIA, *GIVEN, of_pupil("child", "given", 7, "2026-09-01T00:00:00Z")], {INE: {LECTURE}},
                 id="an older consent that has run out"),
    pytest.param([SCHOOL, READERS], [MAIA, MOTHER, *GIVEN], {INE: {GAR, LECTURE}, NOE: {GAR}},
                 id="two providers, one of them by consent"),
    pytest.param([SCHOOL], [MAIA, MOTHER, pupil(objection("open", "2026-09-05T08:00:00Z")),
                            pupil(objection("upheld", "2026-09-06T08:00:00Z"))], {},
                 id="an objection is upheld"),
    pytest.param([SCHOOL], [MAIA, MOTHER, pupil(objection("open", "2026-09-05T08:00:00Z")),
                            pupil(objection("rejected", "2026-09-06T08:00:00Z", grounds="G-4"))],
                 {INE: {GAR}, NOE: {GAR}}, id="an objection is rejected with grounds"),
    pytest.param([SCHOOL], [MAIA, MOTHER, pupil(restriction("court-order", "standing", "2026-09-05T08:00:00Z")),
                            pupil(restriction("court-order", "lifted", "2026-09-06T08:00:00Z"))],
                 {INE: {GAR}, NOE: {GAR}}, id="a court order is lifted"),
]  # fmt: skip


@pytest.mark.parametrize(("policies", "inputs", "expected"), HISTORIES)
def test_every_order_ends_in_what_is_known_by(
    policies: list[ProviderPolicy], inputs: list[Told], expected: dict[str, set[str]]
) -> None:
    (end,) = all_views(household(*policies), inputs)

    assert {who: set(pairs) for who, pairs in end.items()} == expected


@pytest.mark.parametrize(("policies", "inputs", "expected"), HISTORIES[:5])
def test_links_that_come_twice_in_any_place_end_the_same(
    policies: list[ProviderPolicy], inputs: list[Told], expected: dict[str, set[str]]
) -> None:
    (end,) = all_views(household(*policies), inputs, copies=2)

    assert {who: set(pairs) for who, pairs in end.items()} == expected


def test_household_that_loses_a_link_is_found_out() -> None:
    """The search can fail: with the link lost, the mother is not known."""
    at: Household = household(SCHOOL).hear(MAIA)
    lost = Household(at.contracts, at.people, at.seqs)

    assert len(all_views(lost, [MOTHER])) == 1
    assert all_views(lost, [MOTHER]) != all_views(at, [MOTHER])


SAID = [link(on=True, seq=1), link(on=False, seq=3), link(on=True, seq=4), link(on=True, seq=2, pupil="p-2"),
        link(on=False, seq=5, pupil="p-2")]  # fmt: skip


@pytest.mark.parametrize("order", list(permutations(SAID)), ids=lambda order: "".join(str(one.seq) for one in order))
def test_links_in_any_order_and_again_leave_the_last_word_of_each_pupil(order: tuple[Link, ...]) -> None:
    known = NOTHING_PARTICULAR
    for word in (*order, *reversed(order)):
        known, _ = tie(known, word)

    assert known.links == {LECTURE: {INE: 4, "p-2": -5}}
    assert known.linking == {LECTURE}


def message(told: Told) -> tuple[str, bytes, bytes]:
    topic = CHANGES if isinstance(told.payload, Change) else CONSENTS
    return topic, told.key.encode(), bytes_of(told.payload)


async def known_after(told: tuple[Told, ...], *, each: bool) -> dict[str, int]:
    """How many people each provider knows."""
    rapid = Rapid(("gar", "lecture"))
    for one in (SCHOOL, READERS):
        rapid.put(POLICIES, one.provider.encode(), bytes_of(one))
    for topic, key, value in map(message, told):
        rapid.put(topic, key, value)
        if each:
            await rapid.run()
    await rapid.run()
    return {name: len(known_of(rapid, name)) for name in ("gar", "lecture")}


@pytest.mark.parametrize("each", [True, False], ids=["one by one", "at once"])
@pytest.mark.parametrize(
    ("inputs", "known"),
    [
        pytest.param([MAIA, MOTHER, *GIVEN, of_guardian("given", 8)], {"gar": 2, "lecture": 2}, id="all agree"),
        pytest.param([MAIA, MOTHER, *GIVEN, MAIA_LEAVES], {"gar": 0, "lecture": 0}, id="the pupil leaves"),
        pytest.param([MAIA, MOTHER, *GIVEN, of_pupil("child", "withdrawn", 9)], {"gar": 2, "lecture": 0},
                     id="the child withdraws"),
    ],
)  # fmt: skip
async def test_stages_come_to_the_same_in_every_order(inputs: list[Told], known: dict[str, int], *, each: bool) -> None:
    ends = [await known_after(order, each=each) for order in permutations(inputs)]

    assert [end for end in ends if end != known] == []
    assert len(ends) == 120

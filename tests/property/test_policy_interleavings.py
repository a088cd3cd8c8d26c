"""In which order policies, images and words of a family arrive does not alter what is known in the end.

Histories of six messages at most, every order of each, none by chance.
"""

from itertools import permutations
from typing import Any

import pytest

from services.contract.policies import ProviderPolicy
from services.contract.topology import POLICIES
from tests.integration.pipeline_people import known_of
from tests.property.histories import Message, message
from tests.replay.invented import INE, bytes_of, consent, contract_with, delete, joins, patch, policy
from tests.replay.rapid import Rapid

READING = "consent-service"


def lecture(version: int, **differences: Any) -> ProviderPolicy:
    return policy(READING, version=version, contracts=contract_with(READING, release_window_seconds=0, **differences))


def gar(version: int, **differences: Any) -> ProviderPolicy:
    return policy(version=version, contracts=contract_with(**differences))


def said(party: str, status: str, hour: int) -> Message:
    return message(consent(party, status, f"2026-09-04T{hour:02d}:00:00Z"))


def in_force(of: ProviderPolicy) -> Message:
    return POLICIES, of.provider.encode(), bytes_of(of)


JOINS = message(joins())
MOVES = message(patch("20260916.1.000000001", level="4EME"))
LEAVES = message(delete("20260917.1.000000001"))
CHILD, MOTHER = said("child", "given", 8), said("guardian:aaf-d99:999-2001", "given", 9)
NO = said("guardian:aaf-d99:999-2001", "withdrawn", 10)
OLD, NEW_NOTICE = in_force(lecture(1)), in_force(lecture(2, notice="n2"))
ENDED = in_force(lecture(2, until="2026-09-14"))
SCHOOL, NARROWER = in_force(gar(1)), in_force(gar(2, fields=["level"], required=["level"]))
ELSEWHERE = in_force(gar(2, schools=["0750001A"]))

HISTORIES = [
    pytest.param([OLD, JOINS, CHILD, MOTHER], {"lecture": [["given_name", "level"]]}, id="everybody agrees"),
    pytest.param([OLD, JOINS, CHILD, MOTHER, NO], {}, id="the mother takes it back"),
    pytest.param([OLD, NEW_NOTICE, JOINS, CHILD, MOTHER], {}, id="a new notice asks everybody again"),
    pytest.param([OLD, ENDED, JOINS, CHILD, MOTHER], {}, id="the contract has ended"),
    pytest.param([SCHOOL, NARROWER, JOINS, MOVES], {"gar": [["level"]]}, id="a narrower contract, and a move"),
    pytest.param([SCHOOL, ELSEWHERE, JOINS, MOVES], {}, id="her school leaves the contract"),
    pytest.param([SCHOOL, NARROWER, JOINS, MOVES, LEAVES], {}, id="she leaves under whichever contract"),
    pytest.param([SCHOOL, NARROWER, OLD, JOINS, CHILD, MOTHER],
                 {"gar": [["level"]], "lecture": [["given_name", "level"]]},
                 id="two providers, of which one changes its contract"),
]  # fmt: skip


async def view_after(told: tuple[Message, ...], *, each: bool) -> dict[str, list[list[str]]]:
    """Provider → the fields it knows, one list a person; no provider that knows nobody."""
    rapid = Rapid(("gar", "lecture"))
    for one in told:
        rapid.put(*one)
        if each:
            await rapid.run()
    await rapid.run()
    # What ends for everybody waits for an operator, in some orders and not in others: he lets all of it go.
    rapid.judge("approved")
    await rapid.run()
    known = {
        name: [sorted(person["fields"]) for person in known_of(rapid, name).values()] for name in ("gar", "lecture")
    }
    return {name: people for name, people in known.items() if people}


@pytest.mark.parametrize("each", [True, False], ids=["one by one", "at once"])
@pytest.mark.parametrize(("told", "known"), HISTORIES)
async def test_every_order_ends_in_the_same_view(
    told: list[Message], known: dict[str, list[list[str]]], *, each: bool
) -> None:
    ends = [await view_after(order, each=each) for order in permutations(told)]

    assert [end for end in ends if end != known] == []


async def test_order_matters_where_two_words_bear_the_same_version() -> None:
    """The search can fail: of two policies of one version the first stays."""
    narrow, wide = in_force(gar(2, fields=["level"], required=["level"])), in_force(gar(2))
    one, other = [await view_after(order, each=True) for order in ((narrow, wide, JOINS), (wide, narrow, JOINS))]

    assert one != other
    assert INE.encode() == JOINS[1]

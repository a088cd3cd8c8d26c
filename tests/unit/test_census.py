from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from services.contract.census import Cells, Census, GroupCensus, census_key, may_follow
from services.contract.censuses import CensusBook
from services.contract.errors import NotThisSchema, Unreadable
from services.runtime.policies import PolicyBook
from tests.replay.invented import example, policy

AT = datetime(2026, 10, 1, tzinfo=UTC)
NOTHING: dict[str, Any] = {"communes": [], "departements": [], "regions": []}


def census(epoch: int, edition: int, **by_contract: dict[str, Any]) -> Census:
    content = {"provider": "gar", "epoch": epoch, "edition": edition, "at": "2026-10-01T00:00:00Z"}
    cells = {contract.replace("_", "-"): {**NOTHING, **parts} for contract, parts in by_contract.items()}
    return Census.model_validate_json(orjson.dumps({**content, "cells": cells}))


def groups(epoch: int, edition: int, *codes: str) -> GroupCensus:
    content = example("group-census/1/groups-of-one-area", epoch=epoch, edition=edition)
    content["groups"]["GAR-2026"]["aaf-d99/0999001W"] = list(codes)
    return GroupCensus.model_validate_json(orjson.dumps(content))


KNOWN = census(2, 3, C={"communes": ["35238"], "departements": ["35"], "regions": ["53"]})


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        pytest.param(census(2, 4, C={"departements": ["35"], "regions": ["53"]}), True, id="coarser"),
        pytest.param(census(2, 4, C=NOTHING), True, id="nothing is the coarsest"),
        pytest.param(census(2, 4, C={"communes": ["35238", "35001"], "departements": ["35"]}), False, id="finer"),
        pytest.param(census(2, 4, C={"departements": ["35", "22"]}), False, id="another département is finer too"),
        pytest.param(census(2, 4), False, id="a contract that is gone could come back finer"),
        pytest.param(census(2, 4, C=NOTHING, D={"communes": ["35238"]}), True, id="another contract comes in"),
        pytest.param(census(2, 3, C=NOTHING), False, id="the same edition"),
        pytest.param(census(1, 9, C=NOTHING), False, id="an epoch that is over"),
        pytest.param(census(3, 1, C={"communes": ["35238", "35001"]}), True, id="the next epoch begins anew"),
    ],
)
def test_table_of_the_same_epoch_may_follow_only_if_nothing_is_finer(new: Census, expected: bool) -> None:  # noqa: FBT001  # a row
    assert may_follow(KNOWN, new) is expected


def test_labels_of_the_same_epoch_only_go() -> None:
    assert may_follow(groups(1, 1, "5A", "5B"), groups(1, 2, "5A"))
    assert not may_follow(groups(1, 1, "5A", "5B"), groups(1, 2, "5A", "5C"))
    assert may_follow(groups(1, 1, "5A"), groups(2, 1, "5A", "5C"))


def applied(*tables: Census | GroupCensus) -> CensusBook:
    book = CensusBook()
    for table in tables:
        area = table.area if isinstance(table, GroupCensus) else None
        book.apply(census_key(table.provider, area), table.model_dump_json().encode())
    return book


def test_book_keeps_what_is_in_force_where_a_table_may_not_follow() -> None:
    book = applied(KNOWN)
    before = book.token()
    with pytest.raises(NotThisSchema):
        book.apply(b"~census/gar", census(2, 4, C={"communes": ["35001"]}).model_dump_json().encode())

    assert book.cells("gar", "C") == Cells(communes=("35238",), departements=("35",), regions=("53",))
    assert book.token() == before != b""


@pytest.mark.parametrize("key", [b"~census/lecture", b"~census/gar/099", b"~census/"])
def test_table_under_another_key_is_refused(key: bytes) -> None:
    with pytest.raises(Unreadable):
        CensusBook().apply(key, KNOWN.model_dump_json().encode())


def test_table_that_is_taken_back_leaves_nothing() -> None:
    book = applied(KNOWN, groups(1, 1, "5B"))
    book.apply(b"~census/gar", None)
    book.apply(b"~census/gar/099", None)

    assert book.cells("gar", "C") is None
    assert book.labels("gar", "GAR-2026") == {}
    assert book.token() == b""


def test_labels_are_found_by_area() -> None:
    assert applied(groups(1, 1, "5B")).labels("gar", "GAR-2026") == {"099": frozenset({"aaf-d99/0999001W$5B"})}
    assert applied(groups(1, 1, "5B")).labels("gar", "OTHER") == {}
    assert applied(groups(1, 1, "5B")).labels("ga", "GAR-2026") == {}


def test_census_is_none_of_the_policies_and_only_the_filter_keeps_it() -> None:
    filtering, connector = PolicyBook("filtering"), PolicyBook("connectors")
    for book in (filtering, connector):
        book.apply(b"gar", policy().model_dump_json(by_alias=True).encode())
        before = book.token()
        book.apply(b"~census/gar", KNOWN.model_dump_json().encode())

        assert book.token() == before
        assert list(book.by_provider) == ["gar"]
    assert filtering.census.cells("gar", "C") is not None
    assert connector.census.token() == b""


def test_census_that_cannot_be_read_stops_nothing() -> None:
    book = PolicyBook("filtering")
    book.apply(b"~census/gar", b"{")

    assert book.census.token() == b""

"""A roster over all communes of France: what a census lets be told is large enough, and never becomes finer."""

import csv
import gzip
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ops.census_tables import tables_of
from ops.rendering.files import ROOT
from services.contract.census import Cells, Level, census_key
from services.contract.censuses import CensusBook
from services.filtering.gazetteer_file import load_gazetteer
from services.filtering.generalisation import Cell, View
from services.filtering.roster import Counts
from tests.replay.invented import contract_with, policy

ALL: tuple[Level, ...] = ("commune", "departement", "region")
FIELDS = ["given_name", *ALL]
PAIR = "gar/GAR-2026"
POLICY = policy(contracts=contract_with(fields=FIELDS, required=[]), perimeter={"allowed_fields": FIELDS})
AT = datetime(2026, 9, 15, tzinfo=UTC)
COARSENESS = {"commune": 0, "departement": 1, "region": 2, None: 3}

Row = Mapping[str, str]
Told = tuple[Level, str] | None


@cache
def rows() -> tuple[Row, ...]:
    """Where somebody may live: every commune that has a postcode, the three great ones by arrondissement."""
    path = ROOT / "services" / "filtering" / "reference" / "communes.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        table = list(csv.DictReader(lines))
    divided = {row["parent_commune"] for row in table}
    return tuple(row for row in table if row["postcodes"] and row["insee_code"] not in divided)


def roster(random: Random, share: float, most: int) -> dict[str, int]:
    """Pupils by where they live: a few in most places, many in few."""
    return {row["insee_code"]: min(most, int(random.paretovariate(0.9))) for row in rows() if random.random() < share}


def counted(book: CensusBook, pupils: Mapping[str, int], *, new_epoch: bool = False) -> Cells:
    """Count, put in force, and say what is."""
    counts = {PAIR: Counts(Counter(pupils), Counter())}
    for table in tables_of({"gar": POLICY}, counts, book, load_gazetteer(), AT, new_epoch=new_epoch):
        book.apply(census_key("gar"), table.model_dump_json().encode())
    cells = book.cells("gar", "GAR-2026")
    assert cells is not None
    return cells


def told(cells: Cells) -> dict[str, Told]:
    """What the filter tells of an address in each place, written as the directory writes it."""
    view = View(ALL, cells, load_gazetteer())
    found: dict[str, Told] = {}
    for row in rows():
        cell = view.cell("pupil", {"postcode": row["postcodes"].split()[0], "town": row["name"]})
        found[row["insee_code"]] = (cell.level, cell.code) if isinstance(cell, Cell) else None
    return found


@settings(deadline=None, max_examples=6)
@example(seed=1, share=1.0, most=2000)
@given(st.integers(0, 2**32), st.sampled_from([0.01, 0.1, 0.5, 1.0]), st.sampled_from([3, 40, 2000]))
def test_no_released_cell_is_under_the_thresholds(seed: int, share: float, most: int) -> None:
    pupils = roster(Random(seed), share, most)  # noqa: S311  # no secret
    said = told(counted(CensusBook(), pupils))
    sharing: Counter[Told] = Counter()
    inhabitants: Counter[Told] = Counter()
    for row in rows():
        sharing[said[row["insee_code"]]] += pupils.get(row["insee_code"], 0)
        inhabitants[said[row["insee_code"]]] += int(row["population"] or 0)
    cells = {cell for cell in said.values() if cell is not None}
    living = f"{sum(pupils.values()):,} pupils in {len(pupils):,} of {len(rows()):,} places"
    print(f"{living}: {len(cells):,} cells told")  # noqa: T201  # shown by -rP

    assert {cell for cell in cells if sharing[cell] < 11} == set()
    assert {cell for cell in cells if inhabitants[cell] < 2000} == set()
    assert cells or sum(pupils.values()) < 100_000


@settings(deadline=None, max_examples=5)
@example(seed=1, share=1.0)
@given(st.integers(0, 2**32), st.sampled_from([0.05, 0.5]))
def test_within_an_epoch_no_place_is_told_more_finely_and_cells_stay_large(seed: int, share: float) -> None:
    random, book = Random(seed), CensusBook()  # noqa: S311  # no secret
    before = told(counted(book, roster(random, share, 60)))
    for _ in range(2):
        pupils = roster(random, random.choice([share, 1.0]), 60)
        after = told(counted(book, pupils))
        sharing: Counter[Told] = Counter()
        for code, count in pupils.items():
            sharing[after[code]] += count

        assert {code for code in before if COARSENESS[_level(after[code])] < COARSENESS[_level(before[code])]} == set()
        assert {cell for cell in after.values() if cell is not None and sharing[cell] < 11} == set()
        before = after


def _level(cell: Told) -> Level | None:
    return cell[0] if cell else None


def test_the_next_epoch_may_be_finer() -> None:
    book, few, many = CensusBook(), {"35238": 3, "35351": 9}, {"35238": 30, "35351": 12}
    first = told(counted(book, few))["35238"]
    same = told(counted(book, many))["35238"]
    following = told(counted(book, many, new_epoch=True))["35238"]

    assert (first, same, following) == (("departement", "35"), ("departement", "35"), ("commune", "35238"))

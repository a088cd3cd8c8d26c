"""The counts of one contract's roster, and which cells of it are large enough: what a census is made of. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from services.contract.census import GROUP_PUPILS, INHABITANTS, PUPILS, Cells, Level, area_of
from services.filtering.gazetteer import Commune, Gazetteer

_Ladder = Iterable[tuple[Level, str]]


class Counts(NamedTuple):
    """Distinct pupils of one contract."""

    places: Counter[str]
    """By the code of their commune or arrondissement: those only whose address could be told."""
    groups: Counter[tuple[str, str]]
    """By `<source>/<UAI>` and code: those only whose divisions or groups are told."""


class _Sums(NamedTuple):
    pupils: Counter[str]
    inhabitants: Counter[str]


_STEPS: Final[tuple[tuple[Level, str], ...]] = (
    ("commune", "code"),
    ("commune", "commune"),
    ("departement", "departement"),
    ("region", "region"),
)
"""Levels from the finest, and by what a place is called there: an arrondissement comes before its commune."""


def measure(
    pupils: Mapping[str, int], levels: Iterable[Level], gazetteer: Gazetteer, within: Cells | None = None
) -> Cells:
    """The cells that may be released, each of enough pupils and inhabitants once what is released finer is left out.

    `pupils` counts them by commune or arrondissement; `within` is the table of the same epoch: nothing that it does not
    hold comes in.
    """
    allowed: dict[Level, frozenset[str] | None] = {"commune": None, "departement": None, "region": None}
    if within is not None:
        communes, departements, regions = within.communes, within.departements, within.regions
        allowed = {
            "commune": frozenset(communes), "departement": frozenset(departements), "region": frozenset(regions),
        }  # fmt: skip
    chosen = frozenset(levels)
    cells: dict[Level, set[str]] = {"commune": set(), "departement": set(), "region": set()}
    left = list(gazetteer.communes.values())
    for level, name in _STEPS:
        if level not in chosen:
            continue
        large = _large(left, name, pupils)
        bound = allowed[level]
        released = large if bound is None else large & bound
        cells[level] |= released
        left = [place for place in left if getattr(place, name) not in released]
    return Cells(
        communes=tuple(sorted(cells["commune"])),
        departements=tuple(sorted(cells["departement"])),
        regions=tuple(sorted(cells["region"])),
    )


def _large(places: Iterable[Commune], name: str, pupils: Mapping[str, int]) -> set[str]:
    """The cells of these places that have enough of both."""
    sums = _Sums(Counter(), Counter())
    for place in places:
        cell: str = getattr(place, name)
        sums.pupils[cell] += pupils.get(place.code, 0)
        sums.inhabitants[cell] += place.population
    return {cell for cell, count in sums.pupils.items() if count >= PUPILS and sums.inhabitants[cell] >= INHABITANTS}


def labelled(
    groups: Mapping[tuple[str, str], int], within: Mapping[str, frozenset[str]] | None = None
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Area → school → the codes of the groups that keep their label.

    `within` gives by area what the epoch's table holds, as `<source>/<UAI>$<code>`.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for (school, code), count in sorted(groups.items()):
        area = area_of(school.rpartition("/")[2])
        if count >= GROUP_PUPILS and (within is None or f"{school}${code}" in within.get(area, frozenset())):
            found.setdefault(area, {}).setdefault(school, []).append(code)
    return {area: {school: tuple(codes) for school, codes in schools.items()} for area, schools in found.items()}

"""What one contract's provider sees of a place, of the labels of groups and of an age, each made coarse. Pure.

Of places and labels a census says how coarse: without one, or outside its cells, there is nothing (rules.md, Address).
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, Literal, NamedTuple

from services.contract.census import Cells, Level, area_of, levels_of, names_groups
from services.contract.censuses import CensusBook
from services.contract.naming import GROUP_CODES
from services.contract.policies import ProviderPolicy, releasable
from services.filtering.age_gate import GATES, gate
from services.filtering.gazetteer import Commune, Gazetteer, Unresolved

Hidden = Unresolved | Literal["no-census", "cell-too-small"]
"""Why nothing is seen of an address."""

Labels = Mapping[str, frozenset[str]]
"""Area → the groups that keep their label, each as `<source>/<UAI>$<code>`."""
NO_LABELS: Final[Labels] = {}


class Counted(NamedTuple):
    """The censuses in force, and what reads the table of communes; it is asked only where an address may be seen."""

    census: CensusBook
    gazetteer: Callable[[], Gazetteer]


class Cell(NamedTuple):
    """What may be told of an address: a field and its value."""

    level: Level
    code: str


class View:
    """What one contract sees made coarse."""

    def __init__(
        self, levels: tuple[Level, ...], cells: Cells | None, gazetteer: Gazetteer | None,
        labels: Labels = NO_LABELS, gates: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """`levels` are those of the contract, the finest first; without `cells` no address is seen at any."""
        self._levels = levels
        self._gazetteer = gazetteer
        self._cells: dict[Level, frozenset[str]] = {}
        if cells is not None:
            self._cells["commune"] = frozenset(cells.communes)
            self._cells["departement"] = frozenset(cells.departements)
            self._cells["region"] = frozenset(cells.regions)
        self._labels = labels
        self._gates = gates

    @property
    def offers(self) -> bool:
        """Whether it may add a field to those of the directory."""
        return bool(self._gates or (self._levels and self._cells))

    def cell(self, kind: str, values: Mapping[str, Any]) -> Cell | Hidden:
        """Of an address what may be told, at the first level that is large enough.

        A census counts pupils: anybody else may be the only one in a cell of eleven of them.
        """
        if self._gazetteer is None or not self._cells or kind != "pupil":
            return "no-census"
        found = self._gazetteer.resolve(values.get("postcode"), values.get("town"), values.get("country"))
        if not isinstance(found, Commune):
            return found
        for level in self._levels:
            for code in codes_at(level, found):
                if code in self._cells[level]:
                    return Cell(level, code)
        return "cell-too-small"

    def shown(self, kind: str, source: str, values: Mapping[str, Any], today: date) -> Mapping[str, Any]:
        """These fields of a person, and what may be told beside them."""
        seen = dict(values)
        if self._labels:
            for name, code in GROUP_CODES.items():
                if name in values:
                    seen[name] = [self._labelled(source, entry, code) for entry in values[name]]
        for name in self._gates:
            if (answer := gate(values.get("birth_date"), GATES[name], today)) is not None:
                seen[name] = answer
        if self._levels and isinstance(cell := self.cell(kind, values), Cell):
            seen[cell.level] = cell.code
        return seen

    def _labelled(self, source: str, entry: Mapping[str, Any], code: str) -> Mapping[str, Any]:
        school = entry["school"]
        kept = self._labels.get(area_of(school))
        if kept is None or f"{source}/{school}${entry[code]}" not in kept:
            return entry
        return {**entry, "label": entry[code]}


def codes_at(level: Level, place: Commune) -> tuple[str, ...]:
    """What a place is called at a level; an arrondissement is its commune unless it is large enough itself."""
    match level:
        case "commune":
            return (place.code, place.commune)
        case "departement":
            return (place.departement,)
        case "region":
            return (place.region,)


def views_of(policy: ProviderPolicy, counted: Counted | None) -> dict[str, View]:
    """Contract → what it sees made coarse; none where it asks for nothing of it, or nothing was counted."""
    views = {}
    for contract in policy.contracts:
        gates = tuple(name for name in GATES if name in releasable(policy, contract))
        levels = levels_of(policy, contract)
        cells, labels = None, NO_LABELS
        if counted is not None:
            cells = counted.census.cells(policy.provider, contract.id) if levels else None
            if names_groups(policy, contract):
                labels = counted.census.labels(policy.provider, contract.id)
        if cells or labels or gates:
            gazetteer = counted.gazetteer() if counted and cells else None
            views[contract.id] = View(levels, cells, gazetteer, labels, gates)
    return views

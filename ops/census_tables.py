"""From counts to the tables that follow those in force: coarser of the same epoch, anew of the next. Pure."""

from collections.abc import Mapping
from datetime import datetime

from ops.policy_files import Policies
from services.contract.census import Cells, Census, GroupCensus, levels_of, names_groups
from services.contract.censuses import CensusBook
from services.contract.policies import ProviderPolicy
from services.filtering.gazetteer import Gazetteer
from services.filtering.roster import Counts, labelled, measure

NOWHERE = Cells(communes=(), departements=(), regions=())

Tables = list[Census | GroupCensus]


def tables_of(
    policies: Policies, counts: Mapping[str, Counts], book: CensusBook, gazetteer: Gazetteer, at: datetime, *,
    new_epoch: bool,
) -> Tables:  # fmt: skip
    """The tables that differ from those in force; `counts` are by `<provider>/<contract>`."""
    return [
        table
        for name in sorted(policies)
        for table in _Counted(policies[name], counts, book, at, new_epoch=new_epoch).tables(gazetteer)
    ]


class _Counted:
    """One provider, its counts, and what is in force of it."""

    def __init__(
        self, policy: ProviderPolicy, counts: Mapping[str, Counts], book: CensusBook, at: datetime, *, new_epoch: bool
    ) -> None:
        self._policy = policy
        self._at = at
        self._counts = {c.id: counts[f"{policy.provider}/{c.id}"] for c in policy.contracts
                        if f"{policy.provider}/{c.id}" in counts}  # fmt: skip
        self._places, self._groups = book.census(policy.provider), book.groups(policy.provider)
        standing = [table for table in (self._places, *self._groups.values()) if table is not None]
        last = max((table.epoch for table in standing), default=0)
        self._epoch = last + 1 if new_epoch or not last else last
        self._labels = {c: book.labels(policy.provider, c) for c in self._counts}

    def tables(self, gazetteer: Gazetteer) -> Tables:
        census = self._census(gazetteer)
        groups = [self._group_census(area, schools) for area, schools in self._areas().items()]
        return [table for table in (census, *groups) if table is not None]

    def _edition(self, known: Census | GroupCensus | None) -> int:
        return known.edition + 1 if known is not None and known.epoch == self._epoch else 1

    def _census(self, gazetteer: Gazetteer) -> Census | None:
        known = self._places
        same = known is not None and known.epoch == self._epoch
        within = known.cells if known is not None and same else {}
        cells = dict.fromkeys(within, NOWHERE)
        for contract in self._policy.contracts:
            if levels := levels_of(self._policy, contract):
                counts = self._counts[contract.id]
                cells[contract.id] = measure(counts.places, levels, gazetteer, within.get(contract.id))
        if (known is None and not cells) or (known is not None and same and cells == known.cells):
            return None
        return Census(
            provider=self._policy.provider, epoch=self._epoch, edition=self._edition(known), at=self._at, cells=cells
        )

    def _areas(self) -> dict[str, dict[str, dict[str, tuple[str, ...]]]]:
        """Area → contract → school → codes; an area and a contract that had some are there, if with none."""
        found: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {
            area: {contract: {} for contract in table.groups if table.epoch == self._epoch}
            for area, table in self._groups.items()
        }
        for contract in self._policy.contracts:
            if names_groups(self._policy, contract):
                within = self._labels[contract.id] if self._is_counted(contract.id) else None
                for area, schools in labelled(self._counts[contract.id].groups, within).items():
                    found.setdefault(area, {})[contract.id] = schools
        return found

    def _is_counted(self, contract: str) -> bool:
        return any(contract in table.groups for table in self._groups.values() if table.epoch == self._epoch)

    def _group_census(self, area: str, groups: dict[str, dict[str, tuple[str, ...]]]) -> GroupCensus | None:
        known = self._groups.get(area)
        if known is not None and known.epoch == self._epoch and groups == known.groups:
            return None
        return GroupCensus(
            provider=self._policy.provider, epoch=self._epoch, edition=self._edition(known), at=self._at, area=area,
            groups=groups,
        )  # fmt: skip

"""How many pupils share a cell of one provider's roster, as what may follow from it: which cells and labels may leave.

A table holds no count and nobody: only the codes of communes, départements, régions, schools and groups that are large
enough. It is never amended. Of one epoch a later edition only takes cells away; the next epoch begins anew.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AwareDatetime, Field, StringConstraints

from services.contract.errors import Payload
from services.contract.naming import GROUP_CODES
from services.contract.policies import Contract, ContractId, ProviderPolicy, Slug, releasable

CENSUS_KEY: Final = b"~census/"
"""How the keys of these records begin on `policies.v1`; no provider can have such a name. A table of cells lies under
`~census/<provider>`, its groups under `~census/<provider>/<area>`: all in one record would be too large for Kafka."""

PUPILS: Final = 11
"""Who share a released place are so many at least, of that provider's own roster (k)."""
INHABITANTS: Final = 2_000
"""And where they live there are so many at least."""
GROUP_PUPILS: Final = 5
"""A division or a group under it loses its label."""

Level = Literal["commune", "departement", "region"]
LEVELS: Final[tuple[Level, ...]] = ("commune", "departement", "region")
"""From the finest; each is the name of the field under which such a code leaves."""

Code = Annotated[str, StringConstraints(pattern=r"^[0-9][0-9AB][0-9]{3}$|^[0-9][0-9AB]$|^[0-9]{3}$")]
"""INSEE's."""
School = Annotated[str, StringConstraints(pattern=r"^[^/]{1,64}/[0-9]{7}[A-Z]$")]
"""`<source>/<UAI>`: the codes of groups are a source's own."""
Area = Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
"""The first three digits of a UAI: nearly its département."""


class Cells(Payload):
    """The places that are large enough to be released under one contract, what is released finer left out of them."""

    communes: tuple[Code, ...]
    """Municipal arrondissements among them."""
    departements: tuple[Code, ...]
    regions: tuple[Code, ...]

    def parts(self) -> tuple[Collection[str], ...]:
        return frozenset(self.communes), frozenset(self.departements), frozenset(self.regions)


class _Table(Payload):
    """What both tables share; the last one of a key is in force."""

    provider: Slug
    epoch: Annotated[int, Field(ge=1)]
    edition: Annotated[int, Field(ge=1)]
    at: AwareDatetime
    """When it was counted."""


class Census(_Table):
    """The places of one provider, by contract."""

    cells: Mapping[ContractId, Cells]


class GroupCensus(_Table):
    """The divisions and groups of one area that keep their label, by contract and school."""

    area: Area
    groups: Mapping[ContractId, Mapping[School, tuple[str, ...]]]


Table = TypeVar("Table", bound=_Table)


def census_key(provider: str, area: str | None = None) -> bytes:
    return CENSUS_KEY + "/".join(part for part in (provider, area) if part).encode()


def area_of(uai: str) -> str:
    return uai[:3]


def may_follow(known: Table | None, new: Table) -> bool:
    """Whether a table may take the place of another: of the same epoch only if nothing in it is finer."""
    if known is None or new.epoch > known.epoch:
        return True
    return new.epoch == known.epoch and new.edition > known.edition and _is_coarser(_sets(known), _sets(new))


_Sets = Mapping[str, tuple[Collection[str], ...]]


def _sets(table: _Table) -> _Sets:
    """Contract → what may leave under it, part by part."""
    match table:
        case Census():
            return {contract: cells.parts() for contract, cells in table.cells.items()}
        case GroupCensus():
            return {contract: (frozenset(named(schools)),) for contract, schools in table.groups.items()}
        case _:
            raise TypeError(type(table).__name__)


def named(schools: Mapping[str, Iterable[str]]) -> Iterable[str]:
    """Every group as one text, `<source>/<UAI>$<code>`."""
    return (f"{school}${code}" for school, codes in schools.items() for code in codes)


def _is_coarser(known: _Sets, new: _Sets) -> bool:
    """A contract that had none may come in; one that had some stays, with the same or less in each part."""
    return all(
        contract in new and all(set(after) <= set(before) for before, after in zip(parts, new[contract], strict=True))
        for contract, parts in known.items()
    )


def levels_of(policy: ProviderPolicy, contract: Contract) -> tuple[Level, ...]:
    """The levels at which a contract may know where somebody lives, the finest first."""
    allowed = releasable(policy, contract)
    return tuple(level for level in LEVELS if level in allowed)


def names_groups(policy: ProviderPolicy, contract: Contract) -> bool:
    """Whether a contract may know of divisions or groups, and so perhaps of their labels."""
    return not GROUP_CODES.keys().isdisjoint(releasable(policy, contract))

"""The censuses in force, as `policies.v1` brings them record by record."""

import hashlib
from collections.abc import Mapping

from services.contract.census import CENSUS_KEY, Cells, Census, GroupCensus, census_key, may_follow, named
from services.contract.errors import NotThisSchema
from services.contract.parsing import parse_payload

MAX_CENSUS_BYTES = 900 * 1024


class CensusBook:
    """The last table of each key. One that is finer than that of its own epoch, or of another key, is refused."""

    def __init__(self) -> None:
        self._cells: dict[bytes, Census] = {}
        self._groups: dict[bytes, GroupCensus] = {}
        self._labels: dict[bytes, dict[str, frozenset[str]]] = {}
        self._token: bytes | None = None

    def apply(self, key: bytes, value: bytes | None) -> None:
        """Take one record in; null takes its table back.

        Raises:
            Unreadable: it cannot be read, or may not follow what is in force, which stays.
        """
        self._token = None
        if value is None:
            for tables in (self._cells, self._groups, self._labels):
                tables.pop(key, None)
        elif b"/" in key[len(CENSUS_KEY) :]:
            self._apply_groups(key, parse_payload(GroupCensus, value, MAX_CENSUS_BYTES))
        else:
            self._apply_cells(key, parse_payload(Census, value, MAX_CENSUS_BYTES))

    def _apply_cells(self, key: bytes, census: Census) -> None:
        if key != census_key(census.provider) or not may_follow(self._cells.get(key), census):
            raise NotThisSchema("census: of another provider, or finer than its epoch allows")
        self._cells[key] = census

    def _apply_groups(self, key: bytes, census: GroupCensus) -> None:
        if key != census_key(census.provider, census.area) or not may_follow(self._groups.get(key), census):
            raise NotThisSchema("census: of another provider or area, or finer than its epoch allows")
        self._groups[key] = census
        self._labels[key] = {contract: frozenset(named(schools)) for contract, schools in census.groups.items()}

    def census(self, provider: str) -> Census | None:
        """The places of one provider."""
        return self._cells.get(census_key(provider))

    def groups(self, provider: str) -> Mapping[str, GroupCensus]:
        """Area → the groups of one provider."""
        return {table.area: table for table in self._groups.values() if table.provider == provider}

    def cells(self, provider: str, contract: str) -> Cells | None:
        """Null where nothing was counted."""
        census = self.census(provider)
        return None if census is None else census.cells.get(contract)

    def labels(self, provider: str, contract: str) -> Mapping[str, frozenset[str]]:
        """Area → the groups that keep their label, as `<source>/<UAI>$<code>`."""
        start = census_key(provider) + b"/"
        return {
            key[len(start) :].decode(): by_contract[contract]
            for key, by_contract in self._labels.items()
            if key.startswith(start) and contract in by_contract
        }

    def token(self) -> bytes:
        """Names all of it, without a blank; empty where there is nothing."""
        if self._token is None:
            known = {**self._cells, **self._groups}
            content = "".join(f"{key!r}={known[key].epoch}.{known[key].edition}\n" for key in sorted(known))
            self._token = hashlib.sha256(content.encode()).hexdigest().encode() if content else b""
        return self._token

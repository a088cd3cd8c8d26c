"""A provider that does as its topic says (schemas/README.md, Two names), record by record, in whatever order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from services.contract.envelope import Header
from services.runtime.records import FetchedRecord


class Name(NamedTuple):
    """What was read under one name, and under no other."""

    fields: Mapping[str, Any] | None = None
    restricted: bool = False
    ended: bool = False


@dataclass
class Accounts:
    """Whom it knows."""

    names: dict[str, Name] = field(default_factory=dict)
    stands_for: dict[str, str] = field(default_factory=dict)
    """Name of before → the one that stands for it."""

    def known(self) -> dict[str, Name]:
        """Everybody, by the name that stands for her, with its fields, or those of the nearest name before."""
        before: dict[str, list[str]] = {name: [] for name in self.names if name not in self.stands_for}
        for name in self.stands_for:
            *_, now = self._way(name)
            before.setdefault(now, []).append(name)
        whole = {name: self._whole(name, others) for name, others in before.items()}
        return {name: person for name, person in whole.items() if person.fields is not None}

    def _way(self, name: str) -> Iterator[str]:
        while name in self.stands_for:
            name = self.stands_for[name]
            yield name

    def _whole(self, name: str, before: list[str]) -> Name:
        own = self.names.get(name, Name())
        for each in sorted(before, key=lambda other: len(list(self._way(other)))):
            if own.ended or own.fields is not None:
                break
            other = self.names.get(each, Name())
            own = Name(other.fields, own.restricted or other.restricted, other.ended)
        return own

    def read_all(self, rows: Iterable[FetchedRecord]) -> "Accounts":
        for row in rows:
            self.read((row.key or b"").decode(), row.value, row.headers)
        return self

    def read(self, name: str, value: bytes | None, headers: Sequence[Header] = ()) -> None:
        said = {key: (text or b"").decode() for key, text in headers}
        record = {} if value is None else orjson.loads(value)
        if before := said.get("renamed_from"):
            older = before.split(",")
            self.stands_for |= dict(zip(older, [*older[1:], name], strict=True))
        if now := said.get("renamed_to", record.get("renamed_to")):
            self.stands_for.setdefault(name, now)
        elif value is None:
            self.names[name] = Name(ended=True)
        elif "fields" in record:
            self.names[name] = Name(record["fields"])
        elif "restricted" in record:
            self.names[name] = self.names.get(name, Name())._replace(restricted=True)

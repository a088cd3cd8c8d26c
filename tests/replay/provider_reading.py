"""A provider that does as its topic says (schemas/README.md, Two names), record by record, in whatever order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.replay.rows import Headers, Row


@dataclass
class Accounts:
    """Whom it knows, by name."""

    fields: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    restricted: set[str] = field(default_factory=set)
    taken_over: set[str] = field(default_factory=set)
    """Names whose fields were another name's: such a name was told none of its own yet."""
    ended: set[str] = field(default_factory=set)
    handed_on: dict[str, str] = field(default_factory=dict)
    """Name of before → which stands for it."""

    @property
    def usable(self) -> set[str]:
        return self.fields.keys() - self.restricted

    def read_all(self, rows: Iterable[Row]) -> "Accounts":
        for row in rows:
            self.read((row.key or b"").decode(), row.value, row.headers)
        return self

    def read(self, name: str, value: bytes | None, headers: Headers = ()) -> None:
        said = {key: (text or b"").decode() for key, text in headers}
        record = {} if value is None else orjson.loads(value)
        for before in said.get("renamed_from", "").split(","):
            self._hand_on(before, name)
        if now := said.get("renamed_to", record.get("renamed_to", "")):
            self._hand_on(name, now)
        if value is None:
            self._forget(name)
            self.ended.add(name)
        elif "fields" in record:
            self._forget(name)
            self.ended.discard(name)
            self.fields[name] = record["fields"]
        elif "restricted" in record:
            self.restricted.add(name)

    def _hand_on(self, before: str, name: str) -> None:
        """The name takes the account over unless it has an end, or fields of its own; the other one is gone then."""
        if not before:
            return
        self.handed_on[before] = name
        while name in self.handed_on:
            name = self.handed_on[name]
        if before in self.fields and name not in self.ended and (name not in self.fields or name in self.taken_over):
            self.fields[name] = self.fields[before]
            self.taken_over.add(name)
            self.restricted |= {name} if before in self.restricted else set()
        self._forget(before)

    def _forget(self, name: str) -> None:
        self.fields.pop(name, None)
        self.restricted.discard(name)
        self.taken_over.discard(name)

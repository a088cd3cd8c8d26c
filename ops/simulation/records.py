"""What the provider would read, kept on disk until all of it is there: it is given by pseudonym, as it leaves."""

from collections.abc import Iterator

from ops.scratch import Scratch
from ops.simulation.chain import Seen


class Records(Scratch):
    """One record a pair; the order in which people came never shows."""

    def __init__(self) -> None:
        super().__init__("CREATE TABLE records (pseudonym TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;")

    def add(self, seen: Seen) -> None:
        self._database.execute("INSERT OR REPLACE INTO records VALUES (?, ?)", seen)

    def __iter__(self) -> Iterator[Seen]:
        for pseudonym, record in self._database.execute("SELECT pseudonym, record FROM records ORDER BY pseudonym"):
            yield Seen(pseudonym, record)

"""By which names people are known now, and which of before those stand for: on disk once they are many."""

from collections.abc import Iterable, Iterator

from ops.scratch import Scratch

_TABLES = """
    CREATE TABLE names (key BLOB PRIMARY KEY, current INT, behind INT, heard INT, handed_on INT) WITHOUT ROWID;
    CREATE TABLE former (key BLOB PRIMARY KEY, name BLOB NOT NULL) WITHOUT ROWID;
"""


class NamesTold(Scratch):
    """What the ledger is held against, by its keys."""

    def __init__(self) -> None:
        super().__init__(_TABLES)

    def add(self, key: bytes, *, is_current: bool, behind: int) -> None:
        """`behind` is the `seq` that must be named under it yet; 0 for none."""
        self._database.execute(
            "INSERT INTO names VALUES (?, ?, ?, FALSE, FALSE) ON CONFLICT (key) DO UPDATE"
            " SET current = current OR excluded.current, behind = max(behind, excluded.behind)",
            (key, is_current, behind),
        )

    def stand_for(self, name: bytes, former: Iterable[bytes]) -> None:
        """Who is known by `name` now may be known by these of before as well: only while names change."""
        self._database.executemany("INSERT OR REPLACE INTO former VALUES (?, ?)", ((key, name) for key in former))

    def is_behind(self, key: bytes) -> bool:
        return bool(self._database.execute("SELECT 1 FROM names WHERE key = ? AND behind", (key,)).fetchone())

    def named(self, key: bytes, seq: int) -> None:
        """The pseudonymiser has named that word of it, and every one before."""
        self._database.execute("UPDATE names SET behind = 0 WHERE key = ? AND behind <= ?", (key, seq))

    def is_of_before(self, key: bytes) -> bool:
        """As `States.read` asks of every entry of the ledger; a name of now has been heard of then."""
        return not self._database.execute("UPDATE names SET heard = TRUE WHERE key = ? AND current", (key,)).rowcount

    def hand_on(self, key: bytes) -> None:
        """The provider was told that another name stands for this one: then it must be told, or owed, of that one."""
        self._database.execute(
            "UPDATE names SET handed_on = TRUE WHERE key = (SELECT name FROM former WHERE key = ?)", (key,)
        )

    def behind(self) -> Iterator[bytes]:
        """What the pseudonymiser has not named yet."""
        return self._keys("behind")

    def unheard(self) -> Iterator[bytes]:
        """Names of now that were handed on to, and of which the ledger has nothing."""
        return self._keys("handed_on AND NOT heard")

    def _keys(self, where: str) -> Iterator[bytes]:
        for (key,) in self._database.execute(f"SELECT key FROM names WHERE {where}"):  # noqa: S608  # the two above
            yield key

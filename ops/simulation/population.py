"""Everybody whom the files tell of, folded as the filter folds them, in a file that goes with the process."""

from collections.abc import Iterator

from ops.scratch import Scratch
from services.contract.changes import Change, routing_key
from services.contract.consents import ConsentDecision
from services.contract.links import Link
from services.filtering import particulars
from services.filtering.folding import fold, take
from services.filtering.subject import Subject, dump, load

_TABLES = """
    CREATE TABLE subjects (key TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE keys (source TEXT, id TEXT, key TEXT NOT NULL, PRIMARY KEY (source, id)) WITHOUT ROWID;
"""


class Population(Scratch):
    """Subjects by routing key; a person stays under the key of her first change, as when it is published."""

    def __init__(self) -> None:
        super().__init__(_TABLES)

    def fold(self, change: Change) -> None:
        """Take one change to a person in."""
        key = self._key_of(change)
        self._put(key, fold(self.find(key), change)[0])

    def take(self, decision: ConsentDecision) -> None:
        self._put(decision.subject, take(self.find(decision.subject), decision)[0])

    def tie(self, link: Link) -> None:
        """Let a pupil link her guardian; a guardian of whom the files do not tell stays nobody.

        It changes no key, and may so be done while everybody is gone through.
        """
        known = self.find(link.guardian)
        linked = known.knowing(particulars.tie(known.particulars, link)[0])
        self._database.execute("UPDATE subjects SET state = ? WHERE key = ?", (dump(linked), link.guardian))

    def find(self, key: str) -> Subject:
        row = self._database.execute("SELECT state FROM subjects WHERE key = ?", (key,)).fetchone()
        return load(row and row[0])

    def __len__(self) -> int:
        (count,) = self._database.execute("SELECT count(*) FROM subjects").fetchone()
        return int(count)

    def __iter__(self) -> Iterator[tuple[str, Subject]]:
        for key, state in self._database.execute("SELECT key, state FROM subjects"):
            yield key, load(state)

    def _key_of(self, change: Change) -> str:
        place = change.source, change.id
        row = self._database.execute("SELECT key FROM keys WHERE source = ? AND id = ?", place).fetchone()
        if row:
            return str(row[0])
        key = routing_key(change.source, change.id, change.attributes.ine)
        self._database.execute("INSERT INTO keys VALUES (?, ?, ?)", (*place, key))
        return key

    def _put(self, key: str, subject: Subject) -> None:
        self._database.execute("INSERT OR REPLACE INTO subjects VALUES (?, ?)", (key, dump(subject)))

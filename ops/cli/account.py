"""What became of an export's records: refusals and omissions as lines on stderr, and their number."""

import sys
from collections import Counter
from typing import assert_never

from ops.cli import exits
from ops.publishing.exports import RefusedExport
from services.ingress.formats.aaf import RefusedFile, RefusedRecord, Remark, SetAside

NotTaken = RefusedExport | RefusedFile | RefusedRecord | Remark | SetAside


class Account:
    """Says each as it comes, so that a long run shows what it meets."""

    def __init__(self) -> None:
        self.taken: Counter[tuple[str, str]] = Counter()
        """By entity and kind."""
        self.refused = 0
        self.warnings = 0
        self.set_aside: Counter[str] = Counter()

    @property
    def exit_code(self) -> int:
        return exits.SOME_REFUSED if self.refused else exits.OK

    def note(self, read: NotTaken) -> None:
        match read:
            case RefusedRecord():
                about = f" ({read.attribute})" if read.attribute else ""
                self._refuse(f"{read.file}, record {read.record}, line {read.line}: {read.kind}{about}")
            case RefusedFile():
                place = f", line {read.line}, column {read.column}" if read.line else ""
                self._refuse(f"{read.file}{place}: {read.kind}; {read.records} records before it were read")
            case RefusedExport():
                self._refuse(f"{read.folder}: {read.why}" if read.folder not in {"", "."} else read.why)
            case Remark():
                self.warnings += 1
                self._say(
                    f"warning: {read.file}, record {read.record}, line {read.line}: {read.kind} ({read.attribute})"
                )
            case SetAside():
                self.set_aside[f"{read.what} {read.name}"] += read.count
                self._say(f"set aside: {read.what} {read.name}, {read.count} times")
            case _:
                assert_never(read)

    def refuse_change(self, file: str, record: int, kind: str) -> None:
        """A change that was read and cannot be published."""
        self._refuse(f"{file}, record {record}: {kind}")

    def to_json(self) -> dict[str, object]:
        published: dict[str, dict[str, int]] = {}
        for (entity, kind), count in sorted(self.taken.items()):
            published.setdefault(entity, {})[kind] = count
        return {
            "published": published,
            "refused": self.refused,
            "warnings": self.warnings,
            "set_aside": dict(sorted(self.set_aside.items())),
        }

    def _refuse(self, what: str) -> None:
        self.refused += 1
        self._say(f"refused: {what}")

    def _say(self, line: str) -> None:
        # A file's name comes from outside: it must not move the cursor.
        print("".join(c if c.isprintable() else "?" for c in line), file=sys.stderr)

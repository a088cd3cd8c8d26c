"""Reads the rows of the decision table: plain words, what differs from a base request, and what must come out.

Every runner (the pure function, the filter on a broker) takes the same rows from `rows()`.
"""

import copy
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.policy_files import POLICIES_FOLDER, read_register
from ops.register_files import REGISTER_FILE

HERE = Path(__file__).parent
LAW = read_register(POLICIES_FOLDER / REGISTER_FILE)
"""The law of places that comes with the project: what every row is decided by."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; `request` is whole and fresh, the rest is what a person wrote down beforehand."""

    file: str
    case: str
    request: dict[str, Any]
    verdict: str
    reasons: tuple[tuple[str, str], ...]
    fields: tuple[str, ...]
    dropped: dict[str, str]
    restrict: bool

    @property
    def id(self) -> str:
        return f"{self.file}: {self.case}"


def rows() -> list[Row]:
    """Read all rows of all rules, in the order of the rules and of the lines."""
    bases = _bases()
    return [
        _row(path.stem, line, bases)
        for path in sorted((HERE / "rules").glob("*.md"))
        for line in lines(path.read_text(encoding="utf-8"))
    ]


def base(name: str) -> dict[str, Any]:
    """Give a fresh copy of a base request by its name in bases.md."""
    return copy.deepcopy(_bases()[name])


def _bases() -> dict[str, dict[str, Any]]:
    example = json.loads((HERE / "example.json").read_text(encoding="utf-8"))
    bases: dict[str, dict[str, Any]] = {"public task": example}
    for line in lines((HERE / "bases.md").read_text(encoding="utf-8")):
        bases[line["base"]] = differ(bases[line["from"]], line["differences"])
    return bases


def lines(text: str) -> list[dict[str, str]]:
    """Give the lines of a pipe table by the names of its columns; what stands around the table is for people."""
    cells = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    header, _, *body = cells
    return [dict(zip(header, line, strict=True)) for line in body]


def _row(file: str, line: dict[str, str], bases: dict[str, dict[str, Any]]) -> Row:
    kept = line.get("kept", "") or ("given_name, level" if line["verdict"] == "release" else "")
    dropped = dict(item.split(": ") for item in _listed(line.get("dropped", "")))
    return Row(
        file=file,
        case=line["case"],
        request=differ(bases[line["base"]], line["differences"]),
        verdict=line["verdict"],
        reasons=tuple((r.split()[0], r.split()[1]) for r in _listed(line["reasons"])),
        fields=tuple(_listed(kept)),
        dropped=dropped,
        restrict=line.get("restrict", "") == "yes",
    )


def _listed(cell: str) -> list[str]:
    return [item.strip() for item in cell.split(",") if item.strip()]


def differ(request: dict[str, Any], differences: str) -> dict[str, Any]:
    """Apply `path=value`, `path absent` and `list+=entry`, separated by semicolons, to a copy."""
    changed = copy.deepcopy(request)
    for difference in filter(None, (part.strip() for part in differences.split(";"))):
        if difference.endswith(" absent"):
            holder, key = _reach(changed, difference.removesuffix(" absent"))
            del holder[key]
        elif "+=" in difference:
            path, _, entry = difference.partition("+=")
            holder, key = _reach(changed, path)
            holder[key].append(_entry(changed, str(key), entry))
        else:
            path, _, text = difference.partition("=")
            holder, key = _reach(changed, path)
            holder[key] = _value(text)
    return changed


def _reach(request: dict[str, Any], path: str) -> tuple[Any, Any]:
    steps: list[Any] = [
        int(step[1:-1]) if step.startswith("[") else step for step in re.findall(r"\[\d+\]|[^.\[\]]+", path.strip())
    ]
    holder: Any = request
    for step in steps[:-1]:
        holder = holder[step]
    return holder, steps[-1]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text.strip()


def _entry(request: dict[str, Any], name: str, text: str) -> Any:
    """Spell out an entry: `consents+=guardian:g1 given <at>`, `fields+=mail contact`, `places+=backup DE`."""
    value, words = _value(text), text.split()
    if not isinstance(value, str):
        return value
    if name == "consents":
        return {
            "party": words[0], "status": words[1], "at": words[2], "until": None, "proof": "p",
            "purpose": request["purpose"], "provider": request["provider"]["id"], "notice": request["notice"],
        }  # fmt: skip
    if name == "fields":
        return {"name": words[0], "category": words[1]}
    if name == "objections":
        return {"status": words[0], "at": "2026-09-03T00:00:00Z", "grounds": words[1] if words[1:] else None}
    if name == "places":
        return {
            "kind": words[0], "country": words[1], "operator": "another", "control_country": words[1],
            "secnumcloud": None, "scope": [], "dpf": None, "instrument": None,
        }  # fmt: skip
    return value

"""`python -m ops.benchmarks [--json FILE]`: microseconds a record, and the ratio to the peer. No broker, no verdict.

The whole stream beside other engines is measured by a later issue; these are the steps that it will be made of.
"""

import argparse
import base64
import hashlib
import hmac
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from unicodedata import normalize
from xml.etree import ElementTree as ET

import orjson
from rich.console import Console
from rich.table import Table

from ops.aaf_files import read_export
from ops.policy_files import read_policies
from ops.synthesis import synthesise
from services.contract.changes import Change, parse_change
from services.contract.policies import policy_digest
from services.filtering.case import Terms, terms_of
from services.filtering.emission import decide_pairs
from services.filtering.subject import NOBODY, fold
from services.pseudonymisation.pseudonym import Pseudonymiser, pae

ROUNDS = 5
NOW = datetime(2026, 9, 16, 8, tzinfo=UTC)


def cost(step: Callable[[], int]) -> float:
    """Microseconds a record: the best of some rounds, for what is slower was something else's doing."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        records = step()
        best = min(best, (time.perf_counter() - began) / records)
    return best * 1e6


def reading(folder: Path) -> tuple[float, float]:
    """AAF to changes, beside ElementTree reading the same files without refusing anything."""

    def ours() -> int:
        return sum(isinstance(read, Change) for read in read_export(folder, None, {}))

    def peer() -> int:
        requests = 0
        for file in sorted(folder.iterdir()):
            for _, element in ET.iterparse(file):  # noqa: S314  # files that this very run has written
                if element.tag == "addRequest":
                    {attr.get("name"): [value.text for value in attr] for attr in element.iter("attr")}
                    requests += 1
                    element.clear()
        return requests

    return cost(ours), cost(peer)


def parsing(lines: list[bytes]) -> tuple[float, float]:
    """A strict `Change`, beside the standard library's JSON, which takes anything."""

    def ours() -> int:
        return len([parse_change(line) for line in lines])

    def peer() -> int:
        return len([json.loads(line) for line in lines])

    return cost(ours), cost(peer)


def deciding(lines: list[bytes]) -> tuple[float, None]:
    """Fold, decide and prepare what goes out, for every contract of the example policies."""
    changes = [change for line in lines if (change := parse_change(line)).entity == "person"]
    terms: dict[str, Terms] = {
        term.pair: term
        for policy in read_policies(Path(__file__).parents[1] / "policies").values()
        for term in terms_of(policy, policy_digest(policy))
    }

    def ours() -> int:
        return sum(1 for change in changes if decide_pairs(change.id, fold(NOBODY, change)[0], terms, NOW, 1))

    return cost(ours), None


def naming(ines: list[str]) -> tuple[float, float]:
    """A pseudonym, beside the same bytes from the standard library's hmac and base64."""
    key = hashlib.sha256(b"only a benchmark").digest()
    names = Pseudonymiser.under(key)

    def one(ine: str) -> str:
        parts = [b"ppg/pairwise/v1", b"person", b"FR", b"INE", normalize("NFC", ine).strip().upper().encode()]
        digest = hmac.new(key, pae(parts), hashlib.sha256).digest()
        return base64.b32encode(digest[:20]).decode().lower()

    def ours() -> int:
        return sum(1 for ine in ines if names.pseudonym("person", "FR", "INE", ine))

    def peer() -> int:
        return sum(1 for ine in ines if one(ine))

    if names.pseudonym("person", "FR", "INE", ines[0]) != one(ines[0]):
        raise SystemExit("the two pseudonyms differ: nothing to compare")
    return cost(ours), cost(peer)


def measure(pupils: int) -> dict[str, tuple[float, float | None]]:
    """Every step on one invented export."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthesise(1, 7, delta=False, encoding="UTF-8", out=folder, pupils_per_school=pupils)
        changes = [read for read in read_export(folder, None, {}) if isinstance(read, Change)]
        lines = [orjson.dumps(orjson.loads(change.model_dump_json(exclude_unset=True))) for change in changes]
        ines = [change.attributes.ine for change in changes if change.attributes.ine]
        return {
            "read AAF": reading(folder),
            "parse a change": parsing(lines),
            "fold and decide, 3 contracts": deciding(lines),
            "one pseudonym": naming(ines),
        }


def main() -> None:
    """Print the table; with `--json`, write it too."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--pupils", type=int, default=1000, help="pupils in the invented school")
    options = parser.parse_args()
    figures = measure(options.pupils)
    table = Table("step", "µs a record", "peer", "peer ÷ ours")
    for step, (ours, peer) in figures.items():
        ratio = f"{peer / ours:.2f}" if peer else "–"
        table.add_row(step, f"{ours:.1f}", f"{peer:.1f}" if peer else "–", ratio)
    Console().print(table)
    if options.json:
        named = {step: {"microseconds": ours, "peer_microseconds": peer} for step, (ours, peer) in figures.items()}
        options.json.write_text(json.dumps(named, indent=2) + "\n")


if __name__ == "__main__":
    main()

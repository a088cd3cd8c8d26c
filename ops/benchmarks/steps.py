"""What one record costs in each pure step, beside a plain peer in the same run: no broker, no verdict."""

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

from ops.aaf_files import read_export
from ops.benchmarks.findings import Findings, Measured
from ops.benchmarks.one_provider import pseudonymising_one
from ops.benchmarks.ten_providers import deciding_ten
from ops.benchmarks.workbench import Workbench
from ops.policy_files import read_policies
from ops.synthesis import synthesise
from services.contract.changes import Change, parse_change
from services.contract.policies import policy_digest
from services.filtering.docket import Docket
from services.filtering.emission import decide_pairs
from services.filtering.folding import fold
from services.filtering.subject import NOBODY
from services.filtering.terms import terms_of
from services.pseudonymisation.pseudonym import Pseudonymiser, pae

ROUNDS = 5
PUPILS, QUICK_PUPILS = 1000, 300
NOW = datetime(2026, 9, 16, 8, tzinfo=UTC)


def cost(step: Callable[[], int]) -> float:
    """Seconds a record: the best of some rounds, for what is slower was something else's doing."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        records = step()
        best = min(best, (time.perf_counter() - began) / records)
    return best


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
    terms = Docket(
        {
            term.pair: term
            for policy in read_policies(Path(__file__).parents[1] / "policies").values()
            for term in terms_of(policy, policy_digest(policy))
        }
    )

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
        raise AssertionError("the two pseudonyms differ: nothing to compare")
    return cost(ours), cost(peer)


def measure(bench: Workbench) -> Findings:
    """Every step on one invented export."""
    pupils = QUICK_PUPILS if bench.quick else PUPILS
    findings = Findings()
    with tempfile.TemporaryDirectory(dir=bench.folder) as name:
        folder = Path(name)
        bench.say("pure steps")
        synthesise(1, 7, delta=False, encoding="UTF-8", out=folder, pupils_per_school=pupils)
        changes = [read for read in read_export(folder, None, {}) if isinstance(read, Change)]
        lines = [orjson.dumps(orjson.loads(change.model_dump_json(exclude_unset=True))) for change in changes]
        ines = [change.attributes.ine for change in changes if change.attributes.ine]
        _add(findings, "read-aaf", "elementtree", reading(folder))
        _add(findings, "parse-change", "standard-json", parsing(lines))
        _add(findings, "decide-three-contracts", "", deciding(lines))
        unchanged, changed = deciding_ten(pupils)
        _add(findings, "decide-ten-providers", "", (unchanged.seconds, None))
        _add(findings, "decide-ten-providers-changed", "", (changed.seconds, None))
        _add(findings, "pseudonym", "standard-hmac", naming(ines))
        one = pseudonymising_one()
        _add(findings, "pseudonymise-one-record-for-one-provider", "", (one.known / 1e6, None))
        _add(findings, "pseudonymise-one-record-for-one-provider-beyond-json", "", (one.beyond_json / 1e6, None))
    return findings


def _add(findings: Findings, step: str, peer: str, costs: tuple[float, float | None]) -> None:
    """Seconds a record; the ratio is of the rates, as everywhere."""
    ours, theirs = costs
    findings.figures[f"steps/{step}/ours/seconds_per_record"] = Measured.of([ours])
    if theirs is not None:
        findings.figures[f"steps/{step}/{peer}/seconds_per_record"] = Measured.of([theirs])
        findings.ratios[f"steps/{step}/{peer}"] = theirs / ours

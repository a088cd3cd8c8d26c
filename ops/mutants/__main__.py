"""`python -m ops.mutants`: the score of the last run of mutmut, module by module; exit 1 below nine in ten."""

import json
import sys
from collections import Counter
from pathlib import Path

FOLDER = Path("mutants")
LEAST = 0.9
KILLED = frozenset({1, 3})
"""Exit codes of pytest under a mutant that some test noticed; 0 is a survivor, null has not been tried."""


def scores(folder: Path) -> dict[str, Counter[str]]:
    """Module → how many mutants were killed, survived, or were not decided (not tried, timed out, without a test)."""
    found = {}
    for meta in sorted(folder.rglob("*.py.meta")):
        codes: dict[str, int | None] = json.loads(meta.read_text("utf-8"))["exit_code_by_key"]
        if codes:
            module = str(meta.relative_to(folder)).removesuffix(".meta")
            found[module] = Counter(
                "killed" if code in KILLED else "survived" if code == 0 else "undecided" for code in codes.values()
            )
    return found


def main(folder: Path = FOLDER) -> int:
    by_module = scores(folder)
    whole = sum(by_module.values(), Counter[str]())
    for module, counted in {**by_module, "all": whole}.items():
        share = counted["killed"] / (counted.total() or 1)
        print(f"{module:40} {counted['killed']:5} of {counted.total():5} killed  {share:6.1%}"
              f"  {counted['survived']} survived, {counted['undecided']} undecided")  # fmt: skip
    return 0 if whole["killed"] >= LEAST * max(whole.total(), 1) else 1


if __name__ == "__main__":
    sys.exit(main())

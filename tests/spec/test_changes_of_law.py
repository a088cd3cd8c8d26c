"""The rows of `changes_of_law.md`: what a change of the register does to a decision."""

from pathlib import Path

import orjson
import pytest

from services.contract.parsing import parse_payload
from services.contract.register import Register
from services.filtering.decision import decide
from tests.spec.table import LAW, base, differ, lines

ROWS = lines((Path(__file__).parent / "changes_of_law.md").read_text("utf-8"))
SHIPPED = LAW.model_dump(mode="json", by_alias=True)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["case"])
def test_change_of_law(row: dict[str, str]) -> None:
    law = parse_payload(Register, orjson.dumps(differ(SHIPPED, row["law"])), 100_000)

    verdict = decide(differ(base(row["base"]), row["differences"]), law)

    assert verdict.verdict == row["verdict"]
    assert ", ".join(f"{reason.rule} {reason.code}" for reason in verdict.reasons) == row["reasons"]


def test_the_digest_of_a_verdict_names_the_law_it_was_decided_by() -> None:
    other = parse_payload(Register, orjson.dumps(differ(SHIPPED, "adequacy.GB=[]")), 100_000)
    request = base("public task")

    assert decide(request, other).policy != decide(request, LAW).policy

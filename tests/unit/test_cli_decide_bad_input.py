"""A bad request, as a table: what is no JSON object exits 2; all else has a verdict, which is no release."""

import io
import json
import sys
from typing import Any

import pytest

from ops.cli import main
from tests.spec.table import base, differ

REFUSAL = "sanctuaire: standard input is not a JSON object; give one decision request\n"


def decide(raw: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, Any, str]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    code = main(["decide"])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else None, said.err


@pytest.mark.parametrize(
    ("name", "differences", "verdict", "reason"),
    [
        ("public task", "subject.kind=CANARY", "hold", "R0 unknown-value"),
        ("public task", "legal_basis.article=CANARY", "hold", "R0 unknown-value"),
        ("public task", "perimeter absent", "hold", "R0 key-absent"),
        ("public task", "fields absent", "hold", "R0 key-absent"),
        ("public task", "now=CANARY", "hold", "R0 unknown-value"),
        ("public task", "provider.contract.from=2027-09-01", "withhold", "R2 contract-not-begun"),
        ("public task", "provider.contract.from=2027-09-01; provider.contract.until=2026-01-01", "withhold",
         "R2 contract-over"),
        ("public task", "legal_basis.act.from=2027-01-01; legal_basis.act.until=2026-01-01", "withhold",
         "R3 act-not-in-force"),
        ("child", "consents[0].at=2026-09-10T00:00:00Z; consents[0].until=2026-09-01T00:00:00Z", "withhold",
         "R13 consent-expired"),
        ("child", "subject.birth_date=2030-01-01; consents=[]", "withhold", "R10 child-consent-missing"),
        ("public task", "subject.gone_since=2030-01-01", "hold", "R21 gone-waiting"),
        ("public task", "subject.delivered=true; subject.gone_since=2030-01-01", "hold", "R21 gone-waiting"),
        ("united states", "provider.places[0].dpf.from=2027-01-01; provider.places[0].dpf.until=2026-01-01",
         "withhold", "R19 dpf-not-in-force"),
    ],
)  # fmt: skip
def test_bad_request_has_a_verdict_and_no_value_is_said(  # noqa: PLR0917  # a row
    name: str, differences: str, verdict: str, reason: str,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    raw = json.dumps(differ(base(name), differences)).encode()
    code, said, err = decide(raw, capsys, monkeypatch)
    rule, _, kind = reason.partition(" ")

    assert (code, err) == (0, "")
    assert (said["verdict"], said["reasons"][0]) == (verdict, {"rule": rule, "code": kind})
    assert "CANARY" not in json.dumps(said)


@pytest.mark.parametrize("cut", [1, 100, 1000])
def test_request_that_is_cut_short_exits_2(
    cut: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = json.dumps(base("public task")).encode()[:-cut]

    assert decide(raw, capsys, monkeypatch) == (2, None, REFUSAL)

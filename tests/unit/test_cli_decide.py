import io
import json
import sys

import pytest

from ops.cli import main

# The request and the verdict of design/rules.md, letter for letter, but for the digest.
REQUEST = """
{"now":"2026-09-15T08:00:00+02:00",
 "perimeter":{"id":"FR","consent_age":15,"sovereign":true,"storage_country":"FR","allow_dpf":false,"allow_article_46":false,
   "allowed_fields":["given_name","family_name","level","groups","school","birth_year","commune","email_relay"]},
 "controller":{"id":"men","public_authority":true,"in_its_task":true},
 "provider":{"id":"prov-a","role":"processor",
   "contract":{"id":"C1","from":"2026-01-01","until":"2027-08-31","purposes":["pedagogical-access"],
     "fields":{"pedagogical-access":["given_name","level"]},"required":{"pedagogical-access":["level"]}},
   "places":[{"kind":"storage","country":"FR","operator":"hebergeur","control_country":"FR",
     "secnumcloud":{"from":"2025-01-01","until":"2028-01-01"},"scope":[],"dpf":null,"instrument":null}]},
 "purpose":"pedagogical-access",
 "legal_basis":{"article":"6(1)(e)","act":{"id":"arrete-gar","kinds":["pupil","teacher","staff"],"from":"2017-12-18","until":null},"register_entry":"R-1",
   "balancing":null,"signatory":null,"optional_service":false,"information_society_service":true,"usual_act":true},
 "subject":{"kind":"pupil","birth_date":"2013-05-03","emancipated":false,"guardians":["g1","g2"],
   "restrictions":[],"gone_since":null,"deleted":false,"delivered":false},
 "fields":[{"name":"given_name","category":"identity"},{"name":"level","category":"schooling"}],
 "consents":[{"party":"child","status":"given","at":"2026-09-01T00:00:00Z","until":null,"purpose":"pedagogical-access",
   "provider":"prov-a","notice":"n1","proof":"p1"}],
 "notice":"n1",
 "objections":[{"status":"rejected","at":"2026-09-02T00:00:00Z","grounds":"G-4"}]}
"""


def decide(raw: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    code = main(["decide"])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_example_of_the_rules_is_released(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = decide(REQUEST.encode(), capsys, monkeypatch)

    verdict = json.loads(out)

    assert (code, err, out.count("\n")) == (0, "", 1)
    assert verdict.pop("policy").startswith("sha256:")
    assert verdict == {
        "verdict": "release",
        "fields": ["given_name", "level"],
        "dropped": {},
        "reasons": [{"rule": "R3", "code": "public-task"}],
        "restrict": False,
    }


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"{}", id="nothing known"),
        pytest.param(REQUEST.replace('"now"', '"jadis"').encode(), id="without a now"),
        pytest.param(
            REQUEST.replace('"delivered":false', '"delivered":false,"deleted":false').encode(), id="a key twice"
        ),
        pytest.param(REQUEST.replace("15,", "1" * 6000 + ",").encode(), id="a number of 6000 digits"),
        pytest.param(REQUEST.replace('"id":"prov-a"', r'"id":"\ud800"').encode(), id="half a character"),
        pytest.param(b'{"a":' * 50_000 + b"1" + b"}" * 50_000, id="very deep"),
    ],
)
def test_any_json_object_gets_a_verdict(
    raw: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = decide(raw, capsys, monkeypatch)

    assert (code, err) == (0, "")
    assert json.loads(out)["verdict"] in {"release", "hold", "withhold"}


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"CANARY", id="a word"),
        pytest.param(b'["CANARY"]', id="a list"),
        pytest.param(b'"CANARY"', id="a text"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"CANARY":NaN}', id="NaN"),
        pytest.param(b'{"CANARY":1', id="cut short"),
        pytest.param(b'{"CANARY":1} {}', id="two objects"),
        pytest.param('{"CANARY":"é"}'.encode("latin-1"), id="not UTF-8"),
        pytest.param(b"[" * 50_000, id="very deep list"),
    ],
)
def test_what_is_not_a_json_object_exits_2_without_values(
    raw: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    actual = decide(raw, capsys, monkeypatch)

    assert actual == (2, "", "sanctuaire: standard input is not a JSON object; give one decision request\n")

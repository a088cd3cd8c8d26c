import io
import json
from typing import Any

import pytest

from services.contract.consents import ConsentDecision
from services.contract.errors import Unreadable
from services.ingress.reading import MAX_CONSENT_BYTES, Refused, read_body, read_lines

DECISION = (
    '{"subject":"999000001AB","party":"child","status":"withdrawn","at":"2026-09-15T08:00:00Z","until":null,'
    '"purpose":"reading-practice","provider":"lecture","notice":null,"proof":null}'
)
BAD = '{"subject":"CANARY"}'


def shown(found: list[Any]) -> list[tuple[int, str]]:
    return [(one.position, one.code if isinstance(one, Refused) else one.payload.status) for one in found]


def test_one_bad_line_does_not_keep_a_withdrawal_from_being_heard() -> None:
    lines = [BAD, "", "CANARY", DECISION, " " + "x" * 3 * MAX_CONSENT_BYTES, DECISION]

    found = list(read_lines(io.BytesIO("\n".join(lines).encode()), ConsentDecision, MAX_CONSENT_BYTES))

    assert shown(found) == [
        (1, "not-this-schema"), (3, "not-json"), (4, "withdrawn"), (5, "too-large"), (6, "withdrawn"),
    ]  # fmt: skip
    assert not any("CANARY" in read.why for read in found if isinstance(read, Refused))


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_decision_is_read_whole_however_its_line_ends(ending: str) -> None:
    (read,) = read_lines(io.BytesIO(f"{DECISION}{ending}".encode()), ConsentDecision, MAX_CONSENT_BYTES)

    assert not isinstance(read, Refused)
    assert read.payload.subject == "999000001AB"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param(DECISION, [(1, "withdrawn")], id="one object"),
        pytest.param(f"\n {DECISION}\n", [(1, "withdrawn")], id="one object amid blanks"),
        pytest.param(f"[{DECISION},{BAD},{DECISION}]", [(1, "withdrawn"), (2, "not-this-schema"), (3, "withdrawn")],
                     id="a list, one of which is bad"),
        pytest.param(f"[{DECISION},7,null,[]]", [(1, "withdrawn"), *((n, "not-this-schema") for n in (2, 3, 4))],
                     id="a list of anything"),
        pytest.param("[]", [], id="an empty list"),
        pytest.param(json.dumps([{**json.loads(DECISION), "proof": "x" * MAX_CONSENT_BYTES}]), [(1, "too-large")],
                     id="one that is too large alone"),
    ],
)  # fmt: skip
def test_body_is_one_object_or_a_list(body: str, found: list[tuple[int, str]]) -> None:
    assert shown(list(read_body(body.encode(), ConsentDecision, MAX_CONSENT_BYTES))) == found


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"", "not-json", id="nothing"),
        pytest.param(b'"CANARY"', "not-this-schema", id="a text"),
        pytest.param(b'{"subject":"a","subject":"CANARY"}', "not-json", id="a key twice"),
        pytest.param(b'[{"at":NaN}]', "not-json", id="not a number"),
        pytest.param(b'{"subject":"\xff"}', "not-json", id="no UTF-8"),
        pytest.param(b"[" * 40 + b"]" * 40, "not-json", id="nested too deep"),
        pytest.param(DECISION.encode("utf-16"), "not-json", id="UTF-16"),
    ],
)
def test_body_that_can_be_taken_in_two_ways_is_refused_whole_and_not_quoted(body: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        list(read_body(body, ConsentDecision, MAX_CONSENT_BYTES))

    assert refusal.value.code == code
    assert "CANARY" not in str(refusal.value)

"""Two operators: who may ask, who may confirm, for what and for how long."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ops.dual_control import Request, SignedRequest, _octets, confirm, read_request, sign_request, write_request
from services.contract.errors import NotSigned, WrongSettings

ONE, OTHER, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))
TRUSTED = [ONE.public_key(), OTHER.public_key()]
AT = datetime(2026, 9, 15, 8, tzinfo=UTC)
SOON = AT + timedelta(minutes=30)


def request(**differences: Any) -> Request:
    said: dict[str, Any] = {"act": "find-person", "perimeter": "FR", "matter": "gar/" + "a" * 32,
            "reference": "INC-2026-4", "by": "A. Operator", "at": AT, "until": AT + timedelta(hours=1)}  # fmt: skip
    return Request(**(said | differences))


def test_two_operators_with_trusted_keys_are_both_named() -> None:
    first, second = confirm(sign_request(request(), ONE), TRUSTED, OTHER, "B. Operator", SOON)

    assert (first.by, second.by) == ("A. Operator", "B. Operator")
    assert (first.at, second.at) == (AT, SOON)
    assert first.key != second.key


@pytest.mark.parametrize(
    ("asks", "confirms", "by", "at", "message"),
    [
        pytest.param(ONE, ONE, "B", SOON, "this very key", id="one key twice"),
        pytest.param(ONE, OTHER, "A. Operator", SOON, "same name", id="one name twice"),
        pytest.param(STRANGER, OTHER, "B", SOON, "none of the trusted", id="asked by a stranger"),
        pytest.param(ONE, STRANGER, "B", SOON, "not among", id="confirmed by a stranger"),
        pytest.param(ONE, OTHER, "B", AT + timedelta(hours=1), "its time", id="too late"),
        pytest.param(ONE, OTHER, "B", AT - timedelta(seconds=1), "its time", id="too early"),
    ],
)
def test_confirmation_is_refused(
    asks: Ed25519PrivateKey, confirms: Ed25519PrivateKey, by: str, at: datetime, message: str
) -> None:
    with pytest.raises(NotSigned, match=message):
        confirm(sign_request(request(), asks), TRUSTED, confirms, by, at)


@pytest.mark.parametrize(
    "changed",
    [
        {"matter": "gar/" + "b" * 32}, {"act": "destroy-root"}, {"perimeter": "BE"}, {"by": "C. Operator"},
        {"until": AT + timedelta(hours=2)}, {"reference": "INC-2026-5"}, {"signature": "AAAA"}, {"signature": "?"},
    ],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_request_that_was_changed_after_it_was_signed_confirms_nothing(changed: dict[str, Any]) -> None:
    signed = sign_request(request(), ONE)
    spoilt = SignedRequest(**(dict(signed) | changed))

    with pytest.raises(NotSigned, match="none of the trusted keys"):
        confirm(spoilt, TRUSTED, OTHER, "B. Operator", SOON)


@pytest.mark.parametrize(
    "until", [AT, AT - timedelta(hours=1), AT + timedelta(days=8)], ids=["at once", "past", "long"]
)
def test_request_holds_for_a_time_and_not_for_ever(until: datetime) -> None:
    with pytest.raises(WrongSettings, match="days at most"):
        sign_request(request(until=until), ONE)


def test_request_that_was_signed_for_longer_by_other_means_holds_no_longer_than_any() -> None:
    made = request(until=AT + timedelta(days=365))
    signed = SignedRequest(**dict(made), signature=base64.b64encode(ONE.sign(_octets(made))).decode())

    confirm(signed, TRUSTED, OTHER, "B. Operator", AT + timedelta(days=7, seconds=-1))
    with pytest.raises(NotSigned, match="its time"):
        confirm(signed, TRUSTED, OTHER, "B. Operator", AT + timedelta(days=7))


def test_request_is_read_as_it_was_written_and_written_once(tmp_path: Path) -> None:
    signed, path = sign_request(request(), ONE), tmp_path / "request.json"
    write_request(path, signed)

    assert read_request(path) == signed
    with pytest.raises(WrongSettings, match="cannot be written"):
        write_request(path, signed)
    for missing in (tmp_path / "none", tmp_path):
        with pytest.raises(NotSigned, match="cannot be read"):
            read_request(missing)

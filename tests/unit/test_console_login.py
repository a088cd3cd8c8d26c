import pytest

from services.console.login import (
    SESSION_SECONDS,
    Account,
    form_token,
    is_form_token,
    is_right,
    is_session,
    make_account,
    new_session,
    parse_account,
)  # fmt: skip
from services.contract.errors import NotThisSchema

PASSWORD = "invented-password"


def account(key: bytes = b"k" * 32) -> Account:
    return make_account("operator", PASSWORD, b"s" * 16, key)


def test_account_on_disk_tells_no_password_and_lets_in_who_has_it() -> None:
    raw = account().model_dump_json().encode()
    read = parse_account(raw)

    assert PASSWORD.encode() not in raw
    assert is_right(read, "operator", PASSWORD)
    assert not is_right(read, "operator", PASSWORD + "x")
    assert not is_right(read, "somebody", PASSWORD)
    assert not is_right(read, "operator", "")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"{}", id="empty"),
        pytest.param(b"not json", id="not JSON"),
        pytest.param(b" " * 5000, id="too large"),
        pytest.param(make_account("operator", "x", b"s" * 16, b"k" * 5).model_dump_json().encode(), id="short key"),
    ],
)
def test_what_is_no_account_is_refused(raw: bytes) -> None:
    with pytest.raises(NotThisSchema):
        parse_account(raw)


def test_session_holds_for_its_time_and_under_its_key_alone() -> None:
    cookie = new_session(account(), 1000.0, "nonce")

    assert is_session(account(), cookie, 1000.0 + SESSION_SECONDS - 1)
    assert not is_session(account(), cookie, 1000.0 + SESSION_SECONDS)
    assert not is_session(account(b"l" * 32), cookie, 1000.0)
    assert not is_session(account(), cookie.replace("nonce", "other"), 1000.0)
    assert not is_session(account(), "9" + cookie, 1000.0)
    assert not is_session(account(), "", 1000.0)
    assert not is_session(account(), "é.é.é", 1000.0)


def test_form_token_belongs_to_one_cookie() -> None:
    token = form_token(account(), "cookie")

    assert is_form_token(account(), "cookie", token)
    assert not is_form_token(account(), "another", token)
    assert not is_form_token(account(), "", form_token(account(), ""))
    assert not is_form_token(account(), "cookie", new_session(account(), 0.0, "n"))

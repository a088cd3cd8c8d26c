import pytest

from services.contract.envelope import Header, binary, body
from services.contract.errors import NotJson, NotThisSchema, TooLarge, Unreadable

STRUCTURED: list[Header] = [("Content-Type", b"application/cloudevents+json; charset=UTF-8")]
PLAIN: list[Header] = [("content-type", b"application/json")]


def test_binary_mode_names_the_event_in_headers() -> None:
    assert dict(binary("filtering", "release", "0.C1.7")) == {
        "ce_specversion": b"1.0", "ce_id": b"0.C1.7", "ce_source": b"sanctuaire/filtering",
        "ce_type": b"sanctuaire.release.v1", "content-type": b"application/json",
    }  # fmt: skip


@pytest.mark.parametrize("headers", [[], PLAIN, [("content-type", None)]], ids=["none", "binary", "a null header"])
def test_body_in_binary_mode_is_the_value_as_it_is(headers: list[Header]) -> None:
    assert body(b'{"a": 1}', headers, 100) == b'{"a": 1}'


def test_body_in_structured_mode_is_its_data() -> None:
    assert body(b'{"specversion":"1.0","id":"x","data":{"a":1}}', STRUCTURED, 100) == b'{"a":1}'


@pytest.mark.parametrize(
    ("value", "headers", "error"),
    [
        pytest.param(None, [], NotThisSchema, id="a tombstone"),
        pytest.param(None, STRUCTURED, NotThisSchema, id="a structured tombstone"),
        pytest.param(b"[]", STRUCTURED, NotThisSchema, id="no event"),
        pytest.param(b'{"specversion":"1.0"}', STRUCTURED, NotThisSchema, id="without data"),
        pytest.param(b'{"specversion":"0.3","data":{}}', STRUCTURED, NotThisSchema, id="another version"),
        pytest.param(b'{"specversion":"1.0","data":{"a":1,"a":2}}', STRUCTURED, NotJson, id="a key twice"),
        pytest.param(b"{", STRUCTURED, NotJson, id="no JSON"),
        pytest.param(b'{"specversion":"1.0","data":"' + b"x" * 100 + b'"}', STRUCTURED, TooLarge, id="too large"),
    ],
)
def test_unreadable(value: bytes | None, headers: list[Header], error: type[Unreadable]) -> None:
    with pytest.raises(error):
        body(value, headers, 100)

"""Which emissions are recognised without the strict models, and which are left to them."""

from typing import Any

import orjson
import pytest

from services.contract.errors import NotJson, NotThisSchema, TooLarge, Unreadable
from services.pseudonymisation.emission import MAX_EMISSION_BYTES, is_release, manner_of, read_strictly, recognise
from tests.replay.invented import MAIA, example

RELEASE = example("release/1/pupil-to-a-public-service", policy_version=1)
WITHDRAWAL = example("withdrawal/1/pupil-left", subject=MAIA.decode())
KNOWN = {manner_of(RELEASE): 1, manner_of(WITHDRAWAL): 2}


def named(**differences: Any) -> dict[str, Any]:
    return {"named_by": RELEASE["named_by"] | differences}


@pytest.mark.parametrize(("emission", "terms"), [(RELEASE, 1), (WITHDRAWAL, 2)], ids=["release", "withdrawal"])
def test_emission_like_one_that_was_checked_is_recognised(emission: dict[str, Any], terms: int) -> None:
    later = emission | {"seq": emission["seq"] + 1, **named(value="999000002AB")}

    assert recognise(orjson.dumps(later), MAIA, KNOWN) == (later, terms)


@pytest.mark.parametrize(
    "difference",
    [
        pytest.param({"provider": "autre"}, id="another provider"),
        pytest.param({"provider": ["gar"]}, id="a list of providers"),
        pytest.param({"policy_version": True}, id="true for version 1"),
        pytest.param({"policy_version": 1.0}, id="1.0 for version 1"),
        pytest.param({"kind": "robot"}, id="a kind that there is not"),
        pytest.param({"seq": "12"}, id="seq as text"),
        pytest.param({"seq": True}, id="seq as a boolean"),
        pytest.param({"seq": 0}, id="seq below one"),
        pytest.param({"subject": "999000002AB"}, id="somebody else's key"),
        pytest.param({"subject": None}, id="nobody"),
        pytest.param({"fields": [["level", "5EME"]]}, id="fields as a list"),
        pytest.param({"named_by": "INE"}, id="an identifier as text"),
        pytest.param(named(value=""), id="an empty identifier"),
        pytest.param(named(value=7), id="an identifier as a number"),
        pytest.param(named(value="9" * 161), id="an identifier too long"),
        pytest.param(named(pseudonym="a" * 32), id="a part too much in the identifier"),
        pytest.param({"pseudonym": "a" * 32}, id="a pseudonym put in"),
        pytest.param({"reasons": []}, id="a release with reasons"),
    ],
)
def test_what_is_off_is_left_to_the_strict_model(difference: dict[str, Any]) -> None:
    assert recognise(orjson.dumps(RELEASE | difference), MAIA, KNOWN) is None


@pytest.mark.parametrize("part", [*RELEASE, "value"])
def test_emission_that_lacks_a_part_is_left_to_the_strict_model(part: str) -> None:
    whole = RELEASE | {"named_by": {name: text for name, text in RELEASE["named_by"].items() if name != part}}
    lacking = {name: value for name, value in whole.items() if name != part}

    assert recognise(orjson.dumps(lacking), MAIA, KNOWN) is None


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        pytest.param(b"{", NotJson, id="no JSON"),
        pytest.param(b"[]", NotThisSchema, id="no object"),
        pytest.param(b"{}", NotThisSchema, id="nothing in it"),
        pytest.param(orjson.dumps(RELEASE | {"source": "x" * MAX_EMISSION_BYTES}), TooLarge, id="too large"),
    ],
)
def test_neither_reads_what_is_no_emission(raw: bytes, error: type[Unreadable]) -> None:
    assert recognise(raw, MAIA, KNOWN) is None
    with pytest.raises(error):
        read_strictly(raw)


def test_strict_reading_refuses_a_key_that_is_there_twice() -> None:
    with pytest.raises(NotJson):
        read_strictly(orjson.dumps(RELEASE)[:-1] + b',"seq":7}')


@pytest.mark.parametrize("emission", [RELEASE, WITHDRAWAL], ids=["release", "withdrawal"])
def test_strict_reading_tells_the_two_apart_by_content_and_knows_their_manner(emission: dict[str, Any]) -> None:
    read = read_strictly(orjson.dumps(emission))

    assert is_release(read) == ("fields" in emission)
    assert manner_of(read) == manner_of(emission)

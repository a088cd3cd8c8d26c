"""What is read at little cost is what the strict models read, and what is written is what they would write."""

import json
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.contract.errors import Unreadable
from services.contract.operations import Adopted, Delete, Restrict, Upsert
from services.pseudonymisation.emission import manner_of, read_strictly, recognise
from services.pseudonymisation.fields import PLAIN, Renaming
from services.pseudonymisation.pseudonym import Pseudonymiser
from services.pseudonymisation.terms import Terms
from tests.replay.invented import MAIA, example

RELEASE = example("release/1/pupil-to-a-public-service", policy_version=1)
WITHDRAWAL = example("withdrawal/1/pupil-left", policy_version=1, subject=MAIA.decode())
RESTRICTION = example("restriction/1/objection-is-open", policy_version=1, subject=MAIA.decode())
KNOWN = {manner_of(emission): "known" for emission in (RELEASE, WITHDRAWAL, RESTRICTION)}
NAMES = Pseudonymiser.under(b"\x07" * 32)

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, -1, 1, 1.0, 2, 2**63, 2**64, "", "x", "é", "x" * 161, [], {}, [1], ["x"]]
)
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=20)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
FIELDS = st.dictionaries(st.sampled_from(sorted(PLAIN)), VALUES)


def spoilt(data: st.DataObject, emission: dict[str, Any]) -> dict[str, Any]:
    """One part of the emission, or of its identifier, is another, missing, or too much."""
    whole = {**emission, "named_by": dict(emission["named_by"])}
    target = data.draw(st.sampled_from([whole, whole["named_by"]]))
    name = data.draw(st.sampled_from([*target, "surplus"]))
    if data.draw(st.booleans()):
        target[name] = data.draw(ODD)
    else:
        target.pop(name, None)
    return whole


def strictly(raw: bytes) -> Any:
    """As JSON has it; null where it is refused."""
    try:
        return json.loads(json.dumps(read_strictly(raw)))
    except Unreadable:
        return None


@given(st.data(), st.sampled_from([RELEASE, WITHDRAWAL, RESTRICTION]))
def test_what_is_recognised_is_what_the_strict_model_reads(data: st.DataObject, emission: dict[str, Any]) -> None:
    raw = json.dumps(spoilt(data, emission), ensure_ascii=False, separators=(",", ":")).encode()
    seen = recognise(raw, MAIA, KNOWN)

    assert seen is None or seen[0] == strictly(raw)


@given(FIELDS, st.integers(1, 2**63))
def test_release_with_any_fields_is_recognised(fields: dict[str, Any], seq: int) -> None:
    emission = RELEASE | {"fields": fields, "seq": seq}

    assert recognise(orjson.dumps(emission), MAIA, KNOWN) == (emission, "known")


@given(FIELDS, st.integers(1, 2**63), st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_upsert_is_written_as_its_model_writes_it(fields: dict[str, Any], seq: int, name: str) -> None:
    release = RELEASE | {"fields": fields | {"given_name": name}, "seq": seq}
    terms = Terms(release, NAMES, Renaming("aaf-d99", "FR", NAMES.name))
    event_id, value = terms.upsert(release, terms.pseudonym(release), None)

    assert Upsert.model_validate_json(value).model_dump_json().encode() == value
    assert Upsert.model_validate_json(value).event_id == event_id.decode()


@given(st.integers(1, 2**63))
def test_delete_is_written_as_its_model_writes_it(seq: int) -> None:
    withdrawal = WITHDRAWAL | {"seq": seq}
    terms = Terms(withdrawal, NAMES, Renaming("", "FR", NAMES.name))
    event_id, value = terms.delete(withdrawal, terms.pseudonym(withdrawal))

    assert Delete.model_validate_json(value).model_dump_json().encode() == value
    assert Delete.model_validate_json(value).event_id == event_id.decode()


@given(st.integers(1, 2**63))
def test_restrict_is_written_as_its_model_writes_it(seq: int) -> None:
    restriction = RESTRICTION | {"seq": seq}
    terms = Terms(restriction, NAMES, Renaming("", "FR", NAMES.name))
    event_id, value = terms.restrict(restriction, terms.pseudonym(restriction))

    assert Restrict.model_validate_json(value).model_dump_json().encode() == value
    assert Restrict.model_validate_json(value).event_id == event_id.decode()
    assert recognise(orjson.dumps(restriction), MAIA, KNOWN) == (restriction, "known")


@given(st.integers(2, 2**63), st.lists(st.text("abcdefghij234567", min_size=32, max_size=32), min_size=1, max_size=3))
def test_word_that_says_the_names_of_before_is_written_as_its_model_writes_it(seq: int, names: list[str]) -> None:
    release, restriction = RELEASE | {"seq": seq}, RESTRICTION | {"seq": seq}
    terms = Terms(release, NAMES, Renaming("aaf-d99", "FR", NAMES.name))
    pseudonym, before = terms.pseudonym(release), tuple(name.encode() for name in names)
    written: dict[type[Upsert | Delete | Restrict | Adopted], tuple[bytes, bytes]] = {
        Upsert: terms.upsert(release, pseudonym, None, before), Delete: terms.delete(restriction, pseudonym, before),
        Restrict: terms.restrict(restriction, pseudonym, before), Adopted: terms.adopt(restriction, pseudonym, before),
    }  # fmt: skip

    for model, (event_id, value) in written.items():
        read = model.model_validate_json(value)
        assert read.model_dump_json().encode() == value
        assert (read.event_id.encode(), read.renamed_from) == (event_id, tuple(names))
    assert Adopted.model_validate_json(written[Adopted][1]).seq == seq - 1

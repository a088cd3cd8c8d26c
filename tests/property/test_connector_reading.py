"""The quick reading of operations takes nothing that the strict one would refuse, and takes it as the same."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.connectors.providers.topic.mapping import headers_of, value_of
from services.connectors.reading import quickly, read_operation
from services.contract.errors import Unreadable
from services.contract.operations import (
    Adopted,
    Delete,
    Operation,
    ProviderRecord,
    ProviderRestriction,
    Restrict,
    Rotated,
    Upsert,
)
from services.contract.parsing import parse_payload
from tests.contract.payload_examples import OTHER_TYPES
from tests.replay.invented import example

LIMIT = 512 * 1024
CASES = ("upsert-pupil", "upsert-by-consent", "delete-after-leaving", "delete-after-withdrawal",
         "restrict-while-an-objection-is-open", "upsert-while-names-change", "delete-while-names-change",
         "restrict-while-names-change", "adopt-another-name", "rotate-to-another-name")  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
fields = st.dictionaries(st.text(), values, max_size=5)


def strictly(raw: bytes) -> Operation | None:
    """What the models make of it."""
    for model in (Upsert, Delete, Restrict, Rotated, Adopted):
        try:
            return parse_payload(model, raw, LIMIT)
        except Unreadable:
            continue
    return None


@settings(deadline=None)
@given(fields, st.sampled_from(["pupil", "guardian", "teacher", "staff"]))
def test_record_that_leaves_is_the_model_to_the_byte(said: dict[str, Any], kind: Any) -> None:
    upsert = Upsert.model_validate(example("operation/1/upsert-pupil") | {"kind": kind, "fields": said})
    word = read_operation(upsert.model_dump_json().encode(), upsert.pseudonym.encode(), upsert.provider)
    record = ProviderRecord(kind=kind, purpose="reading", fields=said)

    assert value_of(word, "reading") == record.model_dump_json().encode()


def test_order_to_restrict_leaves_as_its_model_writes_it() -> None:
    raw = orjson.dumps(example("operation/1/restrict-while-an-objection-is-open"))
    word = quickly(raw)

    assert word is not None
    assert value_of(word, "") == ProviderRestriction(restricted=True).model_dump_json().encode()
    assert ("ce_type", b"sanctuaire.provider-restriction.v1") in headers_of(word)


@pytest.mark.parametrize("case", CASES)
def test_what_the_pseudonymiser_writes_is_read_quickly(case: str) -> None:
    operation = example(f"operation/1/{case}")
    word = quickly(orjson.dumps(operation))

    assert word is not None
    assert {name: getattr(word, name) for name in ("provider", "contract", "pseudonym", "seq", "event_id")} == {
        name: operation[name] for name in ("provider", "contract", "pseudonym", "seq", "event_id")
    }
    assert (word.kind, word.fields) == (operation.get("kind"), operation.get("fields", {}))
    assert word.restricted is operation.get("restricted", False)
    assert (word.renamed_from, word.renamed_to) == (
        tuple(operation.get("renamed_from", ())), operation.get("renamed_to", "")
    )  # fmt: skip
    assert word.operation == case.partition("-")[0]
    assert word.place == f"{operation['contract']}/{operation['pseudonym']}".encode()


@pytest.mark.parametrize("other", OTHER_TYPES, ids=repr)
@pytest.mark.parametrize("name", ["provider", "contract", "pseudonym", "seq", "policy", "policy_version", "event_id",
                                  "kind", "fields", "restricted"])  # fmt: skip
@pytest.mark.parametrize("case", CASES)
def test_part_of_another_type_is_never_taken_quickly_where_the_models_refuse_it(
    case: str, name: str, other: object
) -> None:
    raw = orjson.dumps(example(f"operation/1/{case}") | {name: other})

    # The provider's slug and the policy's digest are the pseudonymiser's to get right: nothing here rests on them.
    assert quickly(raw) is None or strictly(raw) is not None or (name in {"provider", "policy"} and other == "?")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b'{"seq": NaN}', id="no JSON"),
        pytest.param(orjson.dumps(example("operation/1/upsert-pupil") | {"more": 1}), id="an undeclared field"),
        pytest.param(orjson.dumps(example("operation/1/upsert-pupil", fields={"a": "x" * LIMIT})), id="too large"),
        pytest.param(orjson.dumps(example("operation/1/delete-after-leaving") | {"kind": None}), id="a null kind"),
    ],
)
def test_what_is_off_is_left_to_the_strict_reading(raw: bytes) -> None:
    assert quickly(raw) is None
    with pytest.raises(Unreadable):
        read_operation(raw, b"", "gar")


def test_deep_nesting_is_refused() -> None:
    deep: Any = "x"
    for _ in range(40):
        deep = [deep]
    raw = orjson.dumps(example("operation/1/upsert-pupil") | {"fields": {"a": deep}})

    with pytest.raises(Unreadable, match="nested deeper"):
        read_operation(raw, b"", "gar")

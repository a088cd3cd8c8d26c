import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from ops.rendering.examples import SCHEMAS, examples_of
from ops.rendering.nouns import NOUNS, Noun, noun_of
from services.contract.errors import Payload
from services.contract.topology import expand
from tests.contract.payload_examples import (
    Example,
    Mutant,
    all_examples,
    validator_of,
    with_extra_field,
    with_missing_field,
    with_wrong_type,
)

EXAMPLES = [pytest.param(example, id=example.name) for example in all_examples()]
CARRIED = sorted({payload for topic in expand(("gar",)) for payload in topic.payloads}, key=lambda one: one.__name__)

# What only a model can say: rules across fields, which JSON Schema would need a page for.
ACROSS_FIELDS = "value_error"


def refused_as(noun: Noun, value: Any) -> str | None:
    """The kind of the model's first complaint, or None where it takes the value."""
    try:
        noun.adapter.validate_json(json.dumps(value))
    except ValidationError as error:
        return error.errors(include_input=False)[0]["type"]
    return None


@pytest.mark.parametrize("noun", [pytest.param(noun, id=noun.slug) for noun in NOUNS])
def test_payload_has_an_example(noun: Noun) -> None:
    cases = [example.name for example in all_examples() if example.noun == noun]

    assert cases


@pytest.mark.parametrize("payload", [pytest.param(payload, id=payload.__name__) for payload in CARRIED])
def test_payload_of_a_topic_has_an_example(payload: type[Payload]) -> None:
    assert examples_of(noun_of(payload), payload)


def test_every_file_among_the_examples_is_the_example_of_a_payload() -> None:
    files = {path for path in (SCHEMAS / "examples").rglob("*") if path.is_file()}

    assert files == {example.path for example in all_examples()}


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_fits_its_schema(example: Example) -> None:
    faults = [fault.json_path for fault in validator_of(example.noun).iter_errors(example.read())]

    assert faults == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_comes_back_from_its_model_as_it_was(example: Example) -> None:
    adapter = example.noun.adapter

    parsed = adapter.validate_json(example.path.read_bytes())
    written = adapter.dump_json(parsed, by_alias=True, exclude_unset=True)

    assert json.loads(written) == example.read()
    assert adapter.validate_json(written) == parsed


@pytest.mark.parametrize("example", EXAMPLES)
def test_undeclared_field_is_refused_by_schema_and_model(example: Example) -> None:
    value = example.read() | {"undeclared": "?"}

    assert not validator_of(example.noun).is_valid(value)
    assert refused_as(example.noun, value) is not None


@pytest.mark.parametrize(
    "mutants",
    [
        pytest.param(with_extra_field, id="extra-field"),
        pytest.param(with_missing_field, id="missing-field"),
        pytest.param(with_wrong_type, id="wrong-type"),
    ],
)
@pytest.mark.parametrize("example", EXAMPLES)
def test_schema_and_model_refuse_the_same_faults(example: Example, mutants: Callable[[Any], Iterator[Mutant]]) -> None:
    validator = validator_of(example.noun)
    tried = [(one.fault, validator.is_valid(one.value), refused_as(example.noun, one.value))
             for one in mutants(example.read())]  # fmt: skip

    only_the_schema = [fault for fault, fits, refused in tried if not fits and refused is None]
    only_the_model = [fault for fault, fits, refused in tried if fits and refused not in {None, ACROSS_FIELDS}]
    assert only_the_schema == []
    assert only_the_model == []
    assert any(refused for _, _, refused in tried)


@pytest.mark.parametrize(
    ("payload", "missing"),
    [
        pytest.param("change", "version", id="change"),
        pytest.param("identifier", "value", id="identifier"),
        pytest.param("consent-decision", "until", id="consent-whose-end-is-not-said"),
        pytest.param("provider-policy", "perimeter", id="policy-without-its-perimeter"),
        pytest.param("release", "seq", id="release"),
        pytest.param("withdrawal", "seq", id="withdrawal"),
        pytest.param("operation", "pseudonym", id="operation"),
        pytest.param("outcome", "outcome", id="outcome-without-its-tag"),
        pytest.param("provider-record", "purpose", id="provider-record"),
        pytest.param("audit-entry", "ends", id="audit-entry"),
        pytest.param("quarantined-record", "offset", id="quarantined-record"),
        pytest.param("decision-request", "now", id="decision-request-without-its-clock"),
        pytest.param("verdict", "reasons", id="verdict-without-a-reason"),
        pytest.param("consent-record", "dpv:hasConsentStatus", id="consent-record-without-its-event"),
        pytest.param("consent-receipt", "dpv:hasRecordOfActivity", id="consent-receipt-without-its-record"),
    ],
)
def test_payload_without_a_field_it_needs_is_refused_by_schema_and_model(payload: str, missing: str) -> None:
    for example in (one for one in all_examples() if one.noun.slug == payload):
        value = {name: inner for name, inner in example.read().items() if name != missing}

        assert not validator_of(example.noun).is_valid(value)
        assert refused_as(example.noun, value) is not None

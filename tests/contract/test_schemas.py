import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ops.rendering.nouns import NOUNS, Noun
from tests.contract.payload_examples import FORMATS, schema_of

SCHEMAS_OF = [pytest.param(noun, id=noun.slug) for noun in NOUNS]
PAYLOADS = [
    "Change", "Identifier", "ConsentDecision", "ObjectionDecision", "RestrictionDecision", "Link", "ProviderPolicy",
    "Approval", "Census", "GroupCensus", "Release", "Withdrawal", "Restriction", "Heartbeat", "Operation", "Outcome",
    "ProviderRecord", "ProviderRestriction", "AuditEntry", "QuarantinedRecord", "PolicyAct", "ReadAct",
    "DecisionRequest", "Verdict", "ConsentRecord", "ConsentReceipt",
]  # fmt: skip


def objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from objects(inner)


def test_payloads_with_a_schema_are_those_of_the_design() -> None:
    assert [noun.title for noun in NOUNS] == PAYLOADS


@pytest.mark.parametrize("noun", SCHEMAS_OF)
def test_schema_is_valid_in_its_dialect(noun: Noun) -> None:
    schema = schema_of(noun)

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("noun", SCHEMAS_OF)
def test_schema_names_itself_and_says_what_it_is(noun: Noun) -> None:
    schema = schema_of(noun)

    assert schema["$id"] == f"urn:sanctuaire:schema:{noun.slug}:1"
    assert schema["title"] == noun.title
    assert schema["description"].endswith(".")


@pytest.mark.parametrize("noun", SCHEMAS_OF)
def test_schema_leaves_no_declared_object_open(noun: Noun) -> None:
    declared = [node for node in objects(schema_of(noun)) if node.get("type") == "object" and "properties" in node]

    assert declared
    assert [node for node in declared if node.get("additionalProperties") is not False] == []


@pytest.mark.parametrize("noun", SCHEMAS_OF)
def test_schema_refers_only_to_itself(noun: Noun) -> None:
    schema = schema_of(noun)
    references = {node["$ref"] for node in objects(schema) if isinstance(node.get("$ref"), str)}

    assert references <= {f"#/$defs/{name}" for name in schema.get("$defs", {})}


@pytest.mark.parametrize("noun", SCHEMAS_OF)
def test_patterns_are_anchored_and_in_the_words_that_every_validator_shares(noun: Noun) -> None:
    for pattern in (node["pattern"] for node in objects(schema_of(noun)) if isinstance(node.get("pattern"), str)):
        re.compile(pattern)

        assert pattern.startswith("^")
        assert pattern.endswith("$")
        assert r"\p" not in pattern


@pytest.mark.parametrize("noun", SCHEMAS_OF)
def test_formats_are_those_that_the_tests_can_check(noun: Noun) -> None:
    used = {node["format"] for node in objects(schema_of(noun)) if isinstance(node.get("format"), str)}

    assert used <= set(FORMATS.checkers)


@pytest.mark.parametrize(
    ("format_name", "text", "fits"),
    [
        pytest.param("date", "2013-05-03", True, id="day"),
        pytest.param("date", "2013-02-30", False, id="day-that-never-was"),
        pytest.param("date-time", "2026-09-04T17:12:08+02:00", True, id="instant"),
        pytest.param("date-time", "2026-09-04T17:12:08", False, id="instant-without-its-zone"),
        pytest.param("date-time", "2026-09-04", False, id="day-for-an-instant"),
        pytest.param("date-time", "2026-13-04T17:12:08Z", False, id="month-thirteen"),
    ],
)
def test_formats_are_checked_and_not_only_named(format_name: str, text: str, *, fits: bool) -> None:
    assert FORMATS.conforms(text, format_name) is fits

"""Whether the records say what they mean to a reader of JSON-LD who knows DPV and nothing of us."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.contract.consent_records import CONTEXT
from services.contract.register import ASSIGNED
from tests.contract.payload_examples import Example, all_examples, schema_of

TERMS_FILE = Path(__file__).parents[1] / "data" / "dpv" / "terms-2.3.tsv"
TERMS = {
    name: (iri, kind)
    for name, iri, kind in (
        line.split("\t") for line in TERMS_FILE.read_text("utf-8").splitlines() if not line.startswith("#")
    )
}
OURS = {"dpv", "eu-gdpr", "legal-eu", "pd", "sector-education"}
DOCUMENTS = [one for one in all_examples() if one.noun.slug in {"consent-record", "consent-receipt"}]


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object but the contexts, which are no statements."""
    if isinstance(value, dict):
        yield value
        value = [inner for name, inner in value.items() if name != "@context"]
    for inner in value if isinstance(value, list) else ():
        yield from nodes(inner)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def expanded(name: str) -> str:
    """What a prefixed name stands for, by the document's own context (JSON-LD 1.1 §5.2.2)."""
    prefix, _, rest = name.partition(":")
    return f"{CONTEXT[prefix]}{rest}" if isinstance(CONTEXT.get(prefix), str) else name


@pytest.mark.parametrize("document", [pytest.param(one, id=one.name) for one in DOCUMENTS])
def test_every_property_and_class_is_one_that_the_vocabulary_has(document: Example) -> None:
    properties = {name for node in nodes(document.read()) for name in node if not name.startswith("@")}
    classes = {name for node in nodes(document.read()) for name in as_list(node.get("@type", []))}

    assert {name.partition(":")[0] for name in properties | classes} <= {"dct", "rdf", "schema", "skos", *OURS}
    for name in properties | classes:
        if name.partition(":")[0] in OURS:
            assert TERMS[name] == (expanded(name), "property" if name in properties else "class")


@pytest.mark.parametrize("document", [pytest.param(one, id=one.name) for one in DOCUMENTS])
def test_every_name_of_a_thing_is_read_as_an_iri_and_every_text_as_a_text(document: Example) -> None:
    for node in nodes(document.read()):
        for name, value in node.items():
            is_iri = CONTEXT.get(name) == {"@type": "@id"}
            for one in as_list(value):
                if isinstance(one, str) and not name.startswith("@"):
                    looks = expanded(one).startswith(("https://w3id.org/", "urn:sanctuaire:"))
                    # An organisation's identifier is its IRI, written as a text too (guide, 8.4.2).
                    assert is_iri == looks or (name == "dpv:hasIdentifier" and looks)


@pytest.mark.parametrize("slug", ["consent-record", "consent-receipt"])
def test_every_term_that_the_schema_allows_is_in_the_vocabulary(slug: str) -> None:
    schema = schema_of(next(one.noun for one in DOCUMENTS if one.noun.slug == slug))
    allowed = {term for node in nodes(schema) for term in (*node.get("enum", ()), node.get("const"))}
    names = {term for term in allowed if isinstance(term, str) and term.partition(":")[0] in OURS}

    assert len(names) > 50
    assert names <= TERMS.keys()


def test_terms_are_listed_under_the_names_that_they_have_there() -> None:
    assert {name: expanded(name) for name in TERMS} == {name: iri for name, (iri, _) in TERMS.items()}


@pytest.mark.parametrize(
    ("prefix", "iri"),
    [
        pytest.param("dct", "http://purl.org/dc/terms/", id="dublin-core"),
        pytest.param("loc", "https://w3id.org/dpv/loc#", id="dpv-places"),
        pytest.param("skos", "http://www.w3.org/2004/02/skos/core#", id="skos"),
        pytest.param("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#", id="rdf"),
        pytest.param("schema", "https://schema.org/", id="schema.org"),
        pytest.param("xsd", "http://www.w3.org/2001/XMLSchema#", id="xml-schema"),
    ],
)
def test_prefix_is_that_of_its_vocabulary(prefix: str, iri: str) -> None:
    assert CONTEXT[prefix] == iri


def test_countries_are_written_as_the_list_of_places_writes_them() -> None:
    """DPV 2.3's list has every code that ISO 3166-1 assigns, under the code itself."""
    pattern = schema_of(DOCUMENTS[0].noun)["$defs"]["StorageLocation"]["properties"]["dpv:hasLocation"]["items"]

    assert pattern["pattern"] == "^loc:[A-Z]{2}$"
    assert all(len(code) == 2 and code.isupper() for code in ASSIGNED)

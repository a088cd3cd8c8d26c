"""Which spelling is pseudonymised, which is refused, and under what a person, a school or a group is named."""

import pytest

from services.contract.errors import NotAnIdentifier
from services.contract.identifiers import WHITE_SPACE, IdType, canonical_value
from services.contract.naming import EntityClass, NamedBy, name_of_group, name_of_person, name_of_school


def named_by(entity_class: EntityClass, namespace: str, id_type: IdType, value: str) -> NamedBy:
    return NamedBy(entity_class=entity_class, namespace=namespace, type=id_type, value=value)


@pytest.mark.parametrize(
    ("id_type", "text", "expected"),
    [
        pytest.param("INE", "123456789AB", "123456789AB", id="ine-national-since-2018"),
        pytest.param("INE", "1234567890A", "1234567890A", id="ine-older-form"),
        pytest.param("INE", "\u00a0123456789ab\t", "123456789AB", id="ine-lower-case-between-blanks"),
        pytest.param("INE", "1234567890\u212a", "1234567890K", id="ine-with-kelvin-sign-is-composed-first"),
        pytest.param("UAI", " 0690078k ", "0690078K", id="uai"),
        pytest.param("UAI", "0932638M", "0932638M", id="uai-of-another-letter"),
        pytest.param("UAI", "0670007U", "0670007U", id="uai-of-a-third-letter"),
        pytest.param("local", "\u3000Élève 7\u2028", "Élève 7", id="local-keeps-case-and-inner-blanks"),
        pytest.param("local", "ab\u200b", "ab\u200b", id="zero-width-space-is-not-white-space"),
        pytest.param("local", "\x1fab", "\x1fab", id="information-separator-is-not-white-space"),
        pytest.param("local", "00", "00", id="two-zeros-are-no-placeholder"),
        pytest.param("local", "N/A", "N/A", id="not-listed-as-placeholder"),
        pytest.param("local", "1234567890a", "1234567890a", id="what-looks-like-an-ine-is-local-if-so-named"),
    ],
)
def test_canonical_spelling(id_type: IdType, text: str, expected: str) -> None:
    assert canonical_value(id_type, text) == expected


def test_every_unicode_white_space_is_stripped_at_both_ends() -> None:
    assert len(set(WHITE_SPACE)) == 25
    assert canonical_value("local", f"{WHITE_SPACE}a{WHITE_SPACE}") == "a"


@pytest.mark.parametrize("id_type", ["INE", "UAI", "local"])
@pytest.mark.parametrize(
    "text", ["", "NULL", "null", "NuLL", "NA", "na", "0", " 0 ", "\u00a0NULL\u3000", "\t\n", "\u2003"]
)
def test_placeholder_is_never_an_identifier(id_type: IdType, text: str) -> None:
    with pytest.raises(NotAnIdentifier, match=f"^{id_type}: a placeholder$"):
        canonical_value(id_type, text)


@pytest.mark.parametrize(
    ("id_type", "text"),
    [
        pytest.param("INE", "12345678ABC", id="ine-three-letters"),
        pytest.param("INE", "123456789A", id="ine-too-short"),
        pytest.param("INE", "1234567890AB", id="ine-too-long"),
        pytest.param("INE", "12345678901", id="ine-without-letter"),
        pytest.param("INE", "123456789ß", id="ine-whose-upper-case-would-have-been-one"),
        pytest.param("INE", "123456789ſA", id="ine-with-long-s"),
        pytest.param("INE", "１234567890A", id="ine-with-full-width-digit"),
        pytest.param("INE", "12345 6789AB", id="ine-with-inner-blank"),
        pytest.param("INE", "1234567890A\x00", id="ine-with-nul"),
        pytest.param("INE", "\ud8001234567890A", id="ine-with-lone-surrogate"),
        pytest.param("UAI", "0690078A", id="uai-with-wrong-check-letter"),
        pytest.param("UAI", "0690078I", id="uai-with-a-letter-outside-its-alphabet"),
        pytest.param("UAI", "690078K", id="uai-that-lost-its-zero"),
        pytest.param("local", "eleve-\udcff", id="local-with-lone-surrogate"),
    ],
)
def test_what_is_not_of_its_type_is_refused_without_being_quoted(id_type: IdType, text: str) -> None:
    with pytest.raises(NotAnIdentifier) as refusal:
        canonical_value(id_type, text)

    assert text not in str(refusal.value)
    assert refusal.value.__context__ is None


@pytest.mark.parametrize(
    ("source", "local_id", "ine", "expected"),
    [
        pytest.param(
            "ac-lyon",
            "4711",
            "123456789ab",
            named_by("person", "FR", "INE", "123456789AB"),
            id="pupil-by-ine",
        ),
        pytest.param(
            "ent-rhone",
            "x9",
            " 123456789AB",
            named_by("person", "FR", "INE", "123456789AB"),
            id="same-pupil-elsewhere",
        ),
        pytest.param(
            "ac-lyon",
            "NULL",
            "123456789AB",
            named_by("person", "FR", "INE", "123456789AB"),
            id="pupil-without-local-id",
        ),
        pytest.param("ac-lyon", "4711", None, named_by("person", "ac-lyon", "local", "4711"), id="teacher-by-local-id"),
        pytest.param(
            "ac-lyon",
            " 4711 ",
            "NULL",
            named_by("person", "ac-lyon", "local", "4711"),
            id="placeholder-for-ine",
        ),
        pytest.param(
            "ac-lyon",
            "4711",
            "12345",
            named_by("person", "ac-lyon", "local", "4711"),
            id="what-is-no-ine-is-not-used",
        ),
    ],
)
def test_person_is_named_by_ine_else_by_the_source(
    source: str, local_id: str, ine: str | None, expected: NamedBy
) -> None:
    assert name_of_person("FR", source, local_id, ine) == expected


def test_school_is_named_by_its_uai_in_the_namespace_of_the_perimeter() -> None:
    assert name_of_school("FR", "0690078k") == named_by("school", "FR", "UAI", "0690078K")


def test_group_is_named_by_uai_and_code_in_the_namespace_of_its_source() -> None:
    actual = name_of_group("ac-lyon", "0690078k", " 3e\u0300me A ")

    assert actual == named_by("group", "ac-lyon", "local", "0690078K$3ème A")


def test_without_ine_and_local_id_nobody_is_named() -> None:
    with pytest.raises(NotAnIdentifier, match=r"^local: a placeholder$"):
        name_of_person("FR", "ac-lyon", "0", "NA")


@pytest.mark.parametrize(("uai", "code"), [("NULL", "3A"), ("0690078A", "3A"), ("0690078K", " na ")])
def test_group_without_school_or_code_is_not_named(uai: str, code: str) -> None:
    with pytest.raises(NotAnIdentifier):
        name_of_group("ac-lyon", uai, code)


@pytest.mark.parametrize(("perimeter", "source"), [("FR", ""), ("FR", "NULL"), ("", "ac-lyon")])
def test_nothing_is_named_without_a_namespace(perimeter: str, source: str) -> None:
    ine = None if perimeter else "123456789AB"

    with pytest.raises(NotAnIdentifier, match="has no name"):
        name_of_person(perimeter, source, "4711", ine)


def test_identifier_does_not_show_its_value() -> None:
    shown = repr(name_of_person("FR", "ac-lyon", "4711", "123456789AB"))

    assert "123456789AB" not in shown
    assert "INE" in shown

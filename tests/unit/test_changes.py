from datetime import date

import pytest

from services.contract.changes import ATTRIBUTE_CATEGORY, Attributes, Change, Identifier, parse_change, routing_key
from services.contract.errors import NotJson, NotThisSchema, TooLarge, Unreadable
from services.contract.identifiers import canonical_ine, canonical_uai, is_placeholder

CANARY = "ZORVELQUIMUR"
HEAD = '"kind":"patch","entity":"person","category":"pupil","source":"ac-99","id":"1","version":"20260916.1.000000001"'
PATCH = f'{{{HEAD},"attributes":{{"birth_date":"2014-05-03","email":null,"groups":[]}}}}'


def change(attributes: str = "{}", **replaced: str) -> bytes:
    head = HEAD
    for name, value in replaced.items():
        start = head.index(f'"{name}":"') + len(name) + 4
        head = head[:start] + value + head[head.index('"', start) :]
    return f'{{{head},"attributes":{attributes}}}'.encode()


def test_absent_stays_absent_and_null_stays_null() -> None:
    parsed = parse_change(PATCH.encode())

    assert parsed.attributes.birth_date == date(2014, 5, 3)
    assert parsed.attributes.model_fields_set == {"birth_date", "email", "groups"}
    assert parsed.model_dump_json(exclude_unset=True) == PATCH


def test_source_attributes_are_written_only_when_there_are_any() -> None:
    without = Change.model_validate_json(PATCH.replace('"attributes"', '"source_attributes":{},"attributes"'))
    with_one = Change.model_validate_json(PATCH.replace('"attributes"', '"source_attributes":{"A":["b"]},"attributes"'))

    assert without.model_dump_json(exclude_unset=True) == PATCH
    assert with_one.model_dump_json(exclude_unset=True) == PATCH[:-1] + ',"source_attributes":{"A":["b"]}}'


def test_spelling_that_differs_is_the_same_change() -> None:
    spaced = PATCH.replace(":", " : ").replace("2014", "\\u0032014")

    assert parse_change(spaced.encode()) == parse_change(PATCH.encode())


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        pytest.param(b"", NotJson, id="nothing"),
        pytest.param(b"{", NotJson, id="cut"),
        pytest.param(change() + b"x", NotJson, id="more-after-it"),
        pytest.param(change().replace(b"pupil", b"\xff"), NotJson, id="not-utf-8"),
        pytest.param(change().decode().encode("utf-16"), NotJson, id="utf-16"),
        pytest.param(change('{"email":"\\ud800"}'), NotJson, id="half-a-surrogate-pair"),
        pytest.param(change('{"email":NaN}'), NotJson, id="nan"),
        pytest.param(change('{"email":Infinity}'), NotJson, id="infinity"),
        pytest.param(change(f'{{"email":"{CANARY}","email":null}}'), NotJson, id="key-twice"),
        pytest.param(change(f'{{"email":"{CANARY}","em\\u0061il":null}}'), NotJson, id="key-twice-spelt-in-two-ways"),
        pytest.param(change('{"email":' + "[" * 32 + "]" * 32 + "}"), NotJson, id="too-deep"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, NotJson, id="far-too-deep"),
        pytest.param(b"[]", NotThisSchema, id="not-an-object"),
        pytest.param(b"{}", NotThisSchema, id="nothing-in-it"),
        pytest.param(change(f'{{"{CANARY}":"x"}}'), NotThisSchema, id="undeclared-attribute"),
        pytest.param(change('{"email":1}'), NotThisSchema, id="number-for-text"),
        pytest.param(change('{"groups":null}'), NotThisSchema, id="null-for-a-list"),
        pytest.param(change('{"diffusion":"O"}'), NotThisSchema, id="text-for-a-flag"),
        pytest.param(change('{"birth_date":"03/05/2014"}'), NotThisSchema, id="another-date"),
        pytest.param(change('{"birth_date":1399075200}'), NotThisSchema, id="seconds-for-a-date"),
        pytest.param(change('{"uai":"0999001W"}'), NotThisSchema, id="attribute-of-a-school"),
        pytest.param(change(kind="delete", attributes='{"email":null}'), NotThisSchema, id="delete-with-attributes"),
        pytest.param(change(category="school"), NotThisSchema, id="category-of-another-entity"),
        pytest.param(change(kind=CANARY), NotThisSchema, id="kind"),
        pytest.param(change(source=f"AC:{CANARY}"), NotThisSchema, id="source"),
        pytest.param(change(id=""), NotThisSchema, id="empty-id"),
        pytest.param(change(id="9" * 129), NotThisSchema, id="long-id"),
        pytest.param(change(id=f" {CANARY}"), NotThisSchema, id="id-with-white-space"),
        pytest.param(change(id=f"{CANARY}-e\u0301"), NotThisSchema, id="id-in-another-spelling"),
        pytest.param(
            change(f'{{"guardians":[{{"id":"{CANARY}-e\u0301"}}]}}'), NotThisSchema, id="guardian-in-another-spelling"
        ),
        pytest.param(change(f'{{"guardians":[{{"id":"{CANARY} "}}]}}'), NotThisSchema, id="guardian-with-white-space"),
        pytest.param(change(version="20260916.1.1"), NotThisSchema, id="version-without-its-width"),
        pytest.param(change(f'{{"email":"{CANARY * 30_000}"}}'), TooLarge, id="too-large"),
    ],
)
def test_what_is_no_change_is_refused_without_its_values(raw: bytes, error: type[Unreadable]) -> None:
    with pytest.raises(error) as refused:
        parse_change(raw)

    assert CANARY not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_thirty_two_levels_are_no_reason_to_refuse() -> None:
    with pytest.raises(NotThisSchema):
        parse_change(change('{"email":' + "[" * 30 + "]" * 30 + "}"))


def test_every_attribute_has_its_word_for_the_rules() -> None:
    assert set(ATTRIBUTE_CATEGORY) == set(Attributes.model_fields)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ine", "national-id"),
        ("birth_date", "identity"),
        ("mobile_phones", "contact"),
        ("town", "address"),
        ("teaches_groups", "schooling"),
        ("regime", "special"),
        ("guardians", None),
        ("diffusion", None),
        ("uai", None),
    ],
)
def test_category_of(name: str, expected: str | None) -> None:
    assert ATTRIBUTE_CATEGORY[name] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("123456789AB", "123456789AB", id="since-2018"),
        pytest.param("1234567890A", "1234567890A", id="older"),
        pytest.param(" 1234567890a\u00a0", "1234567890A", id="white-space-and-case"),
        pytest.param("12345678901", None, id="no-letter"),
        pytest.param("123456789A", None, id="short"),
        pytest.param("123456789ABC", None, id="long"),
        pytest.param("12345678\u0669AB", None, id="digit-of-another-script"),
        pytest.param("123456789ß", None, id="letter-that-becomes-two"),
        pytest.param("NULL", None, id="placeholder"),
        pytest.param(None, None, id="none"),
    ],
)
def test_canonical_ine(text: str | None, expected: str | None) -> None:
    assert canonical_ine(text) == expected


@pytest.mark.parametrize("uai", ["0690078K", "0932638M", "0690037R", "0670007U"])
def test_real_uais_have_their_check_letter(uai: str) -> None:
    assert canonical_uai(f" {uai.lower()} ") == uai


@pytest.mark.parametrize("text", ["0690078L", "0690078I", "690078K", "06900780K", "", "069O078K"])
def test_what_is_no_uai(text: str) -> None:
    assert canonical_uai(text) is None


@pytest.mark.parametrize("text", ["", "  ", "null", "Na", " 0\u00a0", "NULL"])
def test_placeholders(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(
    ("ine", "expected"),
    [("123456789ab", "123456789AB"), (None, "ac-99:17"), ("NULL", "ac-99:17"), ("17", "ac-99:17")],
)
def test_routing_key_is_the_ine_where_there_is_one(ine: str | None, expected: str) -> None:
    assert routing_key("ac-99", "17", ine) == expected


def test_what_publish_remembers_is_strict_too() -> None:
    known = Identifier(source="ac-99", entity="school", id="7001", value="0999001W")

    assert Identifier.model_validate_json(known.model_dump_json()) == known
    with pytest.raises(ValueError, match="value"):
        Identifier(source="ac-99", entity="school", id="7001", value="")

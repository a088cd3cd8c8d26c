import io
import json
from typing import Any

import pytest

from services.contract.changes import Change
from services.contract.errors import NotThisFormat
from services.ingress.formats.aaf import (
    NamedStream,
    Read,
    RefusedFile,
    RefusedRecord,
    Remark,
    SetAside,
    read_set,
    source_of,
)

DOCTYPE = '<!DOCTYPE ficAlimMENESR SYSTEM "ficAlimMENESR.dtd">'
CANARY = "ZORVELQUIMUR"


def pupil(
    attributes: str,
    identifier: str = "1",
    category: str = '<attr name="categoriePersonne"><value>Eleve</value></attr>',
    request: str = "addRequest",
    part: str = "attributes",
) -> str:
    held = f"<{part}>{attributes}</{part}>" if part else ""
    return (
        f"<{request}><operationalAttributes>{category}</operationalAttributes>"
        f"<identifier><id>{identifier}</id></identifier>{held}</{request}>\n"
    )


def attr(name: str, *values: str) -> str:
    return f'<attr name="{name}">{"".join(f"<value>{value}</value>" for value in values)}</attr>'


def modification(name: str, *values: str, operation: str = "replace") -> str:
    held = "".join(f"<value>{value}</value>" for value in values)
    return f'<modification name="{name}" operation="{operation}">{held}</modification>'


def document(*requests: str, prolog: str = DOCTYPE) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{prolog}\n<ficAlimMENESR>\n{"".join(requests)}</ficAlimMENESR>\n'


def named(text: str | bytes, name: str = "P_Complet_20260915_Eleve_0000.xml") -> NamedStream:
    content = text if isinstance(text, bytes) else text.encode()
    return NamedStream(name, lambda: io.BytesIO(content))


def read(*requests: str, known: dict[str, str] | None = None) -> list[Read]:
    return list(read_set([named(document(*requests))], None, known or {}))


def attributes_of(one: Read) -> Any:
    assert isinstance(one, Change)
    return json.loads(one.model_dump_json(exclude_unset=True))["attributes"]


GOOD = pupil(attr("sn", "FICTIF"), "2")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("ENTPersonNom", "FICTIF", {"family_name": "FICTIF"}, id="name"),
        pytest.param("ENTPersonPrenom", "Zélie", {"given_name": "Zélie"}, id="given-name"),
        pytest.param("ENTPersonCivilite", "Mme", {"title": "Mme"}, id="title"),
        pytest.param("ENTPersonMail", "z@example.test", {"email": "z@example.test"}, id="mail"),
        pytest.param(
            "ENTPersonClasses", "7001$a$b$C12$CP", {"divisions": [{"school": "0999001W", "code": "C12"}]}, id="classes"
        ),
        pytest.param("ENTPersonGroupes", "7001$$$G1$", {"groups": [{"school": "0999001W", "code": "G1"}]}, id="groups"),
        pytest.param(
            "ENTEleveAutoriteParentale",
            "88$1",
            {
                "guardians": [
                    {"id": "88", "relation": "1", "financial": None, "legal": None, "contact": None, "payment": None}
                ]
            },
            id="authority-is-not-said-to-be-legal",
        ),
    ],
)
def test_first_degree_names_are_read_as_the_second_degree_ones(name: str, value: str, expected: object) -> None:
    [change] = read(pupil(attr(name, value)), known={"7001": "0999001W"})

    assert attributes_of(change) == expected


def test_a_first_degree_name_beside_the_second_degree_one_is_kept_apart() -> None:
    [change] = read(pupil(attr("ENTPersonNom", "OLD") + attr("sn", "FICTIF")))

    assert isinstance(change, Change)
    assert change.attributes.family_name == "FICTIF"
    assert change.source_attributes == {"ENTPersonNom": ("OLD",)}


def test_text_is_left_as_it_is_with_its_spaces_and_entities_of_xml() -> None:
    [change] = read(pupil(attr("sn", "  D&apos;A &amp; <![CDATA[<B>]]> ")))

    assert attributes_of(change) == {"family_name": "  D'A & <B> "}


def test_an_empty_value_clears_in_a_patch() -> None:
    [change] = read(
        pupil(
            modification("ENTEleveRegime", "") + modification("ENTElevePersRelEleve", ""),
            request="modifyRequest",
            part="modifications",
        )
    )

    assert attributes_of(change) == {"regime": None, "guardians": []}


def test_undeclared_attributes_are_set_aside_by_name_and_count_over_the_set() -> None:
    reads = read(pupil(attr("ENTNouveau", CANARY) + attr("sn", "A")), pupil(attr("ENTNouveau", CANARY), "2"))

    assert reads[-1] == SetAside("attribute", "ENTNouveau", 2)
    assert CANARY not in repr(reads)


def test_a_name_that_no_attribute_could_have_is_not_repeated() -> None:
    reads = read(pupil(attr(f"{CANARY} Zélie", "x")))

    assert reads[-1] == SetAside("attribute", "?", 1)


def test_a_structure_that_nothing_explains_keeps_its_id_and_is_remarked_once() -> None:
    first, remark, second = read(
        pupil(attr("ENTPersonStructRattach", "7009")), pupil(attr("ENTEleveClasses", "7009$6A"), "2")
    )

    assert attributes_of(first) == {"school": "7009"}
    assert attributes_of(second) == {"divisions": [{"school": "7009", "code": "6A"}]}
    assert remark == Remark(
        "P_Complet_20260915_Eleve_0000.xml", 1, 4, "unexplained-structure", "ENTPersonStructRattach"
    )


def test_a_uai_with_a_wrong_check_letter_is_remarked_and_explains_nothing() -> None:
    category = '<attr name="categorieStructure"><value>EtabEducNat</value></attr>'
    school = document(pupil(attr("ENTStructureUAI", "0999001X"), "7001", category))
    person = document(pupil(attr("ENTPersonStructRattach", "7001")))

    reads = list(read_set([named(school, "P_Complet_20260915_EtabEducNat_0000.xml"), named(person)], None, {}))

    assert [type(one).__name__ for one in reads] == ["Change", "Remark", "Change", "Remark"]
    assert attributes_of(reads[0]) == {"school": "7001"}
    assert [one.kind for one in reads if isinstance(one, Remark)] == ["unexplained-structure", "uai"]


def test_a_school_of_the_set_wins_over_what_was_published_before() -> None:
    category = '<attr name="categorieStructure"><value>EtabEducNat</value></attr>'
    school = document(pupil(attr("ENTStructureUAI", "0999001W"), "7001", category))
    person = document(pupil(attr("ENTPersonStructRattach", "7001")))
    files = [named(school, "P_Complet_20260915_EtabEducNat_0000.xml"), named(person)]

    reads = list(read_set(files, None, {"7001": "0690078K"}))

    assert attributes_of(reads[0]) == {"school": "0999001W"}


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        pytest.param(pupil(attr("sn", CANARY), ""), "empty-id", id="empty-id"),
        pytest.param(pupil(attr("ENTPersonJointure", "9") + attr("sn", CANARY), " "), "empty-id", id="blank-id"),
        pytest.param(pupil(attr("sn", CANARY), "null"), "empty-id", id="placeholder"),
        pytest.param(pupil(attr("sn", CANARY), "9" * 129), "not-an-id", id="too-long-id"),
        pytest.param(pupil(attr("ENTPersonJointure", CANARY)), "id-differs", id="id-differs"),
        pytest.param(pupil(attr("ENTPersonJointure", "")), "id-differs", id="empty-jointure"),
        pytest.param(
            pupil(attr("sn", CANARY), category=f'<attr name="categoriePersonne"><value>{CANARY}</value></attr>'),
            "unknown-category",
            id="unknown-category",
        ),
        pytest.param(
            pupil(attr("sn", CANARY), category='<attr name="categorieMef"><value>Eleve</value></attr>'),
            "unknown-category",
            id="category-under-another-name",
        ),
        pytest.param(pupil(attr("ENTPersonDateNaissance", "31/02/2014")), "date", id="no-such-day"),
        pytest.param(pupil(attr("ENTPersonDateNaissance", "2014-05-03")), "date", id="another-notation"),
        pytest.param(pupil(attr("ENTPersonDateNaissance", CANARY)), "date", id="no-date"),
        pytest.param(pupil(attr("ENTEleveClasses", CANARY)), "fields", id="class-without-structure"),
        pytest.param(pupil(attr("ENTEleveClasses", "7001$")), "fields", id="class-without-code"),
        pytest.param(pupil(attr("ENTElevePersRelEleve", f"${CANARY}")), "fields", id="guardian-without-id"),
        pytest.param(pupil(attr("sn", CANARY, CANARY)), "several-values", id="several-values"),
        pytest.param(pupil(attr("sn", CANARY) + attr("sn", CANARY)), "repeated-attribute", id="repeated-attribute"),
        pytest.param(pupil(f'<attr name="sn"/>{attr("mail", CANARY)}'), "structure", id="attribute-without-value"),
        pytest.param(pupil(f"<attr><value>{CANARY}</value></attr>"), "structure", id="attribute-without-name"),
        pytest.param(pupil(f"{CANARY}{attr('sn', CANARY)}"), "structure", id="text-between"),
        pytest.param(pupil(f"<{CANARY}/>{attr('sn', CANARY)}"), "structure", id="unknown-element"),
        pytest.param(pupil(""), "structure", id="no-attribute"),
        pytest.param(pupil("", part=""), "structure", id="no-attributes"),
        pytest.param(pupil(attr("sn", CANARY), part="modifications"), "structure", id="modifications-in-an-add"),
        pytest.param(pupil(attr("sn", CANARY), request="deleteRequest"), "structure", id="delete-with-attributes"),
        pytest.param(pupil(attr("sn", CANARY), request="moveRequest"), "unknown-request", id="unknown-request"),
        pytest.param(
            pupil(modification("sn", CANARY, operation="add"), request="modifyRequest", part="modifications"),
            "unknown-operation",
            id="operation",
        ),
        pytest.param(pupil(attr("sn", CANARY * 6_000)), "too-large", id="over-size-text"),
        pytest.param(pupil(attr("ENTEleveCodeEnseignements", *["1"] * 1_000)), "too-large", id="over-size-list"),
    ],
)
def test_a_record_that_breaks_the_grammar_is_refused_and_the_next_is_read(request_: str, kind: str) -> None:
    refused, change = read(request_, GOOD)

    assert isinstance(refused, RefusedRecord)
    assert (refused.file, refused.record, refused.line, refused.kind) == (
        *("P_Complet_20260915_Eleve_0000.xml", 1, 4),
        kind,
    )
    assert CANARY not in repr(refused)
    assert isinstance(change, Change)
    assert (change.id, change.version) == ("2", "20260915.0.000000002")


def test_a_restriction_that_cannot_be_read_refuses_the_record() -> None:
    guardian = '<attr name="categoriePersonne"><value>PersRelEleve</value></attr>'

    [refused] = read(pupil(attr("ENTPersonAdresseDiffusion", "NON"), category=guardian))

    assert isinstance(refused, RefusedRecord)
    assert (refused.kind, refused.attribute) == ("flag", "ENTPersonAdresseDiffusion")


LAUGHS = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
DEEP = "<a>" * 20


@pytest.mark.parametrize(
    ("text", "kind", "records"),
    [
        pytest.param(f"{CANARY}, not XML", "not-xml", 0, id="not-xml"),
        pytest.param("", "not-xml", 0, id="empty-file"),
        pytest.param(f"<{CANARY}/>", "root", 0, id="wrong-root"),
        pytest.param(document(GOOD, prolog=f'<!DOCTYPE x [<!ENTITY e "{CANARY}">]>'), "entity", 0, id="entity"),
        pytest.param(
            document(GOOD, prolog=f'<!DOCTYPE x [<!ENTITY l0 "{CANARY}">{LAUGHS}]>'), "entity", 0, id="billion-laughs"
        ),
        pytest.param(
            document(GOOD, prolog='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
            "entity",
            0,
            id="external-entity",
        ),
        pytest.param(
            document(GOOD, prolog='<!DOCTYPE x [<!ENTITY % p SYSTEM "http://example.test/p"> %p;]>'),
            "entity",
            0,
            id="parameter-entity",
        ),
        pytest.param(document(GOOD, pupil(attr("sn", "&undeclared;"))), "entity", 1, id="undeclared-entity"),
        pytest.param(document(GOOD)[:-100], "truncated", 0, id="truncated-in-the-first-record"),
        pytest.param(document(GOOD, GOOD, GOOD)[:-100], "truncated", 2, id="truncated-in-the-third-record"),
        pytest.param(document(GOOD, GOOD)[:-5], "truncated", 2, id="truncated-after-the-last-record"),
        pytest.param(document(GOOD, "<addRequest></wrong>"), "not-xml", 1, id="wrong-nesting"),
        pytest.param(document(GOOD, f"<addRequest>{DEEP}"), "too-deep", 1, id="too-deep"),
        pytest.param(document(GOOD, pupil(attr("sn", "A" * 3_000_000))), "too-large", 1, id="too-large-text"),
        pytest.param(document(GOOD, f"<!--{'A' * 3_000_000}"), "too-large", 1, id="endless-comment"),
        pytest.param(document(GOOD, f'<addRequest x="{"A" * 3_000_000}'), "too-large", 1, id="endless-tag"),
        pytest.param(
            document(GOOD, *(f"<x{number}/>" for number in range(1_100))), "too-large", None, id="endless-new-names"
        ),
        pytest.param(document(GOOD).replace("UTF-8", "UTF-7"), "encoding", 0, id="encoding"),
        pytest.param(document(GOOD).encode().replace(b"FICTIF", b"\xff"), "not-xml", 0, id="not-utf-8"),
    ],
)
def test_a_file_that_cannot_be_read_on_is_refused_after_what_was_whole(
    text: str | bytes, kind: str, records: int | None
) -> None:
    after = named(document(GOOD), "P_Complet_20260915_Eleve_0001.xml")

    reads = list(read_set([named(text), after], None, {}))

    [refused] = [one for one in reads if isinstance(one, RefusedFile)]
    changes = [one for one in reads if isinstance(one, Change)]
    assert (refused.file, refused.kind) == ("P_Complet_20260915_Eleve_0000.xml", kind)
    assert records is None or (refused.records, len(changes)) == (records, records + 1)
    assert isinstance(reads[-1], Change)
    assert CANARY not in repr(refused)


def test_a_refused_file_says_where() -> None:
    text = document(GOOD) + "<more/>"

    refused = list(read_set([named(text)], None, {}))[-1]

    assert refused == RefusedFile("P_Complet_20260915_Eleve_0000.xml", "not-xml", 6, 0, 1)


def test_a_stream_that_breaks_refuses_its_file_only() -> None:
    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise NotThisFormat("archive: damaged")

    broken = NamedStream("P_Complet_20260915_Eleve_0000.xml", Broken)

    refused, change = read_set([broken, named(document(GOOD), "P_Delta_20260915_Eleve_0000.xml")], None, {})

    assert refused == RefusedFile("P_Complet_20260915_Eleve_0000.xml", "unreadable", 0, 0, 0)
    assert isinstance(change, Change)


def test_complete_comes_before_delta_of_the_same_day_and_each_set_has_its_numbers() -> None:
    names = [
        "P_Delta_20260915_Eleve_0000.xml",
        "P_Complet_20260916_Eleve_0000.xml",
        "P_Complet_20260915_PersRelEleve_0000.xml",
        "P_Complet_20260915_Eleve_0001.xml",
    ]

    reads = list(read_set([named(document(GOOD), name) for name in names], None, {}))

    versions = [one.version for one in reads if isinstance(one, Change)]
    assert versions == [
        "20260915.0.000000001",
        "20260915.0.000000002",
        "20260915.1.000000001",
        "20260916.0.000000001",
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("ENT2DVA-ENT16_Complet_20240916_Eleve_0000.xml", "ent2dva-ent16", id="entcore"),
        pytest.param("FULL_ENTTSSERVICES_Complet_20130117_Eleve_0001.xml", "full_enttsservices", id="underscore"),
        pytest.param("ENT_0690078K_Delta_20240916_Eleve_0000.xml", "ent_0690078k", id="uai"),
    ],
)
def test_without_an_academy_the_source_is_the_project(name: str, expected: str) -> None:
    assert source_of([named(document(GOOD), name)]) == expected


def test_the_academy_in_any_file_of_the_set_names_the_source_of_all() -> None:
    last = named(document('<!-- codeAcademieExport="13" -->', GOOD), "Q_Complet_20260917_Eleve_0000.xml")

    changes = list(read_set([named(document(GOOD)), last], None, {}))

    assert [one.source for one in changes if isinstance(one, Change)] == ["ac-13", "ac-13"]


def test_a_source_that_is_given_wins() -> None:
    [change] = read_set([named(document('<!-- codeAcademieExport="13" -->', GOOD))], "ent-x", {})

    assert isinstance(change, Change)
    assert change.source == "ent-x"


def test_two_academies_in_one_set_are_refused_because_their_ids_may_collide() -> None:
    files = [
        named(document(f'<!-- codeAcademieExport="{code}" -->', GOOD), f"P_Complet_20260915_Eleve_000{code}.xml")
        for code in (1, 2)
    ]

    with pytest.raises(NotThisFormat, match="several platforms"):
        list(read_set(files, None, {}))


@pytest.mark.parametrize(
    "name",
    [
        "Eleve.xml",
        "P_Complet_20260915_Eleve_0.xml",
        "P_Complet_20261315_Eleve_0000.xml",
        "P_Partiel_20260915_Eleve_0000.xml",
        "P_Complet_20260915_Notes_0000.xml",
    ],
)
def test_xml_under_another_name_is_refused_for_it_has_no_date(name: str) -> None:
    assert list(read_set([named(document(GOOD), name)], None, {})) == [RefusedFile(name, "name", 0, 0, 0)]


def test_files_that_are_no_xml_are_set_aside() -> None:
    assert list(read_set([named("", "ficAlimMENESR.dtd")], None, {})) == [SetAside("file", "ficAlimMENESR.dtd", 1)]


def test_the_same_file_twice_is_read_once() -> None:
    reads = list(read_set([named(document(GOOD)), named(document(GOOD))], None, {}))

    assert [type(one).__name__ for one in reads] == ["RefusedFile", "Change"]

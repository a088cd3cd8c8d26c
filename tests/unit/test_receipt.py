import string
from html.parser import HTMLParser
from typing import Any

import pytest

from ops.linting.personas import WITHOUT_CENSUS
from ops.policy_files import POLICIES_FOLDER, read_policies
from ops.receipts.html import html
from ops.receipts.markdown import markdown
from ops.receipts.page import Page, page_of
from ops.receipts.particulars import read_particulars
from ops.receipts.words import Words, all_words
from services.contract.policies import ProviderPolicy
from services.filtering.case import FIELD_CATEGORY
from services.ingress.particulars import Language
from services.ingress.processing import DATA_TERMS
from tests.unit.recorded import LECTURE, NOW, decision, lecture, particulars

HOSTILE = "<script>alert(1)</script> *x* _y_ [z](http://x) `c` | & \n# t"


def page(
    case: str = "guardian-gives", language: Language = "fr", terms: ProviderPolicy = LECTURE, **differences: Any
) -> Page:
    return page_of(decision(case, **differences), terms, particulars(), Words(language), NOW)


def said(made: Page, heading: str) -> list[str]:
    """Sentences and list under a heading."""
    (section,) = (one for one in made.sections if one.heading == heading)
    return [*section.sentences, *section.listed]


FRENCH = """\
# Reçu d'un accord

Un responsable légal de l'élève a accepté que « Lecture chez soi » reçoive certaines données de l'élève.

## Qui a décidé

Un responsable légal de l'élève, référence finissant par 001, le 5 septembre 2026 à 19 h 40.

À propos de l'élève dont la référence finit par 1AB.

Avant 15 ans, il faut l'accord de l'élève et celui d'un responsable légal : un seul ne suffit pas.

À partir de 15 ans, l'élève décide.

## Pour quoi faire

Pour lire chez soi.

Ce service est facultatif : dire non, ou ne rien dire, n'a pas de conséquence.

## Quelles données

Le service ne reçoit ni le numéro national (INE) ni le numéro de l'école : il connaît la personne sous un nom de code \
qui n'existe que chez lui.

- le prénom
- le niveau de classe, sans quoi le service ne peut pas fonctionner

## Qui les reçoit

Lecture chez soi, sous sa propre responsabilité. L'autorité responsable de l'annuaire : Ministère des Écoles.

Ministère des Écoles : 1 place de l'École, 99000 Exemple, dpd@men.example.test.

## Où elles se trouvent

- conservées chez Hébergeur Exemple, France

## Jusqu'à quand

L'accord vaut tant qu'il n'est pas repris, et au plus tard jusqu'au 31 août 2027, fin du contrat.

## Comment changer d'avis

Dites-le à l'école. (https://consentements.men.example.test/)

## Vos droits

Écrivez. (dpd@men.example.test)

Saisissez la CNIL. (https://www.cnil.fr/fr/plaintes)

## Références

Reçu n° 99cc9cb8e75a80fcf909bb84a4d9b813 : citez-le si vous écrivez.

Base légale : le consentement (RGPD, article 6, paragraphe 1, point a).

Information reçue : version lecture-2026-1.

Preuve : teleservice-2026-000124.

Fait le 7 septembre 2026 à 9 h 30.
"""


def test_guardian_s_consent_is_told_on_one_page_in_french() -> None:
    assert markdown([page()]) == FRENCH


@pytest.mark.parametrize(
    ("case", "language", "title", "lead"),
    [
        pytest.param("guardian-withdraws", "fr", "Reçu d'un retrait d'accord",
                     "Un responsable légal de l'élève a repris son accord : « Lecture chez soi » ne doit plus rien "
                     "recevoir de l'élève, et doit effacer ce qu'il a.", id="withdrawn, in French"),
        pytest.param("guardian-refuses", "en", "Receipt of a refusal",
                     "A legal guardian of the pupil has refused that “Lecture chez soi” receives data of the pupil.",
                     id="refused, in English"),
        pytest.param("child-gives", "en", "Receipt of a consent",
                     "The pupil has agreed that “Lecture chez soi” receives some data of the pupil.",
                     id="the child, in English"),
        pytest.param("adult-gives", "fr", "Reçu d'un accord",
                     "La personne concernée a accepté que « Lecture chez soi » reçoive certaines données de la "
                     "personne concernée.", id="an adult, in French"),
    ],
)  # fmt: skip
def test_receipt_begins_with_who_said_what(case: str, language: Language, title: str, lead: str) -> None:
    made = page(case, language)

    assert (made.title, made.lead) == (title, lead)


@pytest.mark.parametrize(
    ("case", "terms", "differences", "until"),
    [
        pytest.param("guardian-gives", LECTURE, {"until": "2026-12-31T22:59:00Z"},
                     "The consent holds until 31 December 2026 at 23:59, unless it is taken back before.",
                     id="the consent ends first"),
        pytest.param("guardian-gives", lecture({"until": None}), {"until": None},
                     "The consent holds as long as it is not taken back.", id="without an end"),
        pytest.param("guardian-gives", lecture({"until": None}), {"until": "2028-02-29T11:00:00Z"},
                     "The consent holds until 29 February 2028 at 12:00, unless it is taken back before.",
                     id="the contract has no end"),
        pytest.param("guardian-refuses", LECTURE, {},
                     "This answer holds until the same person gives another one.", id="a refusal"),
    ],
)  # fmt: skip
def test_receipt_says_until_when(case: str, terms: ProviderPolicy, differences: dict[str, Any], until: str) -> None:
    assert said(page(case, "en", terms, **differences), "Until when") == [until]


@pytest.mark.parametrize(
    ("terms", "rules"),
    [
        pytest.param(LECTURE, ["Under 15, both the pupil and a legal guardian must agree: one alone is not enough.",
                               "From 15 on, the pupil decides."], id="as in France"),
        pytest.param(lecture({"legal_basis": {"usual_act": False}}), [
            "Under 15, both the pupil and a legal guardian must agree: one alone is not enough.",
            "For this service, all legal guardians must agree.", "From 15 on, the pupil decides."], id="no usual act"),
        pytest.param(lecture({"legal_basis": {"information_society_service": False}}), [
            "Under 15, both the pupil and a legal guardian must agree: one alone is not enough.",
            "From 15 to 18, both the pupil and a legal guardian must agree."], id="no service offered directly"),
        pytest.param(lecture(perimeter={"joint_consent_from": 12}), [
            "Under 12, the legal guardians decide alone; from 12 to 15, the pupil must agree too.",
            "From 15 on, the pupil decides."], id="guardians alone below an age"),
    ],
)  # fmt: skip
def test_receipt_says_who_else_must_agree(terms: ProviderPolicy, rules: list[str]) -> None:
    assert said(page("guardian-gives", "en", terms), "Who decided")[2:] == rules


def test_adult_is_told_nothing_of_pupils() -> None:
    assert said(page("adult-gives", "en"), "Who decided") == [
        "The person concerned, reference ending in 001, on 4 September 2026 at 08:00."
    ]


def test_no_identifier_is_written_whole() -> None:
    written = markdown([page(), page("guardian-refuses")]) + html([page("child-gives"), page("adult-gives")])

    whole = ["999000001AB", "aaf-d99:999-2001", "999-2001", "999-2002", "aaf-d99:999-3001", "999-3001"]
    assert [one for one in whole if one in written] == []


def test_refusal_says_that_nothing_is_handed_on_and_names_what_was_asked() -> None:
    assert said(page("guardian-refuses"), "Quelles données") == [
        "Rien de cela ne lui est transmis tant que la réponse est non.",
        "le prénom", "le niveau de classe, sans quoi le service ne peut pas fonctionner",
    ]  # fmt: skip


def test_purpose_without_plain_words_is_named_as_the_policy_names_it() -> None:
    made = page("guardian-gives", "fr", lecture({"purpose": "another-purpose"}), purpose="another-purpose")

    assert said(made, "Pour quoi faire")[0] == "Pour la finalité « another-purpose »."


def test_every_place_is_named_with_its_operator_and_its_country() -> None:
    places = [
        {**LECTURE.places[0].model_dump(mode="json", by_alias=True), "kind": kind, "country": country}
        for kind, country in (("storage", "FR"), ("support", "US"), ("backup", "RE"), ("backup", "RE"))
    ]

    assert said(page("guardian-gives", "fr", lecture(places=places)), "Où elles se trouvent") == [
        "conservées chez Hébergeur Exemple, France",
        "vues par l'assistance de Hébergeur Exemple, États-Unis",
        "sauvegardées chez Hébergeur Exemple, La Réunion",
    ]


class Elements(HTMLParser):
    """What a browser would see: elements, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_in_html_needs_nothing_else_and_prints_each_receipt_on_its_own_sheet() -> None:
    written = html([page(), page("guardian-refuses")])

    seen = Elements()
    seen.feed(written)
    assert seen.tags.count("article") == 2
    assert not {"script", "link", "img", "iframe", "object", "a"} & set(seen.tags)
    assert seen.attributes["lang"] == "fr"
    assert "default-src 'none'" in (seen.attributes["content"] or "") + written
    assert "break-before: page" in written
    assert "« Lecture chez soi »" in seen.text


def test_hostile_proof_is_text_in_html() -> None:
    written = html([page(proof=HOSTILE)])

    seen = Elements()
    seen.feed(written)
    assert "script" not in seen.tags
    assert "Preuve : <script>alert(1)</script> *x* _y_" in seen.text


def test_hostile_proof_is_one_line_of_text_in_markdown() -> None:
    (line,) = [line for line in markdown([page(proof=HOSTILE)]).splitlines() if "Preuve" in line]

    assert line == (r"Preuve : \<script\>alert(1)\</script\> \*x\* \_y\_ \[z\](http://x) \`c\` \| \& # t.")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("- a", r"\- a", id="a list"),
        pytest.param("# a", r"\# a", id="a heading"),
        pytest.param("12. a", r"12\. a", id="a numbered list"),
        pytest.param("a - b # c 12. d", "a - b # c 12. d", id="only at the beginning"),
    ],
)
def test_text_that_begins_like_a_block_is_none(text: str, written: str) -> None:
    made = Page("fr", text, "", ())

    assert markdown([made]).splitlines()[0] == f"# {written}"


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_the_two_languages_say_the_same_things() -> None:
    words = all_words()

    assert words.fr.sentences.keys() == words.en.sentences.keys()
    assert words.fr.fields.keys() == words.en.fields.keys()
    for name, sentence in words.fr.sentences.items():
        assert placeholders(sentence) == placeholders(words.en.sentences[name])


def test_every_field_that_may_leave_has_a_word() -> None:
    assert set(all_words().fr.fields) == set(DATA_TERMS) <= FIELD_CATEGORY.keys() | WITHOUT_CENSUS


def test_policies_that_come_with_the_project_have_their_particulars() -> None:
    policies, known = read_policies(POLICIES_FOLDER), read_particulars(POLICIES_FOLDER)

    assert {policy.controller.id for policy in policies.values()} == set(known.controllers)
    assert set(policies) == set(known.providers)
    assert {contract.purpose for policy in policies.values() for contract in policy.contracts} == set(known.purposes)

"""What may not be mistaken, and what may not be missed; every number is invented or published as a specimen."""

import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from services.contract.policies import policy_digest
from services.contract.releases import Release
from services.filtering.detector import CATEGORY_OF, LONGEST, traces_in, traces_of, worst_category
from services.filtering.emission import Decisions, decide_pairs
from services.filtering.folding import fold
from services.filtering.forms import nir_key
from services.filtering.freshness import Staleness
from services.filtering.subject import NOBODY, Subject
from services.filtering.terms import terms_of
from tests.replay.invented import INE, contract_with, joins, patch, policy

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "traces"),
    [
        ("1234567890A", {"ine"}),
        ("123456789AB", {"ine"}),
        ("123456789ab", {"ine"}),
        ("INE : 123 456 789 AB", {"ine"}),
        ("123-456-7890-A", {"ine"}),
        ("élève 123456789 AB.", {"ine"}),
        # The specimen on service-public.fr: 2 55 08 14 168 025, key 38.
        # Written in groups, ten of its digits may be read as a telephone number too.
        ("255081416802538", {"nir"}),
        ("2 55 08 14 168 025 38", {"nir", "phone"}),
        ("2.55.08.14.168.025.38", {"nir", "phone"}),
        ("n° 2 55 08 14 168 025, sécu", {"nir", "phone"}),
        ("2550814168025", {"nir"}),
        ("2 55 08 14 168 025 12 rue", {"nir", "phone"}),
        ("camille@example.test", {"e-mail"}),
        ("écrire à Camille.Oriol+cours@mail.example.test svp", {"e-mail"}),
        ("camille [at] example.test", {"e-mail"}),
        ("camille (arobase) example (point) test", {"e-mail"}),
        ("camille＠example.test", {"e-mail"}),
        ("0639980012", {"phone"}),
        ("06 39 98 00 12", {"phone"}),
        ("06.39.98.00.12", {"phone"}),
        ("06-39-98-00-12", {"phone"}),
        ("06/39/98/00/12", {"phone"}),
        ("06 399 80 012", {"phone"}),
        ("tél.0639980012", {"phone"}),
        ("+33 6 39 98 00 12", {"phone"}),
        ("+33639980012", {"phone"}),
        ("+33 (0)6 39 98 00 12", {"phone"}),
        ("0033 6 39 98 00 12", {"phone"}),
        ("+262 692 00 00 12", {"phone"}),
        ("+352 621 000 012", {"phone"}),
        ("０６ ３９ ９８ ００ １２", {"phone"}),
        ("٠٦٣٩٩٨٠٠١٢", {"phone"}),
        ("06\u200b39980012", {"phone"}),
        ("12 bis rue Imaginaire, 75011 Paris", {"address"}),
        ("12 RUE IMAGINAIRE", {"address"}),
        ("3, allée des Songes", {"address"}),
        ("1 ter, avenue de l'École", {"address"}),
        ("7B impasse du Rêve", {"address"}),
        ("av. des Songes, 59000 Lille", {"address"}),
        ("Résidence des Brumes 13001 MARSEILLE", {"address"}),
        ("lieu-dit Les Nuées, 48000 Mende", {"address"}),
        ("BP 112, 97400 Saint-Denis", {"address"}),
        ("75002 PARIS CEDEX 02", {"address"}),
        ("0639980012, camille@example.test", {"phone", "e-mail"}),
        ("x" * (LONGEST + 1), {"long-text"}),
    ],
)
def test_what_names_or_reaches_a_person_is_found(text: str, traces: set[str]) -> None:
    assert traces_in(text) == traces


HARMLESS = [
    # names
    *("Rue", "DE LA RUE", "Delarue", "Larue-Chemin", "Avenue", "Place", "Quai", "Jean-Pierre", "O'Brien", "N'Guyen"),
    *("Œdipe", "Zoé", "D'Artagnan de la Place", "Al-Rashid", "Marie Ève", "Van der 3", "Pie XII", "Louis 14"),
    # divisions and groups, as schools write them
    *(
        "3A",
        "6B",
        "6EME B",
        "2NDE 5",
        "1G2",
        "TSTMG1",
        "TLE G-3",
        "3 ALL LV2",
        "2 COURS ANGLAIS",
        "4ESP1",
        "1 VOIE PRO",
    ),
    *("6BGP1", "6LV2-1", "3EME_LATIN", "2026-2027 3A", "2025-2026 06A", "GROUPE 3 PLACE", "5 PL 2", "2 AV", "2 BD"),
    *("ATELIER 12-13 ANS", "UPE2A 1", "6E1 6E2 6E3", "SEGPA 4EME", "AP MATHS 1/2", "LV1 ANG S1 01/09/2026 12:00"),
    # levels and programmes
    *("6EME", "TERMINALE GENERALE & TECHNO YC BT", "2ND CYCLE GENERAL", "CAP EN 2 ANS : 1ERE ANNEE"),
    *("10010012110", "1001000C11A", "99910012110", "2211", "030102", "999702"),
    # schools, years, days
    *("0999001W", "9990001Z", "2013", "2013-05-03", "01/09/2026", "du 01/09/2026 au 31/08/2027"),
    # other numbers: SIREN, SIRET, 15 digits with a wrong key, 11 digits that are no telephone
    *("999000123", "99900012300017", "255081416802539", "16390800124", "12345678"),
    *("COLLEGE DE LA RUE DU 8 MAI 1945", "Lycée 8 mai 1945", "école de la place", "a@b", "@", "100 % @ 50"),
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_schools_write_is_not_mistaken(text: str) -> None:
    assert traces_in(text) == set()


@pytest.mark.parametrize(
    ("name", "value", "traces"),
    [
        pytest.param("given_name", "Camille 0639980012", {"phone"}, id="a text"),
        pytest.param("other_given_names", ["Camille", "camille@example.test"], {"e-mail"}, id="a list of texts"),
        pytest.param("groups", [{"school": "0999001W", "code": "6B"}, {"school": "0999001W", "code": "123456789AB"}],
                     {"ine"}, id="a list of objects"),
        pytest.param("given_name", "123456789AB 0639980012", {"ine", "phone"}, id="two at once"),
        pytest.param("home_phone", "06 39 98 00 12", set(), id="a telephone in its place"),
        pytest.param("home_phone", "123456789AB", {"ine"}, id="an INE in the place of a telephone"),
        pytest.param("mobile_phones", ["06 39 98 00 12"], set(), id="telephones in their place"),
        pytest.param("email", "camille@example.test", set(), id="an e-mail in its place"),
        pytest.param("address_lines", ["12 RUE IMAGINAIRE", ""], set(), id="an address in its place"),
        pytest.param("mef", "1001001211A", set(), id="a MEF that has the shape of an INE"),
        pytest.param("mef", "123456789AB", {"ine"}, id="an INE that has not the shape of a MEF"),
        pytest.param("level", "1001001211A", {"ine"}, id="elsewhere it is one"),
        pytest.param("birth_year", 2013, set(), id="a number"),
        pytest.param("email_relay", True, set(), id="a yes"),
        pytest.param("functions", [{"school": "0999001W", "code": "ENS", "label": None}], set(), id="none inside"),
    ],
)  # fmt: skip
def test_a_field_is_looked_at_for_what_it_should_not_hold(name: str, value: Any, traces: set[str]) -> None:
    expected = {name: traces} if traces else {}

    assert traces_of([name], {name: value}) == expected


def test_no_letter_and_no_short_code_could_have_been_anything_else() -> None:
    """The looks that spare a search: whatever letter there is, its plain form holds neither a digit nor an at sign."""
    letters = [letter for number in range(sys.maxunicode + 1) if (letter := chr(number)).isalpha()]
    suspicious = [letter for letter in letters if traces_in(letter * 30)]

    assert len(letters) > 100_000
    assert suspicious == []


@pytest.mark.parametrize(
    ("number", "key"),
    [
        pytest.param("2550814168025", 38, id="the specimen of service-public.fr"),
        pytest.param("185052A006084", 97 - 1850519006084 % 97, id="Corse-du-Sud counts as 19"),
        pytest.param("185052B006084", 97 - 1850518006084 % 97, id="Haute-Corse counts as 18"),
    ],
)
def test_key_of_a_nir(number: str, key: int) -> None:
    assert nir_key(number) == key


def test_a_national_identifier_is_worse_than_free_text() -> None:
    assert worst_category(frozenset({"phone", "ine"})) == "national-id"
    assert worst_category(frozenset({"phone", "address"})) == "free-text"
    assert set(CATEGORY_OF.values()) == {"national-id", "free-text"}


def pupil(**attributes: Any) -> Subject:
    return fold(NOBODY, joins(attributes=attributes))[0]


def decide(subject: Subject, stale: Staleness | None = None, **contract: Any) -> Decisions:
    under = policy(contracts=contract_with(**contract))
    terms = {t.pair: t for t in terms_of(under, policy_digest(under))}
    decided = decide_pairs(INE, subject, terms, NOW, 0, stale=stale)
    assert decided is not None
    return decided


def released(decisions: Decisions) -> set[str]:
    (decided,) = decisions.decided
    assert decided.emission is not None
    return set(Release.model_validate_json(decided.emission.value).fields)


def test_a_value_with_a_trace_stays_inside_and_the_others_leave() -> None:
    decisions = decide(pupil(given_name="Camille 06 39 98 00 12"))

    assert released(decisions) == {"family_name", "level", "groups", "school"}


@pytest.mark.parametrize("level", ["6EME 06 39 98 00 12", "123456789AB", "12 rue Imaginaire"])
def test_nobody_is_released_where_the_required_field_holds_a_trace(level: str) -> None:
    decisions = decide(pupil(level=level))

    assert [(each.end, each.reason) for each in decisions.decided] == [("withheld", "R16/required-field-dropped")]
    assert decisions.subject.pairs == {}


def test_what_was_released_without_a_field_is_not_released_again() -> None:
    first = decide(pupil(given_name="Camille 06 39 98 00 12"))
    (second,) = decide(first.subject).decided

    assert (second.end, second.reason, second.emission) == ("released", "unchanged", None)


def test_a_value_that_comes_to_hold_a_trace_is_taken_out_and_comes_back_once_mended() -> None:
    first = decide(pupil())
    spoilt = decide(fold(first.subject, patch("20260916.1.000000001", given_name="camille@example.test"))[0])
    mended = decide(fold(spoilt.subject, patch("20260917.1.000000001", given_name="Camille"))[0])

    assert [("given_name" in released(each)) for each in (first, spoilt, mended)] == [True, False, True]


def test_where_nothing_else_is_left_nothing_leaves() -> None:
    decisions = decide(pupil(given_name="123456789AB"), fields=["given_name"], required=[])

    assert [(each.end, each.reason) for each in decisions.decided] == [("withheld", "R17/nothing-left")]


def test_staleness_holds_what_would_newly_leave_and_not_what_was_said_without_the_field() -> None:
    spoilt = pupil(given_name="Camille 06 39 98 00 12")
    (new,) = decide(spoilt, stale="stale-consents").decided
    (said,) = decide(decide(spoilt).subject, stale="stale-consents").decided

    assert (new.end, new.reason, new.emission) == ("held", "stale-consents", None)
    assert (said.end, said.reason, said.emission) == ("released", "unchanged", None)


def test_a_release_that_lifts_a_restriction_is_looked_into() -> None:
    first = decide(pupil())
    (pair,) = first.subject.pairs
    restricted = first.subject.told({pair: first.subject.pairs[pair].restricted(5, 0)})
    spoilt = fold(restricted, patch("20260916.1.000000001", given_name="camille@example.test"))[0]

    assert "given_name" not in released(decide(spoilt))

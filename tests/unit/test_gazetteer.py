import csv
import gzip
from collections.abc import Callable

import pytest

from ops.rendering.files import ROOT
from services.filtering.gazetteer import Commune
from services.filtering.gazetteer_file import load_gazetteer

TABLE = ROOT / "services" / "filtering" / "reference" / "communes.csv.gz"
PARTS = {
    "75056": [f"751{number:02}" for number in range(1, 21)],
    "69123": [f"6938{number}" for number in range(1, 10)],
    "13055": [f"132{number:02}" for number in range(1, 17)],
}
"""Of Paris, Lyon and Marseille a postcode says the arrondissement."""


def code_of(postcode: str | None, town: str | None, country: str | None = None) -> str:
    found = load_gazetteer().resolve(postcode, town, country)
    return found.code if isinstance(found, Commune) else found


def as_written(name: str) -> str:
    return name


def in_capitals(name: str) -> str:
    return name.upper().replace("-", " ").replace("SAINT ", "ST ")


@pytest.mark.parametrize("spelt", [as_written, in_capitals])
def test_ninety_nine_of_a_hundred_names_and_postcodes_of_the_table_resolve(spelt: Callable[[str], str]) -> None:
    with gzip.open(TABLE, "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    right = [
        code_of(postcode, spelt(row["name"]), "FRANCE") in {row["insee_code"], *PARTS.get(row["insee_code"], ())}
        for row in rows
        for postcode in row["postcodes"].split()
    ]
    rate = sum(right) / len(right)
    print(f"resolved: {rate:.3%} of {len(right):,} names and postcodes, {spelt.__name__}")  # noqa: T201  # shown by -rP

    assert len(rows) == 35_014
    assert len(right) > 35_000
    assert rate >= 0.99


@pytest.mark.parametrize(
    ("postcode", "town", "code"),
    [
        pytest.param("76600", "Le Havre", "76351", id="as it is written"),
        pytest.param("76600", "LE HAVRE", "76351", id="in capitals"),
        pytest.param("76600", "HAVRE (LE)", "76351", id="the article at the end"),
        pytest.param("76600", "HAVRE", "76351", id="without the article"),
        pytest.param("93200", "ST DENIS", "93066", id="ST is SAINT"),
        pytest.param("93200", "St.-Denis", "93066", id="St. is SAINT"),
        pytest.param("93526", "SAINT-DENIS CEDEX", "93066", id="a CEDEX has a postcode of its own"),
        pytest.param("44041", "NANTES CEDEX 1", "44109", id="a CEDEX with a number"),
        pytest.param("92200", "NEUILLY S/SEINE", "92051", id="S/ is SUR"),
        pytest.param("94240", "L HAY LES ROSES", "94038", id="without apostrophe, hyphens and diaeresis"),
        pytest.param("94240", "L’Haÿ–les–Roses", "94038", id="another apostrophe and other dashes"),
        pytest.param("02600", "COEUVRES ET VALSERY", "02201", id="without the ligature"),
        pytest.param("75005", "PARIS", "75105", id="Paris: the postcode says the arrondissement"),
        pytest.param("75116", "PARIS 16", "75116", id="Paris: the second postcode of the sixteenth"),
        pytest.param("75231", "PARIS CEDEX 05", "75056", id="Paris: a CEDEX is of the city"),
        pytest.param("69003", "LYON 3EME", "69383", id="Lyon with its arrondissement"),
        pytest.param("13001", "Marseille 1er arrondissement", "13201", id="Marseille with its arrondissement"),
        pytest.param("69350", "La Mulatière", "69142", id="beside Lyon"),
        pytest.param("01300", "Arbignieu", "01015", id="merged: the name of before"),
        pytest.param("01200", "BELLEGARDE SUR VALSERINE", "01033", id="merged: a town that took another name"),
        pytest.param("97490", "STE CLOTILDE", "97411", id="a quarter, whose postcode only one commune has"),
        pytest.param("97139", "LES ABYMES", "97101", id="overseas"),
        pytest.param("20000", "Ajaccio", "2A004", id="Corsica"),
        pytest.param("35000", None, "35238", id="no town, and a postcode of one commune"),
        pytest.param("35 000", " rennes ", "35238", id="blanks"),
        pytest.param("51300", "Vitry-le-François", "51649", id="a postcode of 46 communes"),
    ],
)  # fmt: skip
def test_address_leads_to_its_commune(postcode: str, town: str | None, code: str) -> None:
    assert code_of(postcode, town) == code


@pytest.mark.parametrize(
    ("postcode", "town", "country", "reason"),
    [
        pytest.param(None, None, None, "no-address", id="nothing is said"),
        pytest.param("", "", "FRANCE", "no-address", id="empty is nothing"),
        pytest.param("51300", None, None, "address-unknown", id="a postcode of 46 communes, and no town"),
        pytest.param("51300", "Trifouillis", None, "address-unknown", id="a postcode of 46 communes, and a hamlet"),
        pytest.param("01400", "MARSEILLE", None, "address-unknown", id="postcode and town contradict each other"),
        pytest.param(None, "Rennes", None, "address-unknown", id="a town alone may be several"),
        pytest.param("3500", "Rennes", None, "address-unknown", id="four digits"),
        pytest.param("99999", "Rennes", None, "address-unknown", id="no such postcode, nor area"),
        pytest.param("35000", "Rennes", "ALLEMAGNE", "address-abroad", id="another country"),
    ],
)  # fmt: skip
def test_address_that_leads_to_no_one_commune_says_why(
    postcode: str | None, town: str | None, country: str | None, reason: str
) -> None:
    assert code_of(postcode, town, country) == reason


@pytest.mark.parametrize("country", [None, "", "FRANCE", "France", "100", "LA REUNION", "Guadeloupe"])
def test_overseas_is_france(country: str | None) -> None:
    assert code_of("97490", "SAINT-DENIS", country) == "97411"


def test_arrondissement_knows_its_commune_and_the_commune_counts_nobody_twice() -> None:
    communes = load_gazetteer().communes

    assert communes["75105"].commune == "75056"
    assert communes["75056"].population == 0
    assert sum(communes[code].population for code in communes if communes[code].departement == "75") == 2_103_778

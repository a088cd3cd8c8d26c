from collections import Counter

import pytest

from services.contract.census import Cells, Level
from services.filtering.gazetteer import Commune, Entry, Gazetteer
from services.filtering.roster import labelled, measure

# A région of two départements: a town, a village and a hamlet in each; and a city of two arrondissements.
PLACES = (
    Commune("01001", "01001", "01", "84", 5_000),
    Commune("01002", "01002", "01", "84", 1_500),
    Commune("01003", "01003", "01", "84", 600),
    Commune("02001", "02001", "02", "84", 2_000),
    Commune("02002", "02002", "02", "84", 1_999),
    Commune("69123", "69123", "69", "84", 0),
    Commune("69381", "69123", "69", "84", 30_000),
    Commune("69382", "69123", "69", "84", 40_000),
)
GAZETTEER = Gazetteer(Entry(place.code, (), place) for place in PLACES)
ALL: tuple[Level, ...] = ("commune", "departement", "region")


def cells(communes: tuple[str, ...] = (), departements: tuple[str, ...] = (), regions: tuple[str, ...] = ()) -> Cells:
    return Cells(communes=communes, departements=departements, regions=regions)


@pytest.mark.parametrize(
    ("pupils", "expected"),
    [
        pytest.param({}, cells(), id="nobody"),
        pytest.param({"01001": 11}, cells(("01001",)), id="eleven pupils in a town of 5,000"),
        pytest.param({"01001": 10}, cells(), id="ten pupils are few at every level"),
        pytest.param({"02001": 11}, cells(("02001",)), id="2,000 inhabitants are enough"),
        pytest.param({"02002": 40}, cells(departements=("02",)),
                     id="1,999 are not, their département's are"),
        pytest.param({"01001": 11, "01002": 11}, cells(("01001",), ("01",)),
                     id="the villages of a département have 2,100 inhabitants without its town"),
        pytest.param({"01001": 11, "01002": 10}, cells(("01001",)),
                     id="ten pupils in villages would be alone in what is called their département"),
        pytest.param({"01002": 6, "02002": 5}, cells(regions=("84",)), id="few in each département"),
        pytest.param({"02001": 11, "02002": 11}, cells(("02001",), (), ("84",)),
                     id="without its town a département is too small, and so it counts as the région"),
        pytest.param({"69381": 11, "69382": 3, "69123": 8}, cells(("69123", "69381")),
                     id="an arrondissement that is large enough, and the rest of its city"),
        pytest.param({"69381": 6, "69382": 5}, cells(("69123",)), id="arrondissements count as their commune"),
    ],
)  # fmt: skip
def test_cells_have_eleven_pupils_and_two_thousand_inhabitants(pupils: dict[str, int], expected: Cells) -> None:
    assert measure(pupils, ALL, GAZETTEER) == expected


def test_contract_that_asks_for_departements_counts_the_towns_in_them() -> None:
    assert measure({"01001": 6, "01002": 5}, ("departement", "region"), GAZETTEER) == cells(departements=("01",))


@pytest.mark.parametrize(
    ("within", "expected"),
    [
        pytest.param(cells(("01001",), ("01",), ("84",)), cells(("01001",), ("01",)), id="what it has may stay"),
        pytest.param(cells((), ("01",), ("84",)), cells((), ("01",)), id="a commune may not come in"),
        pytest.param(cells((), (), ("84",)), cells((), (), ("84",)), id="nor a département"),
        pytest.param(cells(), cells(), id="nor anything"),
    ],
)
def test_within_an_epoch_nothing_comes_in(within: Cells, expected: Cells) -> None:
    assert measure({"01001": 20, "01002": 20}, ALL, GAZETTEER, within) == expected


def test_group_of_five_keeps_its_label_and_one_of_four_does_not() -> None:
    groups = Counter({("aaf-d99/0999001W", "5B"): 5, ("aaf-d99/0999001W", "5LATIN"): 4, ("other/0350001A", "6A"): 30})

    assert labelled(groups) == {"099": {"aaf-d99/0999001W": ("5B",)}, "035": {"other/0350001A": ("6A",)}}


def test_within_an_epoch_no_label_comes_back() -> None:
    groups = Counter({("aaf-d99/0999001W", "5B"): 5, ("aaf-d99/0999001W", "5LATIN"): 9, ("other/0350001A", "6A"): 30})

    assert labelled(groups, {"099": frozenset({"aaf-d99/0999001W$5B"})}) == {"099": {"aaf-d99/0999001W": ("5B",)}}

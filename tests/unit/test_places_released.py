"""From addresses to what a provider's release says of them: counted, put in force, swept."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from ops.census_counts import RosterCounts
from ops.census_tables import tables_of
from ops.explaining.printing import to_json
from ops.explaining.trace import Asked, trace
from services.contract.census import GroupCensus, census_key
from services.contract.policies import ProviderPolicy
from services.contract.topology import CHANGES, RELEASES
from services.filtering.agent import FilteringAgent
from services.filtering.gazetteer_file import load_gazetteer
from services.filtering.generalisation import Counted
from services.filtering.subject import load
from tests.replay.invented import bytes_of, contract_with, joins, policy
from tests.replay.rapid import NOW_US
from tests.unit.stage_runs import Stage, book

AT = datetime.fromisoformat("2026-09-15T08:00:00Z")
FIELDS = ["given_name", "commune", "departement", "region", "divisions", "age_15"]
RENNES = {"postcode": "35000", "town": "RENNES"}
LE_VERGER = {"postcode": "35160", "town": "Le Verger"}
CONTRACT = "gar/GAR-2026"


def asking(**differences: Any) -> ProviderPolicy:
    contract = {"fields": FIELDS, "required": ["given_name"], **differences}
    return policy(contracts=contract_with(**contract), perimeter={"allowed_fields": FIELDS})


def pupil(number: int, address: Mapping[str, str], code: str = "5B", **differences: Any) -> tuple[bytes, bytes]:
    ine = f"99900{number:04}AB"
    division = {"school": "0999001W", "code": code}
    change = joins(
        id=f"999-{number}",
        attributes={"ine": ine, "diffusion": None, **address, "divisions": [division], **differences},
    )
    return ine.encode(), bytes_of(change)


class Town:
    """A filter with its people, and an operator who counts them."""

    def __init__(self, under: ProviderPolicy) -> None:
        self.policy = under
        self.book = book(under)
        self.stage = Stage(FilteringAgent(self.book))

    async def settle(self, *people: tuple[bytes, bytes]) -> None:
        await self.stage.take(CHANGES, *people)

    def count(self, *, new_epoch: bool = False) -> RosterCounts:
        counts = RosterCounts({self.policy.provider: self.policy}, load_gazetteer, AT)
        for key, value in self.stage.state.scan(b"s/", None):
            counts.take(key, value)
        tables = tables_of(
            {self.policy.provider: self.policy}, counts.counts, self.book.census, load_gazetteer(), AT,
            new_epoch=new_epoch,
        )  # fmt: skip
        for table in tables:
            area = table.area if isinstance(table, GroupCensus) else None
            self.book.apply(census_key(table.provider, area), table.model_dump_json().encode())
        return counts

    async def sweep(self) -> list[dict[str, Any]]:
        """What the sweep released, by the fields alone."""
        before = len(self.stage.of(RELEASES))
        await self.stage.sweep()
        return [release["fields"] for release in self.stage.of(RELEASES)[before:]]

    @property
    def token(self) -> bytes:
        return self.stage.agent.sweep_token(AT)


def places(released: list[dict[str, Any]]) -> list[tuple[Any, Any, Any]]:
    return [(each.get("commune"), each.get("departement"), each.get("region")) for each in released]


async def test_before_a_census_no_place_and_no_label_leaves() -> None:
    town = Town(asking())
    await town.settle(*(pupil(number, RENNES) for number in range(11)))

    assert all(release["fields"].keys() == {"given_name", "divisions", "age_15"} for release in town.stage.of(RELEASES))
    assert town.stage.of(RELEASES)[0]["fields"]["divisions"] == [{"school": "0999001W", "code": "5B"}]


async def test_census_sweeps_and_then_eleven_pupils_of_a_city_are_told_by_commune() -> None:
    town = Town(asking())
    await town.settle(*(pupil(number, RENNES) for number in range(11)))
    before = town.token
    town.count()
    released = await town.sweep()

    assert town.token != before
    assert b" " not in town.token
    assert places(released) == [("35238", None, None)] * 11
    assert await town.sweep() == []


async def test_ten_pupils_of_a_city_are_told_by_nothing() -> None:
    town = Town(asking())
    await town.settle(*(pupil(number, RENNES) for number in range(10)))
    town.count()
    released = await town.sweep()

    assert places(released) == [(None, None, None)] * 10


async def test_pupils_of_villages_are_told_by_departement_beside_those_of_the_city() -> None:
    town = Town(asking())
    await town.settle(*(pupil(n, RENNES) for n in range(11)), *(pupil(n, LE_VERGER) for n in range(11, 22)))
    town.count()

    assert places(await town.sweep()) == [("35238", None, None)] * 11 + [(None, "35", None)] * 11


async def test_pupil_who_joins_between_two_counts_is_told_as_the_last_one_says() -> None:
    town = Town(asking())
    await town.settle(*(pupil(number, RENNES) for number in range(11)))
    town.count()
    await town.settle(pupil(11, RENNES), pupil(12, LE_VERGER), pupil(13, {"postcode": "35000", "town": "Berlin"}))

    told = [release["fields"] for release in town.stage.of(RELEASES)[-3:]]
    assert places(told) == [("35238", None, None), (None, None, None), ("35238", None, None)]


async def test_within_an_epoch_a_place_becomes_coarser_and_never_finer_and_the_next_begins_anew() -> None:
    town = Town(asking())
    await town.settle(*(pupil(n, RENNES) for n in range(11)), *(pupil(n, LE_VERGER) for n in range(11, 31)))
    town.count()
    await town.sweep()
    await town.settle(_moves(0, LE_VERGER))
    town.count()
    coarser = await town.sweep()
    await town.settle(_moves(0, RENNES, "20260903.0.000000001"))
    town.count()
    same = await town.sweep()
    town.count(new_epoch=True)

    assert places(coarser) == [(None, "35", None)] * 10
    assert same == []
    assert places(await town.sweep()) == [("35238", None, None)] * 11


def _moves(number: int, address: Mapping[str, str], version: str = "20260902.0.000000001") -> tuple[bytes, bytes]:
    key, _ = pupil(number, address)
    attributes = {
        "ine": key.decode(),
        "diffusion": None,
        **address,
        "divisions": [{"school": "0999001W", "code": "5B"}],
    }
    return key, bytes_of(joins(id=f"999-{number}", version=version, attributes=attributes))


async def test_required_place_is_held_before_the_census_and_counts_for_it() -> None:
    town = Town(asking(required=["commune"]))
    await town.settle(*(pupil(number, RENNES) for number in range(11)))
    held = len(town.stage.of(RELEASES))
    town.count()

    assert held == 0
    assert places(await town.sweep()) == [("35238", None, None)] * 11


async def test_address_that_a_restriction_drops_counts_for_nobody() -> None:
    town = Town(asking())
    await town.settle(*(pupil(n, RENNES) for n in range(10)), pupil(10, RENNES, diffusion=False))
    counts = town.count()

    assert counts.counts[CONTRACT].places == {"35238": 10}
    assert places(await town.sweep())[0] == (None, None, None)


async def test_address_that_cannot_be_resolved_is_counted_by_its_reason() -> None:
    town = Town(asking())
    nowhere = {"postcode": "01400", "town": "MARSEILLE"}
    await town.settle(pupil(0, nowhere), pupil(1, {"postcode": "", "town": ""}), pupil(2, RENNES, country="ESPAGNE"))
    counts = town.count()

    assert counts.hidden[CONTRACT] == {"address-unknown": 1, "no-address": 1, "address-abroad": 1}
    assert counts.counts[CONTRACT].places == {}


async def test_later_entry_of_a_pupil_replaces_what_was_counted_of_her() -> None:
    town = Town(asking())
    await town.settle(pupil(0, RENNES))
    ((key, value),) = town.stage.state.scan(b"s/", None)
    counts = RosterCounts({"gar": town.policy}, load_gazetteer, AT)
    counts.take(key, value)
    counts.take(key, value)

    assert counts.counts[CONTRACT].places.total() == 1
    counts.take(key, None)
    assert counts.counts[CONTRACT].places.total() == 0
    assert counts.counts[CONTRACT].groups.total() == 0


async def test_group_of_five_has_a_label_and_one_of_four_has_none() -> None:
    town = Town(asking())
    await town.settle(*(pupil(n, RENNES, "5B") for n in range(5)), *(pupil(n, RENNES, "5C") for n in range(5, 9)))
    town.count()
    divisions = [fields["divisions"] for fields in await town.sweep()]

    assert divisions == [[{"school": "0999001W", "code": "5B", "label": "5B"}]] * 5
    assert town.stage.of(RELEASES)[8]["fields"]["divisions"] == [{"school": "0999001W", "code": "5C"}]


@pytest.mark.parametrize("field", ["commune", "departement", "region"])
async def test_contract_that_names_one_level_is_told_that_level(field: str) -> None:
    town = Town(asking(fields=["given_name", field]))
    await town.settle(*(pupil(number, RENNES) for number in range(11)))
    town.count()
    released = await town.sweep()

    assert [each.keys() for each in released] == [{"given_name", field}] * 11


async def test_contract_that_asks_for_nothing_of_it_reads_no_table() -> None:
    def never() -> Any:
        raise AssertionError

    stage = Stage(FilteringAgent(book(policy()), gazetteer=never))
    await stage.take(CHANGES, pupil(0, RENNES))

    assert stage.now_us == NOW_US
    assert stage.of(RELEASES)[0]["fields"].keys() == {"given_name", "family_name", "level", "groups", "school"}


@pytest.mark.parametrize(
    ("fields", "address", "counted", "said"),
    [
        pytest.param(["given_name"], RENNES, False, None, id="the contract names no place"),
        pytest.param(FIELDS, RENNES, False, "no-census", id="nothing was counted"),
        pytest.param(FIELDS, RENNES, True, "cell-too-small", id="one pupil alone"),
        pytest.param(FIELDS, {"postcode": "01400", "town": "MARSEILLE"}, True, "address-unknown", id="no such address"),
    ],
)  # fmt: skip
async def test_why_no_place_is_told_is_explained(
    fields: list[str], address: dict[str, str], said: str | None, *, counted: bool
) -> None:
    town = Town(asking(fields=fields))
    await town.settle(pupil(0, address))
    if counted:
        town.count()
    ((key, value),) = town.stage.state.scan(b"s/", None)
    who = key.removeprefix(b"s/").decode()
    asked = Asked(
        who, "gar", AT, values=False, key=who, partition=0, written_at=AT, known=load(value),
        counted=Counted(town.book.census, load_gazetteer),
    )  # fmt: skip
    document = to_json(trace(asked, town.policy, None, None))
    (contract,) = document["contracts"]

    assert (contract["place"] and contract["place"]["code"]) == said

"""Names that change while people join, move, object, withdraw and leave, and processes are killed anywhere."""

import asyncio
from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from ops.publishing.living import count_living
from services.contract.policies import ProviderPolicy
from services.contract.topology import CONSENTS, POLICIES
from services.filtering.subject import SUBJECT, load
from services.pseudonymisation.keyring import Keyring
from services.pseudonymisation.pseudonym import Pseudonymiser
from tests.property.histories import Message, histories, message
from tests.property.rotating import PROVIDERS, REKEYED, ROTATED, Mortal, Remembered, order
from tests.replay.invented import INE, MAIA, bytes_of, contract_with, objection, policy
from tests.replay.provider_reading import Accounts
from tests.replay.rapid import Rapid

WINDOW_SECONDS = 300
PASSES = [2 * WINDOW_SECONDS] * 16
"""Seconds until whatever waits has left."""


def of(provider: ProviderPolicy) -> Message:
    return POLICIES, provider.provider.encode(), bytes_of(provider)


def objects(status: str, minute: int) -> Message:
    return CONSENTS, MAIA, bytes_of(objection(status, f"2026-09-10T08:{minute:02d}:00+02:00"))


objections = st.lists(st.sampled_from(("open", "rejected", "upheld")), max_size=3).map(
    lambda statuses: [objects(status, minute) for minute, status in enumerate(statuses)]
)


@st.composite
def told(draw: st.DrawFn) -> list[Message]:
    """What families and platforms say, in any order that keeps the objections' own."""
    facts: list[Message] = [message(fact) for fact in draw(histories)]
    for each in draw(objections):
        facts.insert(draw(st.integers(0, len(facts))), each)
    return facts


class Asleep(NamedTuple):
    """From here on these partitions get on with nothing, by their places."""

    places: frozenset[int]


class Allows(NamedTuple):
    """A policy comes that lets everything go, or nothing anywhere, or that names no contract any more."""

    what: Literal["all", "no place", "no contract"]


Event = Message | int | Asleep | Allows
"""A number is so many seconds that pass, and all that is decided meanwhile."""


def policies(window_seconds: int, allows: Allows, version: int) -> list[Message]:
    differences: dict[str, Any] = {"version": version} | ({"places": []} if allows.what == "no place" else {})
    own = contract_with(release_window_seconds=window_seconds)
    by_consent = contract_with("consent-service", release_window_seconds=window_seconds)
    of_gar, of_lecture = ([], []) if allows.what == "no contract" else (own, by_consent)
    return [
        of(policy(contracts=of_gar, **differences)),
        of(policy("consent-service", contracts=of_lecture, **differences)),
    ]


async def run(rapid: Mortal, window_seconds: int, events: Sequence[Event]) -> Mortal:
    """Let all happen; then all awake, everything is allowed, and time passes."""
    for version, event in enumerate([Allows("all"), *events, Asleep(frozenset()), Allows("all"), *PASSES], 4):
        match event:
            case int():
                await rapid.pass_time(event)
            case Asleep(places):
                rapid.asleep = places
            case Allows():
                for each in policies(window_seconds, event, version):
                    rapid.put(*each)
            case _:
                rapid.put(*event)
    return rapid


def read_in(order: Sequence[int], rapid: Rapid, provider: str) -> Accounts:
    """What a provider has that reads its partitions in this order, a record a turn, and to their ends after it."""
    lanes = [iter(rapid.lanes[f"providers.{provider}.directory.v1", number]) for number in range(rapid.partitions)]
    turns = [row for number in order if (row := next(lanes[number % len(lanes)], None)) is not None]
    return Accounts().read_all(chain(turns, *lanes))


def accounts_of(accounts: Accounts) -> dict[str, str]:
    """By name, how far it may use each account."""
    return {
        name: "restricted" if name in accounts.restricted
        else f"at {fields['school']}" if "school" in fields else "at no school"
        for name, fields in accounts.fields.items()
    }  # fmt: skip


def wanted_of(rapid: Mortal, keyring: Keyring) -> dict[str, dict[str, set[str | None]]]:
    """What each may have: whom the filter has released and not taken back, by the names of the last serial alone.

    Null is no account: a release that has not left yet when it is held is not told any more.
    """
    wanted: dict[str, dict[str, set[str | None]]] = {name: {} for name in PROVIDERS}
    people = [raw for stage in rapid.stages[: rapid.partitions] for _, raw in stage.state.scan(SUBJECT, None)]
    for raw in people:
        for place, pair in load(raw).pairs.items():
            provider = place.partition("/")[0]
            names = Pseudonymiser.under(keyring.keys_of(provider, pair.purpose_family).current)
            school = names.pseudonym("school", "FR", "UAI", "0999001W")
            released = f"at {school}" if provider == "gar" else "at no school"
            if pair.last != "erase":
                states: set[str | None] = {released}
                if pair.last == "restrict":
                    states = {"restricted", None}
                wanted[provider][names.pseudonym("person", "FR", "INE", INE)] = states
    return wanted


partitions = st.sampled_from((1, 2, 2, 2, 3))
deaths = st.lists(st.booleans(), max_size=12)
meanwhile = st.lists(
    st.one_of(
        st.sampled_from((0, 0, 0, 1, WINDOW_SECONDS)),
        st.sampled_from((0, WINDOW_SECONDS)),
        st.frozensets(st.integers(0, 7), max_size=3).map(Asleep),
        st.sampled_from((Allows("all"), Allows("all"), Allows("no place"), Allows("no contract"))),
    ),
    max_size=2,
)
by_turns = st.lists(st.integers(0, 2), max_size=20)
one_by_one = st.permutations(range(3)).map(lambda order: [number for number in order for _ in range(99)])
orders = by_turns | one_by_one


def orders_of(keyring: Keyring) -> list[Message]:
    return [order(ROTATED, 1)] if keyring is ROTATED else [order(ROTATED, 1), order(REKEYED, 2)]


def mixed(data: st.DataObject, facts: Sequence[Message], keyring: Keyring) -> list[Event]:
    """The facts in their order, with other names and what happens meanwhile anywhere between them."""
    said: list[Event] = list(facts)
    announced = orders_of(keyring)
    places = sorted(data.draw(st.lists(st.integers(0, len(facts)), min_size=len(announced), max_size=len(announced))))
    for place, each in reversed(list(zip(places, announced, strict=True))):
        said.insert(place, each)
    return [event for each in said for event in (each, *data.draw(meanwhile))]


@settings(deadline=None, max_examples=600)
@given(
    st.data(), told(), st.sampled_from((ROTATED, REKEYED)), st.sampled_from((0, WINDOW_SECONDS)), partitions, deaths,
    orders,
)  # fmt: skip
def test_rotation_ends_with_the_live_set_under_the_names_of_now_whatever_happens_meanwhile(
    data: st.DataObject, facts: list[Message], keyring: Keyring, window_seconds: int, count: int, kills: list[bool],
    order: list[int],
) -> None:  # fmt: skip
    said = mixed(data, facts, keyring)

    rotated = asyncio.run(run(Mortal(keyring, iter(kills), count), window_seconds, said))

    for provider, wanted in wanted_of(rotated, keyring).items():
        accounts = accounts_of(read_in(order, rotated, provider))
        assert accounts.keys() <= wanted.keys()
        assert [name for name, states in wanted.items() if accounts.get(name) not in states] == []
    assert [living for living in count_living(Remembered(rotated), keyring).values() if not living.is_settled] == []

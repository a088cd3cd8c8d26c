"""Names that change while people join, move, object, withdraw and leave, and processes are killed anywhere."""

import asyncio
from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from ops.publishing.living import count_living
from services.contract.policies import ProviderPolicy
from services.contract.topology import CONSENTS, POLICIES
from services.filtering.subject import SUBJECT, load
from services.pseudonymisation.keyring import Keyring
from services.pseudonymisation.pseudonym import Pseudonymiser
from tests.property.histories import LEVELS, SOURCES, Message, change, message
from tests.property.rotating import PROVIDERS, REKEYED, ROTATED, Mortal, Remembered, order
from tests.replay.invented import INE, MAIA, bytes_of, consent, contract_with, objection, policy
from tests.replay.provider_reading import Accounts
from tests.replay.rapid import Rapid

WINDOW_SECONDS = 300
PASSES = [2 * WINDOW_SECONDS] * 16
"""Seconds until whatever waits has left."""


def of(provider: ProviderPolicy) -> Message:
    return POLICIES, provider.provider.encode(), bytes_of(provider)


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
    known = accounts.known()
    places = {name: each.fields or {} for name, each in known.items()}
    where = {
        name: f"at {fields['school']}" if "school" in fields else "at no school" for name, fields in places.items()
    }
    return {name: "restricted" if known[name].restricted else place for name, place in where.items()}


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


settings_of_a_run = st.tuples(
    st.sampled_from((1, 2)), st.sampled_from((0, WINDOW_SECONDS)), st.sampled_from((1, 2, 2, 2, 3))
)
"""How often names change, the release window, and how many partitions there are."""
Step = Literal["shown", "left", "open", "rejected", "withdrawn", "given", "rotate"]
STEPS: tuple[Step, ...] = ("shown", *get_args(Step))
deaths = st.lists(st.booleans(), max_size=12)
meanwhile = st.one_of(
    st.sampled_from((0, 0, WINDOW_SECONDS)),
    st.frozensets(st.integers(0, 7), max_size=3).map(Asleep),
    st.sampled_from((Allows("all"), Allows("no place"), Allows("no contract"))),
)


def said(step: Step, number: int) -> Message:
    """What platforms and families say, each time later than before."""
    at = f"2026-09-10T08:{number:02d}:00+02:00"
    match step:
        case "shown":
            return message(change(0, number, LEVELS[number % 4], SOURCES[0]))
        case "left":
            return message(change(2, number, "", SOURCES[0]))
        case "open" | "rejected":
            return CONSENTS, MAIA, bytes_of(objection(step, at))
        case _:
            return message(consent("child", step, at))


GIVEN = [
    message(consent(party, "given", "2026-09-04T10:00:00+02:00"))
    for party in ("child", f"guardian:{SOURCES[0]}:999-2001")
]


@st.composite
def courses(draw: st.DrawFn, orders: Sequence[Message]) -> list[Event]:
    """Anything in any order, with other names anywhere in it, as often as there are orders."""
    left = list(orders)
    events: list[Event] = [*GIVEN, said("shown", 1)]
    for number, each in enumerate(draw(st.lists(st.sampled_from(STEPS) | meanwhile, min_size=4, max_size=22)), 2):
        if each == "rotate":
            events += [left.pop(0)] if left else []
        else:
            events.append(said(each, number) if isinstance(each, str) else each)
    return [*events, *left]


by_turns = st.lists(st.integers(0, 2), max_size=20)
one_by_one = st.permutations(range(3)).map(lambda order: [number for number in order for _ in range(99)])
orders = by_turns | one_by_one


ORDERS = {1: [order(ROTATED, 1)], 2: [order(ROTATED, 1), order(REKEYED, 2)]}


@settings(deadline=None, max_examples=120)
@given(settings_of_a_run, deaths, orders, st.data())
def test_rotation_ends_with_the_live_set_under_the_names_of_now_whatever_happens_meanwhile(
    setting: tuple[int, int, int], kills: list[bool], order: list[int], data: st.DataObject
) -> None:
    rotations, window_seconds, count = setting
    keyring = ROTATED if rotations == 1 else REKEYED
    course = data.draw(courses(ORDERS[rotations]))

    rotated = asyncio.run(run(Mortal(keyring, iter(kills), count), window_seconds, course))

    for provider, wanted in wanted_of(rotated, keyring).items():
        accounts = accounts_of(read_in(order, rotated, provider))
        assert accounts.keys() <= wanted.keys()
        assert [name for name, states in wanted.items() if accounts.get(name) not in states] == []
    assert [living for living in count_living(Remembered(rotated), keyring).values() if not living.is_settled] == []

"""Names that change while people join, move, object, withdraw and leave, and processes are killed anywhere."""

import asyncio
from collections.abc import Sequence

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.publishing.living import count_living
from services.contract.policies import ProviderPolicy
from services.contract.topology import CONSENTS, POLICIES
from services.filtering.subject import SUBJECT, load
from services.pseudonymisation.keyring import Keyring
from services.pseudonymisation.pseudonym import Pseudonymiser
from tests.integration.pipeline_people import known_of
from tests.property.histories import Message, histories, message
from tests.property.rotating import PROVIDERS, REKEYED, ROTATED, Mortal, Remembered, order
from tests.replay.invented import INE, MAIA, bytes_of, contract_with, objection, policy

WINDOW_SECONDS = 300


def of(provider: ProviderPolicy) -> Message:
    return POLICIES, provider.provider.encode(), bytes_of(provider)


def policies(window_seconds: int) -> list[Message]:
    gar = policy(contracts=contract_with(release_window_seconds=window_seconds))
    by_consent = contract_with("consent-service", release_window_seconds=window_seconds)
    return [of(gar), of(policy("consent-service", contracts=by_consent))]


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


async def run(
    keyring: Keyring, window_seconds: int, messages: Sequence[Message | int], kills: Sequence[bool] = ()
) -> Mortal:
    """A number is so many seconds that pass, and all that is decided meanwhile."""
    rapid = Mortal(keyring, iter(kills))
    for each in [*policies(window_seconds), *messages, *[2 * WINDOW_SECONDS] * 16]:
        if isinstance(each, int):
            await rapid.pass_time(each)
        else:
            rapid.put(*each)
    return rapid


def accounts_of(rapid: Mortal, provider: str) -> dict[str, str]:
    """What a provider has that does as its topic says, record by record: by name, how far it may use each account."""
    accounts: dict[str, str] = {}
    for row in rapid.topics.get(f"providers.{provider}.directory.v1", ()):
        name = (row.key or b"").decode()
        match row.value and orjson.loads(row.value):
            case None:
                accounts.pop(name, None)
            case {"renamed_from": before}:
                accounts |= {name: accounts.pop(before)} if before in accounts else {}
            case {"renamed_to": now}:
                accounts |= {now: accounts.pop(name)} if name in accounts else {}
            case {"restricted": True}:
                accounts |= {name: "restricted"} if name in accounts else {}
            case {"fields": fields}:
                accounts[name] = f"at {fields['school']}" if "school" in fields else "at no school"
    return accounts


def wanted_of(rapid: Mortal, keyring: Keyring) -> dict[str, dict[str, set[str | None]]]:
    """What each may have: whom the filter has released and not taken back, by the names of the last serial alone.

    Null is no account: a release that has not left yet when it is held is not told any more.
    """
    wanted: dict[str, dict[str, set[str | None]]] = {name: {} for name in PROVIDERS}
    for _, raw in rapid.stages[0].state.scan(SUBJECT, None):
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


@settings(deadline=None, max_examples=150)
@given(
    st.data(),
    told(),
    st.sampled_from((ROTATED, REKEYED)),
    st.sampled_from((0, WINDOW_SECONDS)),
    st.lists(st.booleans(), max_size=12),
)
def test_rotation_ends_with_the_live_set_under_the_names_of_now_whatever_happens_meanwhile(
    data: st.DataObject, facts: list[Message], keyring: Keyring, window_seconds: int, kills: list[bool]
) -> None:
    orders = [order(ROTATED, 1)] if keyring is ROTATED else [order(ROTATED, 1), order(REKEYED, 2)]
    mixed: list[Message | int] = list(facts)
    places = sorted(data.draw(st.lists(st.integers(0, len(facts)), min_size=len(orders), max_size=len(orders))))
    for place, each in reversed(list(zip(places, orders, strict=True))):
        mixed.insert(place, each)
    for _ in range(data.draw(st.integers(0, 5))):
        mixed.insert(data.draw(st.integers(0, len(mixed))), data.draw(st.sampled_from((0, 1, WINDOW_SECONDS))))

    rotated = asyncio.run(run(keyring, window_seconds, mixed, kills))

    for provider, wanted in wanted_of(rotated, keyring).items():
        accounts = accounts_of(rotated, provider)
        assert accounts.keys() <= wanted.keys()
        assert [name for name, states in wanted.items() if accounts.get(name) not in states] == []
        assert known_of(rotated, provider).keys() == accounts.keys()
    assert [living for living in count_living(Remembered(rotated), keyring).values() if not living.is_settled] == []

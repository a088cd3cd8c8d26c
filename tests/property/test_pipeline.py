import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contract.policies import ProviderPolicy, releasable
from services.contract.topology import CHANGES, CONSENTS, POLICIES, RELEASES, WITHDRAWALS
from tests.integration.pipeline_people import known_of
from tests.integration.pipeline_stages import ends_of
from tests.property.histories import Fact, Message, histories, message
from tests.replay.invented import MAIA, bytes_of, contract_with, policy
from tests.replay.rapid import Rapid

GAR = policy(contracts=contract_with(fields=["given_name", "level", "birth_date"], required=["level"]))
LECTURE = policy("consent-service")
POISON: list[Message] = [(CHANGES, MAIA, b"{"), (CHANGES, b"another", b"{}"), (CONSENTS, MAIA, b"[]")]
batches = st.integers(1, 5)


def of(provider: ProviderPolicy) -> Message:
    return POLICIES, provider.provider.encode(), bytes_of(provider)


def run(messages: Iterable[Message], batch_records: int = 2000, *, each: bool = False) -> Rapid:
    async def running() -> Rapid:
        rapid = Rapid(("gar", "lecture"), batch_records=batch_records)
        for topic, key, value in messages:
            rapid.put(topic, key, value)
            if each:
                await rapid.run()
        await rapid.run()
        return rapid

    return asyncio.run(running())


def values(rapid: Rapid, *topics: str) -> list[dict[str, Any]]:
    return [orjson.loads(row.value or b"") for topic in topics for row in rapid.topics.get(topic, ())]


@settings(deadline=None, max_examples=40)
@given(st.data(), histories, batches, st.booleans())
def test_any_order_ends_in_the_same_provider_view(
    data: st.DataObject, facts: list[Fact], batch_records: int, each: bool  # noqa: FBT001  # drawn
) -> None:  # fmt: skip
    told = [of(GAR), of(LECTURE), *map(message, facts)]
    one, other = run(told), run(data.draw(st.permutations(told)), batch_records, each=each)

    assert {name: known_of(one, name) for name in ("gar", "lecture")} == {
        name: known_of(other, name) for name in ("gar", "lecture")
    }


@settings(deadline=None, max_examples=30)
@given(histories)
def test_replayed_history_sends_nothing_more(facts: list[Fact]) -> None:
    told = [of(GAR), of(LECTURE), *map(message, facts)]
    once, twice = run(told, each=True), run([*told, *told], each=True)

    assert len(values(twice, RELEASES, WITHDRAWALS)) == len(values(once, RELEASES, WITHDRAWALS))


@settings(deadline=None, max_examples=30)
@given(histories, batches)
def test_seq_grows_strictly_within_a_pair(facts: list[Fact], batch_records: int) -> None:
    rapid = run([of(GAR), of(LECTURE), *map(message, facts)], batch_records, each=True)
    for contract in ("GAR-2026", "LEC-2026"):
        upserts = [value["seq"] for value in values(rapid, RELEASES) if value["contract"] == contract]
        erasures = [value["seq"] for value in values(rapid, WITHDRAWALS) if value["contract"] == contract]
        both = sorted(upserts + erasures)

        assert upserts == sorted(upserts)
        assert erasures == sorted(erasures)
        assert len(set(both)) == len(both)


@settings(deadline=None, max_examples=30)
@given(histories)
def test_nothing_outside_the_closed_list_is_released(facts: list[Fact]) -> None:
    rapid = run([of(GAR), of(LECTURE), *map(message, facts)], each=True)
    allowed = {each.provider: releasable(each, each.contracts[0]) for each in (GAR, LECTURE)}

    assert [
        value for value in values(rapid, RELEASES) if not value["fields"].keys() <= allowed[value["provider"]]
    ] == []


@settings(deadline=None, max_examples=40)
@given(st.data(), histories, batches)
def test_every_input_ends_exactly_once_a_contract(data: st.DataObject, facts: list[Fact], batch_records: int) -> None:
    told = data.draw(st.permutations([*map(message, facts), *POISON]))
    rapid = run([of(GAR), of(LECTURE), *told], batch_records)
    ends = Counter(end for entry in values(rapid, "audit.filtering.v1") for end in ends_of(entry))
    aside = {(value["topic"], value["offset"]) for topic in (CHANGES, CONSENTS)
             for value in values(rapid, f"{topic}.quarantine")}  # fmt: skip
    seen = {(topic, row.offset): {contract for t, _, offset, contract in ends if (t, offset) == (topic, row.offset)}
            for topic in (CHANGES, CONSENTS) for row in rapid.topics.get(topic, ())}  # fmt: skip

    assert set(ends.values()) <= {1}
    assert len(aside) == len(POISON)
    assert all(
        (contracts == set()) if place in aside else contracts in ({"-"}, {"gar/GAR-2026", "lecture/LEC-2026"})
        for place, contracts in seen.items()
    )

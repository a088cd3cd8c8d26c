"""The connector while names change: when a provider is told another name, and what of it lies on its topic."""

from typing import Any

import orjson
import pytest

from services.contract.operations import Adopted, Rotated
from services.contract.topology import LEDGER
from tests.replay.invented import policy
from tests.unit.connector_runs import COMMON, DELETES, DIRECTORY, UPSERTS, Connector, delete, restrict, upsert, windowed

OLD, NEW = "a" * 32, "c" * 32


def rotated(seq: int = 11, old: str = OLD, new: str = NEW) -> tuple[bytes, bytes]:
    whole = {**COMMON, "pseudonym": old, "seq": seq, "renamed_to": new}
    return old.encode(), Rotated.model_validate(whole).model_dump_json().encode()


def adopted(seq: int = 11, new: str = NEW, *old: str) -> tuple[bytes, bytes]:
    whole = {**COMMON, "pseudonym": new, "seq": seq, "adopted": True, "renamed_from": old or (OLD,)}
    return new.encode(), Adopted.model_validate(whole).model_dump_json().encode()


async def knowing(*policies: Any) -> Connector:
    """A provider that knows somebody by the old name."""
    gar = Connector(*(policies or (policy(),)))
    await gar.hear()
    await gar.take(UPSERTS, upsert(10, OLD))
    await gar.hear()
    await gar.tick(600)
    await gar.hear()
    await gar.tick()
    return gar


def directory(gar: Connector) -> list[tuple[str, bytes | None]]:
    return [((each.key or b"").decode(), each.value) for each in gar.sent if each.topic == DIRECTORY][1:]


def ledger(gar: Connector) -> dict[str, tuple[str, str]]:
    entries = [orjson.loads(each.value or b"") for each in gar.sent if each.topic == LEDGER]
    return {entry["pseudonym"]: (entry["operation"], entry["code"]) for entry in entries}


RENAMING, ADOPTION = b'{"renamed_to":"%b"}' % NEW.encode(), b'{"renamed_from":["%b"]}' % OLD.encode()
KNOWN_AS = {"renamed_from": (OLD,)}
"""What every word under the new name says while names change."""


def links(gar: Connector) -> list[tuple[str, str | None]]:
    """Which name of before each record under the new name gives, and with what kind of record."""
    found = [each for each in gar.sent if each.topic == DIRECTORY and each.key == NEW.encode()]
    headers = [{name: (value or b"").decode() for name, value in each.headers} for each in found]
    return [(each["ce_type"].split("-")[1].split(".")[0], each.get("renamed_from")) for each in headers]


async def test_provider_reads_under_the_old_name_which_is_the_new_one_and_then_its_end_and_nothing_under_the_new() -> (
    None
):
    gar = await knowing()
    await gar.take(UPSERTS, rotated())
    end = next(each for each in reversed(gar.sent) if each.topic == DIRECTORY)

    assert directory(gar) == [(OLD, RENAMING), (OLD, None)]
    assert ("renamed_to", NEW.encode()) in end.headers
    assert ledger(gar) == {OLD: ("rotate", "delivered")}


async def test_every_record_under_the_new_name_says_the_old_one_the_order_to_forget_included() -> None:
    gar = Connector(policy())
    await gar.hear()
    await gar.take(UPSERTS, adopted(10))
    await gar.take(UPSERTS, upsert(11, NEW, **KNOWN_AS))
    await gar.take(DELETES, restrict(12, NEW, **KNOWN_AS))
    await gar.take(DELETES, delete(13, NEW, **KNOWN_AS))

    assert links(gar) == [("adoption", OLD), ("record", OLD), ("restriction", OLD), ("record", OLD)]
    assert [value for _, value in [(each.key, each.value) for each in gar.sent if each.topic == DIRECTORY]][::3] == [
        ADOPTION, None,
    ]  # fmt: skip


async def test_several_names_of_before_are_said_oldest_first() -> None:
    gar = Connector(policy())
    await gar.hear()
    await gar.take(UPSERTS, upsert(11, NEW, renamed_from=(OLD, "d" * 32)))

    assert links(gar) == [("record", f"{OLD},{'d' * 32}")]


async def test_record_of_whom_no_name_of_before_can_be_known_says_none() -> None:
    gar = Connector(policy())
    await gar.hear()
    await gar.take(UPSERTS, upsert(11, NEW))

    assert links(gar) == [("record", None)]


@pytest.mark.parametrize("word", [delete, restrict], ids=["delete", "restrict"])
async def test_word_that_takes_back_is_told_where_only_a_name_of_before_was_ever_told(word: Any) -> None:
    told, never = Connector(policy()), Connector(policy())
    for gar, differences in ((told, KNOWN_AS), (never, {})):
        await gar.hear()
        await gar.take(DELETES, word(12, NEW, **differences))

    assert told.names() == [NEW]
    assert never.names() == []


@pytest.mark.parametrize("waits", [upsert(11, NEW, **KNOWN_AS), adopted(11)], ids=["upsert", "other name alone"])
async def test_what_waits_under_the_new_name_counts_as_told_even_once_nobody_says_the_old_one_any_more(
    waits: tuple[bytes, bytes],
) -> None:
    gar = Connector(windowed(300))
    await gar.hear()
    await gar.take(UPSERTS, waits)
    await gar.take(DELETES, delete(12, NEW))

    assert gar.told() == [(NEW, None)]


async def test_other_names_wait_for_the_window_as_an_upsert_does() -> None:
    gar = await knowing(windowed(300))
    await gar.take(UPSERTS, rotated(), adopted())
    waited = directory(gar)
    await gar.hear()
    await gar.tick(600)
    await gar.hear()
    await gar.tick()

    assert waited == []
    assert directory(gar) == [(OLD, RENAMING), (OLD, None), (NEW, ADOPTION)]


async def test_later_word_takes_the_place_of_one_that_waits_and_still_says_the_old_name() -> None:
    gar = Connector(windowed(300))
    await gar.hear()
    await gar.take(UPSERTS, adopted(10), upsert(11, NEW, **KNOWN_AS))
    await gar.take(UPSERTS, upsert(12, NEW, **KNOWN_AS))
    await gar.hear()
    await gar.tick(600)
    await gar.hear()
    await gar.tick()

    assert links(gar) == [("record", OLD)]


async def test_other_name_on_the_express_lane_is_told_at_once_with_the_restriction() -> None:
    gar = await knowing(windowed(300))
    await gar.take(UPSERTS, rotated(11), upsert(11, NEW, **KNOWN_AS))
    await gar.take(DELETES, rotated(12), restrict(12, NEW, **KNOWN_AS))
    told = directory(gar)
    await gar.hear()
    await gar.tick(600)
    await gar.hear()
    await gar.tick()

    assert told == [(OLD, RENAMING), (OLD, None), (NEW, b'{"restricted":true}')]
    assert directory(gar) == told


async def test_withdrawal_of_both_names_before_the_window_ends_forgets_both_and_tells_neither() -> None:
    gar = await knowing(windowed(300))
    await gar.take(UPSERTS, rotated(11), upsert(11, NEW, **KNOWN_AS))
    await gar.take(DELETES, delete(12, OLD), delete(12, NEW, **KNOWN_AS))
    await gar.hear()
    await gar.tick(600)
    await gar.hear()
    await gar.tick()

    assert directory(gar) == [(OLD, None), (NEW, None)]


async def test_withdrawal_of_both_names_after_the_rotation_forgets_the_new_one() -> None:
    gar = await knowing()
    await gar.take(UPSERTS, rotated(11))
    await gar.take(DELETES, delete(12, OLD), delete(12, NEW, **KNOWN_AS))

    assert directory(gar)[2:] == [(NEW, None)]


async def test_name_that_the_provider_never_heard_is_not_rotated() -> None:
    gar = Connector(policy())
    await gar.hear()
    await gar.take(UPSERTS, rotated(11), upsert(11, NEW, **KNOWN_AS))

    assert gar.names() == [NEW]
    assert ledger(gar) == {OLD: ("rotate", "never-attempted"), NEW: ("upsert", "delivered")}


async def test_name_in_between_that_only_waited_is_rotated_for_the_provider_may_have_her_by_it() -> None:
    gar, last = Connector(windowed(300)), "d" * 32
    await gar.hear()
    await gar.take(UPSERTS, upsert(11, NEW, **KNOWN_AS))
    await gar.take(UPSERTS, rotated(12, NEW, last))
    await gar.hear()
    await gar.tick(600)
    await gar.hear()
    await gar.tick()

    assert gar.told() == [(NEW, {"renamed_to": last}), (NEW, None)]


async def test_rotation_told_twice_is_told_once() -> None:
    gar = await knowing()
    await gar.take(UPSERTS, rotated(11), rotated(11))
    await gar.take(DELETES, rotated(12))

    assert [key for key, _ in directory(gar)] == [OLD, OLD]


async def test_other_names_wait_where_the_policies_allow_nothing_and_are_told_once_they_do() -> None:
    gar = await knowing()
    await gar.learn(policy(version=5, places=[]))
    await gar.take(UPSERTS, rotated(11), adopted(11))
    waited, entered = directory(gar), ledger(gar)
    await gar.learn(policy(version=6))
    await gar.hear()
    await gar.tick()

    assert waited == []
    assert entered == {OLD: ("rotate", "place-not-allowed"), NEW: ("adopt", "place-not-allowed")}
    assert sorted(directory(gar), key=lambda told: told[0]) == [(OLD, RENAMING), (OLD, None), (NEW, ADOPTION)]
    assert ledger(gar) == {OLD: ("rotate", "delivered"), NEW: ("adopt", "delivered")}


@pytest.mark.parametrize("names", [[], [""], ["A" * 32], [7], OLD, None, [OLD, None]], ids=str)
@pytest.mark.parametrize("word", [upsert(11, NEW), delete(11, NEW), restrict(11, NEW), adopted(11)],
                         ids=["upsert", "delete", "restrict", "adopt"])  # fmt: skip
async def test_word_with_what_is_no_name_of_before_is_put_aside(word: tuple[bytes, bytes], names: Any) -> None:
    gar = Connector(policy())
    await gar.hear()
    key, raw = word
    await gar.take(UPSERTS, (key, orjson.dumps(orjson.loads(raw) | {"renamed_from": names})))
    is_plain = names == [] and b"adopted" not in raw

    assert (gar.aside(UPSERTS) == []) is is_plain


@pytest.mark.parametrize("renamed_to", ["", "x", "A" * 32, 7, None], ids=str)
async def test_rotation_to_what_is_no_name_is_put_aside(renamed_to: Any) -> None:
    gar = await knowing()
    key, raw = rotated()
    await gar.take(UPSERTS, (key, orjson.dumps(orjson.loads(raw) | {"renamed_to": renamed_to})))

    assert f"{UPSERTS}.quarantine" in [each.topic for each in gar.sent]
    assert directory(gar) == []

"""The connector while names change: when a provider is told another name, and what of it lies on its topic."""

from typing import Any

import orjson
import pytest

from services.contract.operations import Rotated
from services.contract.topology import LEDGER
from tests.replay.invented import policy
from tests.unit.connector_runs import COMMON, DELETES, DIRECTORY, UPSERTS, Connector, delete, restrict, upsert, windowed

OLD, NEW = "a" * 32, "c" * 32


def rotated(seq: int = 11, old: str = OLD, new: str = NEW) -> tuple[bytes, bytes]:
    whole = {**COMMON, "pseudonym": old, "seq": seq, "renamed_to": new}
    return old.encode(), Rotated.model_validate(whole).model_dump_json().encode()


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


ADOPTION, RENAMING = b'{"renamed_from":"%b"}' % OLD.encode(), b'{"renamed_to":"%b"}' % NEW.encode()


async def test_provider_reads_each_name_under_the_other_and_then_the_end_of_the_old_one() -> None:
    gar = await knowing()
    await gar.take(UPSERTS, rotated())
    end = next(each for each in reversed(gar.sent) if each.topic == DIRECTORY)

    assert directory(gar) == [(NEW, ADOPTION), (OLD, RENAMING), (OLD, None)]
    assert ("renamed_to", NEW.encode()) in end.headers
    assert ledger(gar) == {OLD: ("rotate", "delivered"), NEW: ("adopt", "delivered")}


async def test_what_leaves_under_the_new_name_comes_behind_the_rotation_even_if_it_came_before_it() -> None:
    gar = await knowing()
    await gar.take(UPSERTS, upsert(11, NEW), rotated(11))

    assert directory(gar)[:3] == [(NEW, ADOPTION), (OLD, RENAMING), (OLD, None)]
    assert directory(gar)[3][0] == NEW
    assert ledger(gar)[NEW] == ("upsert", "delivered")


async def test_other_name_waits_for_the_window_as_an_upsert_does() -> None:
    gar = await knowing(windowed(300))
    await gar.take(UPSERTS, rotated(), upsert(11, NEW))
    before = directory(gar)
    await gar.hear()
    await gar.tick(600)
    await gar.hear()
    await gar.tick()

    assert before == []
    assert [key for key, _ in directory(gar)] == [NEW, OLD, OLD, NEW]


async def test_other_name_on_the_express_lane_is_told_at_once_with_the_restriction_behind_it() -> None:
    gar = await knowing(windowed(300))
    await gar.take(UPSERTS, rotated(11), upsert(11, NEW))
    await gar.take(DELETES, rotated(12), restrict(12, NEW))
    told = directory(gar)
    await gar.hear()
    await gar.tick(600)
    await gar.hear()
    await gar.tick()

    assert told == [(NEW, ADOPTION), (OLD, RENAMING), (OLD, None), (NEW, b'{"restricted":true}')]
    assert directory(gar) == told


async def test_withdrawal_of_both_names_before_the_window_ends_forgets_the_old_one_and_tells_no_new_one() -> None:
    gar = await knowing(windowed(300))
    await gar.take(UPSERTS, rotated(11), upsert(11, NEW))
    await gar.take(DELETES, delete(12, OLD), delete(12, NEW))
    await gar.hear()
    await gar.tick(600)
    await gar.hear()
    await gar.tick()

    assert directory(gar) == [(OLD, None)]


async def test_withdrawal_of_both_names_after_the_rotation_forgets_the_new_one() -> None:
    gar = await knowing()
    await gar.take(UPSERTS, rotated(11))
    await gar.take(DELETES, delete(12, OLD), delete(12, NEW))

    assert directory(gar)[3:] == [(NEW, None)]


async def test_name_that_the_provider_never_heard_is_not_rotated() -> None:
    gar = Connector(policy())
    await gar.hear()
    await gar.take(UPSERTS, rotated(11), upsert(11, NEW))

    assert gar.names() == [NEW]
    assert ledger(gar) == {OLD: ("rotate", "never-attempted"), NEW: ("upsert", "delivered")}


async def test_rotation_told_twice_is_told_once() -> None:
    gar = await knowing()
    await gar.take(UPSERTS, rotated(11), rotated(11))
    await gar.take(DELETES, rotated(12))

    assert [key for key, _ in directory(gar)] == [NEW, OLD, OLD]


async def test_rotation_waits_where_the_policies_allow_nothing_and_is_told_once_they_do() -> None:
    gar = await knowing()
    await gar.learn(policy(version=5, places=[]))
    await gar.take(UPSERTS, rotated(11))
    waited = directory(gar)
    await gar.learn(policy(version=6))
    await gar.hear()
    await gar.tick()

    assert waited == []
    assert [key for key, _ in directory(gar)] == [NEW, OLD, OLD]


@pytest.mark.parametrize("renamed_to", ["", "x", "A" * 32, 7, None], ids=str)
async def test_rotation_to_what_is_no_name_is_put_aside(renamed_to: Any) -> None:
    gar = await knowing()
    key, raw = rotated()
    await gar.take(UPSERTS, (key, orjson.dumps(orjson.loads(raw) | {"renamed_to": renamed_to})))

    assert f"{UPSERTS}.quarantine" in [each.topic for each in gar.sent]
    assert directory(gar) == []

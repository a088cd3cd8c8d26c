from typing import Any

import pytest

from services.contract.policies import ProviderPolicy
from services.runtime.agent import NotYet
from tests.replay.invented import contract_with, example, policy
from tests.unit.connector_runs import DELETES, NAME, UPSERTS, Connector, delete, heartbeat, restrict, upsert, windowed

TOLD = {"kind": "pupil", "purpose": "pedagogical-access", "fields": {"level": "5EME"}}


async def telling(*policies: ProviderPolicy) -> Connector:
    made = Connector(*policies)
    await made.hear()
    return made


async def test_upsert_is_told_and_entered_in_the_ledger() -> None:
    gar = await telling(policy())
    await gar.take(UPSERTS, upsert())

    assert gar.told() == [(NAME, TOLD)]
    assert gar.ledger() == [("delivered", 10)]
    assert gar.ends() == [("released", "delivered")]


async def test_delete_of_what_was_told_is_told_once() -> None:
    gar = await telling(policy())
    await gar.take(UPSERTS, upsert())
    await gar.take(DELETES, delete())
    await gar.take(DELETES, delete(12))

    assert gar.told() == [(NAME, TOLD), (NAME, None)]
    assert gar.ends()[1:] == [("erased", "delivered"), ("erased", "never-attempted")]


RESTRICTED = {"restricted": True}


async def test_provider_that_has_a_person_is_told_to_restrict_and_an_upsert_lifts_it() -> None:
    gar = await telling(policy())
    await gar.take(UPSERTS, upsert(10))
    await gar.take(DELETES, restrict(12))
    await gar.take(UPSERTS, upsert(13))
    await gar.take(DELETES, delete(14))

    assert gar.told() == [(NAME, TOLD), (NAME, RESTRICTED), (NAME, TOLD), (NAME, None)]
    assert gar.ledger() == [("delivered", seq) for seq in (10, 12, 13, 14)]
    assert [end for end, _ in gar.ends()] == ["released", "held", "released", "erased"]


async def test_restricted_person_can_be_erased() -> None:
    gar = await telling(policy())
    await gar.take(UPSERTS, upsert(10), restrict(9))
    await gar.take(DELETES, restrict(12))
    await gar.take(DELETES, delete(13))

    assert gar.told() == [(NAME, TOLD), (NAME, RESTRICTED), (NAME, None)]


async def test_restriction_of_whom_the_provider_never_had_tells_nothing() -> None:
    gar = await telling(policy())
    await gar.take(DELETES, restrict(12))
    await gar.take(UPSERTS, upsert(10))

    assert gar.told() == []
    assert gar.ends() == [("held", "never-attempted"), ("refused", "superseded")]


async def test_restriction_needs_no_fresh_heartbeat() -> None:
    gar = await telling(policy())
    await gar.take(UPSERTS, upsert(10))
    gar.now_us += 3_600_000_000
    await gar.take(DELETES, restrict(12))

    assert gar.told() == [(NAME, TOLD), (NAME, RESTRICTED)]


async def test_restriction_drops_what_waits_for_its_window() -> None:
    gar = Connector(windowed(60))
    await gar.hear()
    await gar.take(UPSERTS, upsert(10))
    await gar.take(DELETES, restrict(12))
    await gar.hear()
    await gar.tick(120)

    assert gar.told() == []
    assert gar.ledger() == [("never-attempted", 12)]


async def test_erasure_of_a_sweep_comes_on_the_normal_lane() -> None:
    gar = await telling(policy())
    await gar.take(UPSERTS, upsert(10))
    await gar.take(UPSERTS, delete(11), upsert(10, "c" * 32))

    assert gar.told() == [(NAME, TOLD), (NAME, None), ("c" * 32, TOLD)]


async def test_delete_of_what_was_never_attempted_is_swallowed() -> None:
    gar = await telling(policy())
    await gar.take(DELETES, delete())
    await gar.take(UPSERTS, upsert(10))

    assert gar.told() == []
    assert gar.ends() == [("erased", "never-attempted"), ("refused", "superseded")]
    assert gar.ledger() == [("never-attempted", 11)]


@pytest.mark.parametrize(("seq", "code"), [(10, "duplicate"), (9, "superseded")])
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "in two"])
async def test_word_that_is_not_newer_is_refused(seq: int, code: str, together: bool) -> None:  # noqa: FBT001  # a row
    gar = await telling(policy())
    for batch in [(upsert(10), upsert(seq))] if together else [(upsert(10),), (upsert(seq),)]:
        await gar.take(UPSERTS, *batch)

    assert len(gar.told()) == 1
    assert sorted(gar.ends()) == [("refused", code), ("released", "delivered")]


async def test_only_the_last_word_of_a_batch_is_told() -> None:
    gar = await telling(policy())
    await gar.take(UPSERTS, upsert(10), upsert(11, fields={"level": "4EME"}), upsert(9, "c" * 32), upsert(12))

    assert gar.told() == [("c" * 32, TOLD), (NAME, TOLD)]
    assert gar.ledger() == [("delivered", 9), ("delivered", 12)]
    assert sorted(gar.ends()) == [("refused", "superseded"), ("released", "delivered")]


async def test_upsert_and_its_erasure_in_one_batch_tell_nothing() -> None:
    gar = await telling(policy())
    await gar.take(UPSERTS, upsert(10), delete(11))

    assert gar.told() == []
    assert gar.ledger() == [("never-attempted", 11)]


@pytest.mark.parametrize(
    ("differences", "code"),
    [
        pytest.param({"contracts": contract_with(until="2026-09-14")}, "contract-not-in-force", id="contract over"),
        pytest.param({"places": example("provider-policy/1/us-support")["places"]}, "place-not-allowed",
                     id="a place that is not allowed"),
        pytest.param({"contracts": contract_with(fields=["given_name"], required=[])}, "field-not-in-contract",
                     id="a field that the contract names no longer"),
        pytest.param({"perimeter": {"allowed_fields": ["given_name"]}}, "field-not-in-contract",
                     id="a field that the perimeter allows no longer"),
    ],
)  # fmt: skip
async def test_upsert_that_may_not_go_is_deferred_and_told_once_it_may(differences: dict[str, Any], code: str) -> None:
    gar = await telling(policy(**differences))
    await gar.take(UPSERTS, upsert())
    await gar.tick(1)
    before = gar.told()
    await gar.learn(policy(version=5))
    await gar.tick(1)
    await gar.tick(1)

    assert before == []
    assert gar.ledger() == [(code, 10), ("delivered", 10)]
    assert gar.told() == [(NAME, TOLD)]
    assert gar.ends() == [("refused", code), ("held", "allowed-again"), ("released", "delivered")]


async def test_deferred_upsert_is_dropped_for_the_erasure_that_comes_after() -> None:
    gar = await telling(policy(places=[]))
    await gar.take(UPSERTS, upsert(10))
    await gar.take(DELETES, delete(11))
    await gar.learn(policy(version=5))
    await gar.tick(1)

    assert gar.told() == []


@pytest.mark.parametrize("policies", [(), (policy(version=3),)], ids=["unknown", "older"])
async def test_upsert_waits_for_the_policy_it_was_decided_under(policies: tuple[ProviderPolicy, ...]) -> None:
    gar = await telling(*policies)
    gar.sent.clear()
    with pytest.raises(NotYet, match="policy-not-here"):
        await gar.take(UPSERTS, upsert())

    assert gar.sent == []


async def test_delete_waits_for_no_policy() -> None:
    gar = Connector()
    await gar.take(DELETES, delete())

    assert gar.ends() == [("erased", "never-attempted")]


async def test_backlog_of_operations_is_not_told_after_the_cut_off() -> None:
    """The contract ends today: whoever is about to be told of yesterday's operations tells nothing."""
    gar = await telling(policy(version=5, contracts=contract_with(until="2026-09-14")))
    gar.opened({UPSERTS: 4})
    await gar.take(UPSERTS, *[upsert(10, letter * 32) for letter in "abcd"])
    await gar.tick(1)

    assert gar.told() == []
    assert gar.ledger() == [("contract-not-in-force", 10)] * 4


@pytest.mark.parametrize("record", [delete(12), upsert(12)], ids=["delete", "upsert"])
async def test_words_are_told_apart_by_what_they_say(record: tuple[bytes, bytes]) -> None:
    gar = await telling(policy())
    await gar.take(UPSERTS, upsert(10), record)

    assert gar.aside(UPSERTS) == []
    assert gar.ledger()[-1][1] == 12


@pytest.mark.parametrize(
    ("topic", "record", "code"),
    [
        pytest.param(UPSERTS, (b"c" * 32, upsert()[1]), "key-mismatch", id="another pseudonym"),
        pytest.param(UPSERTS, (None, upsert()[1]), "key-mismatch", id="no key"),
        pytest.param(UPSERTS, upsert(provider="lecture"), "key-mismatch", id="another provider"),
        pytest.param(DELETES, upsert(), "not-this-schema", id="an upsert on the lane of withdrawals"),
        pytest.param(UPSERTS, heartbeat(0), "not-this-schema", id="a heartbeat on the normal lane"),
        pytest.param(DELETES, heartbeat(0, 1), "key-mismatch", id="the heartbeat of a partition that there is not"),
        pytest.param(DELETES, (NAME.encode(), heartbeat(0)[1]), "not-this-schema", id="a heartbeat with a key"),
        pytest.param(DELETES, (None, b"[]"), "not-this-schema", id="no object"),
        pytest.param(UPSERTS, (NAME.encode(), None), "not-this-schema", id="a tombstone"),
        pytest.param(UPSERTS, (NAME.encode(), b"{"), "not-json", id="no JSON"),
    ],
)
async def test_unusable_operation_is_quarantined(
    topic: str, record: tuple[bytes | None, bytes | None], code: str
) -> None:
    gar = await telling(policy())
    await gar.take(topic, record, delete(12))

    assert gar.aside(topic) == [code]
    assert gar.ledger() == [("never-attempted", 12)]

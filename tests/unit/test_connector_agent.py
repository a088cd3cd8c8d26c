from typing import Any

import pytest

from services.contract.operations import Delete, Upsert
from services.contract.policies import ProviderPolicy
from services.contract.topology import CONNECTORS_AUDIT, LEDGER
from services.runtime.agent import NotYet
from tests.replay.invented import bytes_of, contract_with, example, policy
from tests.replay.rapid import connector
from tests.unit.stage_runs import Stage, book, ends_of, told

UPSERTS, DELETES = "provisioning.operations.gar.v1", "provisioning.withdrawals.gar.v1"
DIRECTORY = "providers.gar.directory.v1"
GAR = "gar/GAR-2026"
NAME = "a" * 32
COMMON = {"provider": "gar", "contract": "GAR-2026", "pseudonym": NAME, "policy": "sha256:" + "0" * 64,
          "policy_version": 4, "event_id": "b" * 32}  # fmt: skip


def upsert(seq: int = 10, **differences: Any) -> tuple[bytes, bytes]:
    whole = {**COMMON, "seq": seq, "kind": "pupil", "fields": {"level": "5EME"}, **differences}
    return told(Upsert.model_validate(whole), NAME)


def delete(seq: int = 11) -> tuple[bytes, bytes]:
    return told(Delete.model_validate({**COMMON, "seq": seq}), NAME)


def telling(*policies: ProviderPolicy) -> Stage:
    return Stage(connector("gar", book(*policies)))


async def test_upsert_is_told_and_entered_in_the_ledger() -> None:
    stage = telling(policy())
    await stage.take(UPSERTS, upsert())

    assert stage.of(DIRECTORY) == [{"kind": "pupil", "purpose": "pedagogical-access", "fields": {"level": "5EME"}}]
    assert [(value["outcome"], value["seq"]) for value in stage.of(LEDGER)] == [("delivered", 10)]
    assert ends_of(stage, CONNECTORS_AUDIT) == [(GAR, "released", "delivered")]


async def test_delete_of_what_was_told_is_told_once() -> None:
    stage = telling(policy())
    await stage.take(UPSERTS, upsert())
    await stage.take(DELETES, delete())
    await stage.take(DELETES, delete(12))

    assert [value is None for value in stage.of(DIRECTORY)] == [False, True]
    assert ends_of(stage, CONNECTORS_AUDIT)[1:] == [(GAR, "erased", "delivered"), (GAR, "erased", "never-attempted")]


async def test_delete_of_what_was_never_attempted_is_swallowed() -> None:
    stage = telling(policy())
    await stage.take(DELETES, delete())
    await stage.take(UPSERTS, upsert(10))

    assert stage.of(DIRECTORY) == []
    assert ends_of(stage, CONNECTORS_AUDIT) == [(GAR, "erased", "never-attempted"), (GAR, "refused", "superseded")]
    assert [value["code"] for value in stage.of(LEDGER)] == ["never-attempted"]


@pytest.mark.parametrize(("seq", "code"), [(10, "duplicate"), (9, "superseded")])
async def test_word_that_is_not_newer_is_refused(seq: int, code: str) -> None:
    stage = telling(policy())
    await stage.take(UPSERTS, upsert(10), upsert(seq))

    assert len(stage.of(DIRECTORY)) == 1
    assert sorted(ends_of(stage, CONNECTORS_AUDIT)) == [(GAR, "refused", code), (GAR, "released", "delivered")]


@pytest.mark.parametrize(
    ("differences", "code"),
    [
        pytest.param({"contracts": contract_with(until="2026-09-14")}, "contract-not-in-force", id="contract over"),
        pytest.param({"places": example("provider-policy/1/us-support")["places"]}, "place-not-allowed",
                     id="a place that is not allowed"),
    ],
)  # fmt: skip
async def test_upsert_that_may_not_go_is_deferred_and_told_once_it_may(differences: dict[str, Any], code: str) -> None:
    stage = telling(policy(**differences))
    await stage.take(UPSERTS, upsert())
    before = stage.of(DIRECTORY)
    stage.agent._policies.apply(b"gar", bytes_of(policy(version=5)))  # type: ignore[attr-defined]  # the book of this agent
    await stage.sweep()
    await stage.sweep()

    assert before == []
    assert [(value["outcome"], value["code"]) for value in stage.of(LEDGER)] == [
        ("deferred", code), ("delivered", "delivered"),
    ]  # fmt: skip
    assert len(stage.of(DIRECTORY)) == 1


async def test_deferred_upsert_is_dropped_for_the_erasure_that_comes_after() -> None:
    stage = telling(policy(places=[]))
    await stage.take(UPSERTS, upsert(10))
    await stage.take(DELETES, delete(11))
    stage.agent._policies.apply(b"gar", bytes_of(policy(version=5)))  # type: ignore[attr-defined]  # the book of this agent
    await stage.sweep()

    assert stage.of(DIRECTORY) == []


@pytest.mark.parametrize("policies", [(), (policy(version=3),)], ids=["unknown", "older"])
async def test_upsert_waits_for_the_policy_it_was_decided_under(policies: tuple[ProviderPolicy, ...]) -> None:
    stage = telling(*policies)
    with pytest.raises(NotYet, match="policy-not-here"):
        await stage.take(UPSERTS, upsert())

    assert stage.sent == []


async def test_delete_waits_for_no_policy() -> None:
    stage = telling()
    await stage.take(DELETES, delete())

    assert ends_of(stage, CONNECTORS_AUDIT) == [(GAR, "erased", "never-attempted")]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        pytest.param((b"c" * 32, upsert()[1]), "key-mismatch", id="another pseudonym"),
        pytest.param((None, upsert()[1]), "key-mismatch", id="no key"),
        pytest.param(upsert(provider="lecture"), "key-mismatch", id="another provider"),
        pytest.param(delete(), "not-this-schema", id="a delete on the lane of upserts"),
        pytest.param((NAME.encode(), None), "not-this-schema", id="a tombstone"),
        pytest.param((NAME.encode(), b"{"), "not-json", id="no JSON"),
    ],
)
async def test_unusable_operation_is_quarantined(record: tuple[bytes | None, bytes | None], code: str) -> None:
    stage = telling(policy())
    await stage.take(UPSERTS, record, upsert(12))

    assert stage.codes(UPSERTS) == [code]
    assert len(stage.of(DIRECTORY)) == 1

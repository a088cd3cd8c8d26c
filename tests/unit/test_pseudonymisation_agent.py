from collections.abc import Callable
from typing import Any

import orjson
import pytest

from services.contract.account import Account
from services.contract.policies import ProviderPolicy
from services.contract.releases import Release, Restriction, Withdrawal
from services.contract.topology import PSEUDONYMISATION_AUDIT, RELEASES, WITHDRAWALS
from services.pseudonymisation.agent import PseudonymisationAgent
from services.pseudonymisation.keyring import KeySource
from services.runtime.agent import NotYet
from services.runtime.outbox import SPREAD, Outbox, Reached
from services.runtime.records import FetchedRecord
from tests.replay.invented import INE, bytes_of, contract_with, example, policy
from tests.replay.rapid import KEYRING, NOW_US
from tests.unit.stage_runs import Stage, book, ends_of, told

UPSERTS, DELETES = "provisioning.operations.gar.v1", "provisioning.withdrawals.gar.v1"
GAR = "gar/GAR-2026"
FIELDS = {"given_name": "Maïa", "level": "5EME", "school": "0999001W",
          "groups": [{"school": "0999001W", "code": "5LATIN"}]}  # fmt: skip


def release(seq: int = 10, **differences: Any) -> tuple[bytes, bytes]:
    content = example("release/1/pupil-to-a-public-service", seq=seq, policy_version=4, fields=FIELDS) | differences
    return told(Release.model_validate(content, strict=False), INE)


def withdrawal(seq: int = 11) -> tuple[bytes, bytes]:
    whole = example("release/1/pupil-to-a-public-service", seq=seq, policy_version=4)
    shared = {name: whole[name] for name in Withdrawal.model_fields.keys() & whole.keys()}
    return told(Withdrawal.model_validate(shared | {"reasons": ("R1/subject-deleted",)}, strict=False), INE)


def restriction(seq: int = 12) -> tuple[bytes, bytes]:
    content = example("restriction/1/objection-is-open", seq=seq, policy_version=4, subject=INE)
    return told(Restriction.model_validate(content, strict=False), INE)


def naming(*policies: ProviderPolicy) -> Stage:
    return Stage(PseudonymisationAgent(book(*policies), KeySource.of(KEYRING)))


def apply(stage: Stage, version: int, **differences: Any) -> None:
    stage.agent._policies.apply(b"gar", bytes_of(policy(version=version, **differences)))  # type: ignore[attr-defined]  # the book of this agent


async def test_release_leaves_under_a_pseudonym_and_without_the_person() -> None:
    stage = naming(policy())
    await stage.take(RELEASES, release())
    (upsert,) = stage.of(UPSERTS)

    assert ends_of(stage, PSEUDONYMISATION_AUDIT) == [(GAR, "released", "renamed")]
    assert INE not in str(upsert)
    assert upsert["fields"]["school"] != "0999001W"
    assert len(upsert["pseudonym"]) == 32


@pytest.mark.parametrize(
    ("seqs", "ends"),
    [
        pytest.param((10, 10), [("released", "renamed"), ("refused", "duplicate")], id="the same twice"),
        pytest.param((10, 9), [("released", "renamed"), ("refused", "superseded")], id="an older one late"),
        pytest.param((10, 12), [("released", "renamed"), ("released", "renamed")], id="a newer one"),
    ],
)
async def test_seq_is_checked_again(seqs: tuple[int, ...], ends: list[tuple[str, str]]) -> None:
    stage = naming(policy())
    for seq in seqs:
        await stage.take(RELEASES, release(seq))

    assert [end[1:] for end in ends_of(stage, PSEUDONYMISATION_AUDIT)] == ends


async def test_release_after_its_withdrawal_is_superseded() -> None:
    stage = naming(policy())
    await stage.take(WITHDRAWALS, withdrawal(11))
    await stage.take(RELEASES, release(10))

    assert len(stage.of(DELETES)) == 1
    assert stage.of(UPSERTS) == []


@pytest.mark.parametrize(
    ("differences", "fields", "code"),
    [
        pytest.param({"contracts": contract_with(until="2026-09-14")}, {}, "contract-not-in-force", id="contract over"),
        pytest.param({"contracts": []}, {}, "contract-not-in-force", id="contract gone"),
        pytest.param({"perimeter": {"id": "BE"}}, {}, "contract-not-in-force", id="another perimeter"),
        pytest.param({"places": example("provider-policy/1/us-support")["places"]}, {}, "place-not-allowed",
                     id="a place that is not allowed"),
        pytest.param({}, {"birth_date": "2013-05-03"}, "field-not-in-contract", id="a field beyond the contract"),
        pytest.param({"contracts": contract_with(fields=["level", "email"]),
                      "perimeter": {"allowed_fields": ["level", "email"]}}, {"email": "maia@example.test"},
                     "field-not-in-contract", id="a field that leaves in no form"),
    ],
)  # fmt: skip
async def test_refusal(differences: dict[str, Any], fields: dict[str, str], code: str) -> None:
    stage = naming(policy(**differences))
    await stage.take(RELEASES, release(fields={"level": "5EME", **fields}))

    assert ends_of(stage, PSEUDONYMISATION_AUDIT) == [(GAR, "refused", code)]
    assert stage.of(UPSERTS) == []


async def test_refused_release_is_parked_and_sent_once_it_may_be() -> None:
    stage = naming(policy(places=[]))
    await stage.take(RELEASES, release())
    await stage.sweep()
    apply(stage, 5)
    await stage.sweep()
    await stage.sweep()

    assert [value["seq"] for value in stage.of(UPSERTS)] == [10]


async def test_parked_release_is_dropped_for_a_later_word() -> None:
    stage = naming(policy(places=[]))
    await stage.take(RELEASES, release(10))
    await stage.take(WITHDRAWALS, withdrawal(11))
    apply(stage, 5)
    await stage.sweep()

    assert stage.of(UPSERTS) == []


async def test_restriction_leaves_under_the_same_pseudonym_on_the_lane_it_came_on() -> None:
    stage = naming(policy())
    await stage.take(RELEASES, release(10))
    await stage.take(WITHDRAWALS, restriction(12))
    await stage.take(RELEASES, restriction(13), restriction(11))
    (upsert, swept), (express,) = stage.of(UPSERTS), stage.of(DELETES)

    assert (express["seq"], express["restricted"], swept["seq"], swept["restricted"]) == (12, True, 13, True)
    assert {one["pseudonym"] for one in (upsert, swept, express)} == {upsert["pseudonym"]}
    assert ends_of(stage, PSEUDONYMISATION_AUDIT)[1:] == [
        (GAR, "held", "renamed"), (GAR, "held", "renamed"), (GAR, "refused", "superseded"),
    ]  # fmt: skip


async def test_parked_release_does_not_follow_a_restriction() -> None:
    stage = naming(policy(places=[]))
    await stage.take(RELEASES, release(10))
    await stage.take(WITHDRAWALS, restriction(12))
    apply(stage, 5)
    await stage.sweep()

    assert stage.of(UPSERTS) == []


async def test_either_lane_may_carry_either_and_an_erasure_stays_on_its_own() -> None:
    stage = naming(policy())
    await stage.take(WITHDRAWALS, release(10))
    await stage.take(RELEASES, withdrawal(11))
    await stage.take(WITHDRAWALS, withdrawal(12), first=1)

    assert [value["seq"] for value in stage.of(UPSERTS)] == [10, 11]
    assert [value["seq"] for value in stage.of(DELETES)] == [12]


async def test_parked_release_is_kept_as_it_was_written() -> None:
    stage = naming(policy(places=[]))
    key, raw = release()
    await stage.take(RELEASES, (key, raw.replace(b",", b", ")))

    assert [value for _, value in stage.state.scan(b"p/", None)] == [raw.replace(b",", b", ")]


async def test_policy_that_changes_is_applied_to_the_next_release_of_the_same_manner() -> None:
    stage = naming(policy())
    await stage.take(RELEASES, release(10))
    apply(stage, 5, places=[])
    await stage.take(RELEASES, release(11))

    assert [end[1:] for end in ends_of(stage, PSEUDONYMISATION_AUDIT)] == [
        ("released", "renamed"), ("refused", "place-not-allowed"),
    ]  # fmt: skip


async def test_one_after_another_are_named_as_the_first_of_its_manner_was() -> None:
    stage, other = naming(policy()), naming(policy())
    await stage.take(RELEASES, release(10), release(11), release(12))
    await other.take(RELEASES, release(12))

    assert stage.of(UPSERTS)[-1] == other.of(UPSERTS)[0]


@pytest.mark.parametrize("policies", [(), (policy(version=3),)], ids=["unknown", "older"])
async def test_release_waits_for_the_policy_it_was_decided_under(policies: tuple[ProviderPolicy, ...]) -> None:
    stage = naming(*policies)
    with pytest.raises(NotYet, match="policy-not-here"):
        await stage.take(RELEASES, release())

    assert stage.sent == []


async def test_withdrawal_waits_for_no_policy() -> None:
    stage = naming()
    await stage.take(WITHDRAWALS, withdrawal())

    assert ends_of(stage, PSEUDONYMISATION_AUDIT) == [(GAR, "erased", "renamed")]


async def test_release_and_withdrawal_name_the_same_pseudonym_under_different_event_ids() -> None:
    stage = naming(policy())
    await stage.take(RELEASES, release())
    await stage.take(WITHDRAWALS, withdrawal())
    (upsert,), (delete,) = stage.of(UPSERTS), stage.of(DELETES)

    assert upsert["pseudonym"] == delete["pseudonym"]
    assert upsert["event_id"] != delete["event_id"]


async def test_policy_that_was_taken_back_keeps_nobody_else_parked() -> None:
    stage = naming(policy(places=[]), policy("consent-service", places=[]))
    await stage.take(RELEASES, release())
    lecture = example("release/1/pupil-by-consent", seq=1, policy_version=1, fields={"level": "5EME"})
    await stage.take(RELEASES, told(Release.model_validate(lecture, strict=False), INE))
    stage.agent._policies.apply(b"gar", None)  # type: ignore[attr-defined]  # the book of this agent
    stage.agent._policies.apply(b"lecture", bytes_of(policy("consent-service", version=9)))  # type: ignore[attr-defined]  # as above
    await stage.sweep()

    assert len(stage.of("provisioning.operations.lecture.v1")) == 1
    assert (GAR, "refused", "contract-not-in-force") in ends_of(stage, PSEUDONYMISATION_AUDIT)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        pytest.param(lambda _: b"{", "not-json", id="no JSON"),
        pytest.param(lambda _: b"{}", "not-this-schema", id="no release"),
        pytest.param(lambda raw: raw.replace(b"0999001W", b"0999001A"), "not-an-identifier", id="no true UAI"),
        pytest.param(lambda raw: raw.replace(b'"level":"5EME"', b'"groups":[1]'), "unexpected", id="a field gone wild"),
    ],
)
async def test_unusable_release_is_quarantined_alone(spoil: Callable[[bytes], bytes], code: str) -> None:
    stage = naming(policy())
    key, raw = release(seq=20, fields={"school": "0999001W", "level": "5EME"})
    await stage.take(RELEASES, release(10), (key, spoil(raw)), release(30))

    assert stage.codes(RELEASES) == [code]
    assert [value["seq"] for value in stage.of(UPSERTS)] == [10, 30]
    assert [word for word in ("Maïa", "Exemple", INE) if word.encode() in stage.raw] == []


def beat(until: str, partition: int = 0) -> tuple[None, bytes]:
    return None, b'{"partition":%d,"applied_until":"%b"}' % (partition, until.encode())


async def test_heartbeat_is_handed_to_every_provider_behind_what_was_withdrawn_before_it() -> None:
    stage = naming(policy(), policy(provider="lecture"))
    await stage.take(WITHDRAWALS, beat("2026-09-15T07:59:58Z"), withdrawal(), beat("2026-09-15T07:59:59Z"))
    at_gar = stage.of("provisioning.withdrawals.gar.v1")

    assert [value.get("applied_until") for value in at_gar] == [None, "2026-09-15T07:59:59Z"]
    assert stage.of("provisioning.withdrawals.lecture.v1") == [
        {"partition": 0, "applied_until": "2026-09-15T07:59:59Z"}
    ]


def box(stage: Stage, partitions: int) -> Outbox:
    return Outbox("pseudonymisation", 0, stage.state, NOW_US, partitions=partitions)


async def test_heartbeat_goes_to_every_partition_and_again_only_after_five_seconds() -> None:
    stage, sent = naming(policy()), []
    for second in (0, 1, 4, 5, 6):
        outbox = box(stage, 3)
        _, value = beat(f"2026-09-15T07:59:{second:02}Z")
        rows = [FetchedRecord(WITHDRAWALS, 0, second, 0, None, value)]
        await stage.agent.handle(rows, outbox, Account("pseudonymisation", WITHDRAWALS, 0, 1))
        stage.state.apply(outbox.changes)
        sent.append([(output.partition, orjson.loads(output.value or b"")["partition"]) for output in outbox.outputs])

    assert sent == [[(0, 0), (1, 0), (2, 0)], [], [], [(0, 0), (1, 0), (2, 0)], []]


async def test_operations_of_either_lane_lie_by_the_pseudonym() -> None:
    stage = naming(policy())
    for topic, record in ((RELEASES, release()), (WITHDRAWALS, withdrawal())):
        outbox = box(stage, 3)
        rows = [FetchedRecord(topic, 0, 0, 0, *record)]
        await stage.agent.handle(rows, outbox, Account("pseudonymisation", topic, 0, 1))

        assert [output.partition for output in outbox.outputs] == [SPREAD]


async def test_heartbeat_is_no_input() -> None:
    stage = naming(policy())
    await stage.take(WITHDRAWALS, beat("2026-09-15T07:59:58Z"))
    alone = stage.of(PSEUDONYMISATION_AUDIT)
    await stage.take(WITHDRAWALS, beat("2026-09-15T07:59:59Z"), withdrawal(), first=1)

    assert [(entry["records"], entry["ends"]) for entry in alone] == [(0, {})]
    assert [entry["records"] for entry in stage.of(PSEUDONYMISATION_AUDIT)] == [0, 1]


async def test_account_says_up_to_when_the_heartbeat_vouches_that_is_handed_on_and_which_lanes_are_read() -> None:
    stage = naming(policy())
    stage.reached = Reached(ends={RELEASES: 31})
    for second in (0, 4, 5):
        await stage.take(WITHDRAWALS, beat(f"2026-09-15T07:59:{second:02}Z"), first=second)

    assert [(entry["applied_until"], entry["caught_up"]) for entry in stage.of(PSEUDONYMISATION_AUDIT)] == [
        ("2026-09-15T07:59:00Z", {RELEASES: 31}), ("2026-09-15T07:59:05Z", {RELEASES: 31}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (beat("2026-09-15T07:59:58Z", partition=5), "key-mismatch"),
        (beat("yesterday"), "not-this-schema"),
        ((None, b"{}"), "not-this-schema"),
        ((None, b"beat"), "not-json"),
    ],
)
async def test_what_is_no_true_heartbeat_of_this_partition_is_put_aside(record: tuple[None, bytes], code: str) -> None:
    stage = naming(policy())
    await stage.take(WITHDRAWALS, record)

    assert stage.codes(WITHDRAWALS) == [code]
    assert stage.of("provisioning.withdrawals.gar.v1") == []

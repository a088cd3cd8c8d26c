from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson
import pytest

from ops.benchmarks.memory_state import MemoryState
from services.contract.account import Account
from services.contract.acts import APPROVAL_KEY
from services.contract.changes import Change
from services.contract.policies import ProviderPolicy
from services.contract.topology import CHANGES, CONSENTS, FILTERING_AUDIT, MOVES, RELEASES, UNLINKS, WITHDRAWALS
from services.filtering.agent import FilteringAgent
from services.runtime.outbox import Outbox, Reached
from services.runtime.policies import PolicyBook
from tests.replay.invented import INE, MAIA, bytes_of, consent, contract_with, delete, example, joins, patch, policy
from tests.replay.rapid import NOW_US, judged
from tests.unit.stage_runs import Stage, book, ends_of

GAR = "gar/GAR-2026"
AT = "2026-09-04T17:12:08+02:00"
JOINS = (MAIA, bytes_of(joins()))


def filtering(*policies: ProviderPolicy) -> Stage:
    return Stage(FilteringAgent(book(*policies)))


def book_of(stage: Stage) -> PolicyBook:
    held: PolicyBook = stage.agent._policies  # type: ignore[attr-defined]  # the book of this agent
    return held


def judge(stage: Stage, verdict: Literal["approved", "refused"]) -> None:
    """Have an operator judge what the set in this agent's book erases at once."""
    policies = book_of(stage)
    policies.apply(APPROVAL_KEY, judged(policies, verdict))


def change(of: Change, key: bytes = MAIA) -> tuple[bytes, bytes]:
    return key, bytes_of(of)


async def test_every_record_of_a_batch_has_its_end() -> None:
    stage = filtering(policy())
    school = (b"aaf-d99:9901", orjson.dumps(example("change/1/school-opens")))
    await stage.take(
        CHANGES, change(patch("20260916.1.000000001", level="4EME")), JOINS, JOINS, (MAIA, b"{"), school,
        change(delete("20261001.1.000000001")), change(patch("20260930.1.000000001", level="3EME")),
    )  # fmt: skip

    assert stage.ends(FILTERING_AUDIT) == [
        {
            "-": {
                "held": {"no-image": [[0, 0]]},
                "refused": {"duplicate": [[2, 2]], "superseded": [[6, 6]]},
                "withheld": {"reference-data": [[4, 4]]},
            },
            GAR: {"released": {"R3/public-task": [[1, 1]]}, "erased": {"R1/subject-deleted": [[5, 5]]}},
        }
    ]
    assert [value["offset"] for value in stage.of(f"{CHANGES}.quarantine")] == [3]
    assert (len(stage.of(RELEASES)), len(stage.of(WITHDRAWALS))) == (1, 1)


async def test_account_says_what_type_of_school_and_which_fields_stayed_inside_and_no_value() -> None:
    stage = filtering(policy())
    await stage.take(CHANGES, JOINS, JOINS)

    (entry,) = stage.of(FILTERING_AUDIT)
    assert entry["schools"] == {"lower-secondary": [[0, 0]]}
    (of_gar,) = entry["dropped"].values()
    assert of_gar["lower-secondary"]["R16"]["ine"] == 1
    assert all(times == 1 for fields in of_gar["lower-secondary"].values() for times in fields.values())
    assert [
        value for value in joins().attributes.model_dump().values() if f'"{value}"' in orjson.dumps(entry).decode()
    ] == []


@pytest.mark.parametrize(
    ("key", "of", "accepted"),
    [
        pytest.param(MAIA, joins(), True, id="the INE"),
        pytest.param(b"aaf-d99:999-1001", joins(), True, id="the source's id"),
        pytest.param(b"aaf-d98:999-1001", joins(), False, id="another source's id"),
        pytest.param(b"999000002AB", joins(), False, id="another INE"),
        pytest.param(b"999000001ab", joins(), False, id="an INE that is not canonical"),
        pytest.param(MAIA, joins(attributes={"ine": None}), False, id="an INE that the image does not say"),
        pytest.param(MAIA, patch("20260916.1.000000001", level="4EME"), True, id="a patch says no INE"),
        pytest.param(b"nobody", patch("20260916.1.000000001", level="4EME"), False, id="a patch under no identifier"),
        pytest.param(b"", joins(), False, id="nothing"),
    ],
)
async def test_key(key: bytes, of: Change, accepted: bool) -> None:  # noqa: FBT001  # a row
    stage = filtering(policy())
    await stage.take(CHANGES, change(of, key))

    assert stage.codes(CHANGES) == ([] if accepted else ["key-mismatch"])


async def test_known_image_keeps_its_key_when_the_ine_goes() -> None:
    stage = filtering(policy())
    await stage.take(CHANGES, JOINS, change(joins(version="20260902.0.000000001", attributes={"ine": None})))

    assert stage.codes(CHANGES) == []


async def test_key_that_is_too_long_to_travel_is_put_aside_where_something_would_go_out() -> None:
    stage = filtering(policy())
    name = {"source": "a" * 40, "id": "9" * 120, "attributes": {"ine": None}}
    await stage.take(CHANGES, change(joins(**name), b"a" * 40 + b":" + b"9" * 120))

    assert stage.codes(CHANGES) == ["not-this-schema"]
    assert stage.of(RELEASES) == []
    assert list(stage.state.scan(b"s/", None)) == []


async def test_consent_of_another_s_key_is_quarantined() -> None:
    stage = filtering(policy())
    await stage.take(CONSENTS, (b"999000002AB", bytes_of(consent("child", "given", AT))))

    assert stage.codes(CONSENTS) == ["key-mismatch"]


@pytest.mark.parametrize(
    ("subject", "party"),
    [
        pytest.param("aaf-d99:e\u0301", "child", id="of whom"),
        pytest.param(INE, "guardian:aaf-d99:e\u0301", id="by whom"),
    ],
)
async def test_no_in_a_spelling_under_which_nobody_is_known_is_not_taken_for_heard(subject: str, party: str) -> None:
    """The same letters in NFC would be another key."""
    stage = filtering(policy("consent-service"))
    decision = orjson.dumps({**orjson.loads(bytes_of(consent("child", "withdrawn", AT))), "subject": subject,
                             "party": party})  # fmt: skip
    await stage.take(CONSENTS, (subject.encode(), decision))

    assert stage.codes(CONSENTS) == ["not-this-schema"]


async def test_consent_granted_later_releases_from_state() -> None:
    stage = filtering(policy("consent-service"))
    await stage.take(CHANGES, JOINS)
    for party in ("child", "guardian:aaf-d99:999-2001"):
        await stage.take(CONSENTS, (MAIA, bytes_of(consent(party, "given", AT))))

    assert [reason for _, _, reason in ends_of(stage, FILTERING_AUDIT)] == [
        "R10/child-consent-missing", "R10/holder-consent-missing", "R10/joint-consent",
    ]  # fmt: skip
    assert [value["subject"] for value in stage.of(RELEASES)] == [INE]


async def test_withdrawal_is_heard_whatever_else_was_said_in_the_name_of_the_same_person() -> None:
    stage = filtering(policy("consent-service"))
    await stage.take(CHANGES, JOINS)
    for party in ("child", "guardian:aaf-d99:999-2001"):
        await stage.take(CONSENTS, (MAIA, bytes_of(consent(party, "given", AT))))
    # As much as a state may hold, and then the little that is left.
    flood = [
        consent("child", "given", "2026-08-01T08:00:00Z", purpose=f"p-{number}", notice=text, proof=text)
        for number, text in enumerate(["\0" * 80] * 900 + [None] * 20)
    ]
    await stage.take(CONSENTS, *((MAIA, bytes_of(each)) for each in flood))
    await stage.take(CONSENTS, (MAIA, bytes_of(consent("child", "withdrawn", "2026-09-05T08:00:00Z"))))

    assert stage.codes(CONSENTS) == []
    assert [value["reasons"] for value in stage.of(WITHDRAWALS)] == [["R1/consent-withdrawn"]]


async def test_without_any_policy_nothing_is_released_and_the_person_is_kept() -> None:
    stage = filtering()
    await stage.take(CHANGES, JOINS)
    held = ends_of(stage, FILTERING_AUDIT)
    stage.agent._policies.apply(b"gar", bytes_of(policy()))  # type: ignore[attr-defined]  # the book of this agent
    await stage.sweep()

    assert held == [("-", "held", "policy-not-here")]
    assert [value["provider"] for value in stage.of(RELEASES)] == ["gar"]


async def test_sweep_sends_differences_only() -> None:
    stage = filtering(policy())
    await stage.take(CHANGES, JOINS)
    await stage.sweep()
    stage.agent._policies.apply(b"gar", bytes_of(policy(version=5, contracts=[])))  # type: ignore[attr-defined]  # as above
    judge(stage, "approved")
    await stage.sweep()
    await stage.sweep()

    assert [("reasons" in value) for value in stage.of(RELEASES)] == [False, True]
    assert stage.of(WITHDRAWALS) == []


async def test_seq_is_not_issued_twice_in_a_partition() -> None:
    stage = filtering(policy())
    people = [joins(id=f"p-{n}", attributes={"ine": f"99900000{n}ZZ"}) for n in range(5)]
    await stage.take(CHANGES, *(change(each, f"99900000{n}ZZ".encode()) for n, each in enumerate(people)))
    seqs = [value["seq"] for value in stage.of(RELEASES)]

    assert seqs == sorted(set(seqs))


async def test_no_identity_is_told_in_account_or_quarantine() -> None:
    stage = filtering(policy(contracts=contract_with(schools=[])))
    await stage.take(CHANGES, JOINS, (MAIA, JOINS[1] + b"Ma\xc3\xafa"), (b"Exemple", JOINS[1]))

    assert stage.codes(CHANGES) == ["not-json", "key-mismatch"]
    assert [word for word in ("Maïa", "Exemple", INE, "999-1001") if word.encode() in stage.raw] == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(datetime(2026, 9, 15, 21, 59, 59, tzinfo=UTC), datetime(2026, 9, 15, 22, tzinfo=UTC), id="summer"),
        pytest.param(datetime(2026, 12, 1, 22, 59, 59, tzinfo=UTC), datetime(2026, 12, 1, 23, tzinfo=UTC), id="winter"),
    ],
)
def test_everybody_is_decided_again_at_midnight_in_paris(before: datetime, after: datetime) -> None:
    agent = FilteringAgent(book(policy()))

    assert agent.sweep_token(before) == agent.sweep_token(before - timedelta(hours=20))
    assert agent.sweep_token(before) != agent.sweep_token(after)
    assert b" " not in agent.sweep_token(after)


async def test_policy_that_is_taken_back_erases_whom_it_had_released() -> None:
    stage = filtering(policy())
    await stage.take(CHANGES, JOINS)
    stage.agent._policies.apply(b"gar", None)  # type: ignore[attr-defined]  # the book of this agent
    judge(stage, "approved")
    await stage.sweep()

    assert [value.get("reasons") for value in stage.of(RELEASES)] == [None, ["R1/no-contract"]]


CUT_OFF = policy(version=5, places=example("provider-policy/1/us-support")["places"])


async def test_what_everybody_would_lose_is_held_until_exactly_this_set_is_approved() -> None:
    stage = filtering(policy())
    policies = book_of(stage)
    await stage.take(CHANGES, JOINS)
    judge(stage, "approved")  # the set before: it says nothing of the next
    policies.apply(b"gar", bytes_of(CUT_OFF))
    await stage.sweep()
    judge(stage, "refused")
    await stage.sweep()
    held = ends_of(stage, FILTERING_AUDIT)[1:]
    judge(stage, "approved")
    await stage.sweep()

    assert held == [(GAR, "held", "deletion-guard")] * 2
    assert ends_of(stage, FILTERING_AUDIT)[3:] == [(GAR, "erased", "R19/dpf-not-allowed")]
    assert [value.get("reasons") for value in stage.of(RELEASES)] == [
        None,
        ["R19/dpf-not-allowed", "R20/control-abroad"],
    ]


async def test_whoever_withdraws_while_a_provider_is_cut_off_is_erased_at_once() -> None:
    stage = filtering(policy("consent-service"))
    policies = book_of(stage)
    await stage.take(CHANGES, JOINS)
    for party in ("child", "guardian:aaf-d99:999-2001"):
        await stage.take(CONSENTS, (MAIA, bytes_of(consent(party, "given", AT))))
    policies.apply(b"lecture", bytes_of(policy("consent-service", version=9, contracts=[])))
    await stage.sweep()
    await stage.take(CONSENTS, (MAIA, bytes_of(consent("child", "withdrawn", "2026-09-10T00:00:00Z"))))

    assert [end for _, end, _ in ends_of(stage, FILTERING_AUDIT)][-2:] == ["held", "erased"]
    assert [value["reasons"] for value in stage.of(WITHDRAWALS)] == [["R1/no-contract"]]


async def test_an_approval_decides_everybody_again() -> None:
    agent = FilteringAgent(book(policy(version=5, contracts=[])))
    before = agent.sweep_token(datetime(2026, 9, 15, 8, tzinfo=UTC))
    agent._policies.apply(APPROVAL_KEY, judged(agent._policies, "refused"))
    refused = agent.sweep_token(datetime(2026, 9, 15, 8, tzinfo=UTC))
    agent._policies.apply(APPROVAL_KEY, judged(agent._policies, "approved"))
    approved = agent.sweep_token(datetime(2026, 9, 15, 8, tzinfo=UTC))

    assert before == refused
    assert approved != refused


async def beats(reached: Reached) -> list[Any]:
    outbox = Outbox("filtering", 3, MemoryState(), NOW_US, reached=reached)
    await FilteringAgent(book(policy())).tick(outbox, Account("filtering", "tick", 3, 0))
    return [(out.topic, out.partition, out.key, orjson.loads(out.value or b"")) for out in outbox.outputs]


async def test_heartbeat_says_until_when_consents_are_applied_among_the_withdrawals_of_the_partition() -> None:
    later = dict.fromkeys((UNLINKS, MOVES), 1_789_459_199_500_000)

    assert await beats(Reached({CONSENTS: 1_789_459_199_250_000, **later, CHANGES: 1})) == [
        (WITHDRAWALS, 3, None, {"partition": 3, "applied_until": "2026-09-15T07:59:59.250000Z"})
    ]


async def test_account_says_every_five_seconds_what_the_heartbeats_vouch_for_and_which_lanes_are_read() -> None:
    stage, at = Stage(FilteringAgent(book(policy()))), NOW_US
    for second in (0, 1, 4, 5, 6):
        until = dict.fromkeys((CONSENTS, UNLINKS, MOVES), at + second * 1_000_000)
        await stage.tick(Reached(until, ends={CONSENTS: 7, CHANGES: 2030 + second}))
    await stage.tick(Reached({CONSENTS: at + 20_000_000}, ends={CONSENTS: 7}))

    assert [
        (entry["topic"], entry["records"], entry["ends"], entry["applied_until"], entry["caught_up"])
        for entry in stage.of(FILTERING_AUDIT)
    ] == [
        ("tick", 0, {}, "2026-09-15T08:00:00Z", {CONSENTS: 7, CHANGES: 2030}),
        ("tick", 0, {}, "2026-09-15T08:00:05Z", {CONSENTS: 7, CHANGES: 2035}),
    ]


@pytest.mark.parametrize("late", [UNLINKS, MOVES])
async def test_heartbeat_vouches_for_no_more_than_what_other_partitions_told_and_is_applied(late: str) -> None:
    until = dict.fromkeys((CONSENTS, UNLINKS, MOVES), 1_789_459_199_250_000)
    ((_, _, _, beat),) = await beats(Reached({**until, late: 1_789_459_198_000_000}))

    assert beat["applied_until"] == "2026-09-15T07:59:58Z"


@pytest.mark.parametrize("waiting", [CONSENTS, UNLINKS, MOVES])
async def test_there_is_no_heartbeat_while_a_consent_the_end_of_a_link_or_a_move_waits(waiting: str) -> None:
    applied = {CONSENTS, UNLINKS, MOVES, CHANGES} - {waiting}

    assert await beats(Reached(dict.fromkeys(applied, 1_789_459_199_250_000))) == []

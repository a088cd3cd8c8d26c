from collections.abc import Callable
from typing import Any

import orjson
import pytest

from ops.demo.readout import Row
from ops.demo.verifier import judge
from tests.unit.demo_readouts import (
    AT,
    CONTRACT,
    PSEUDONYMS,
    Topics,
    account,
    amended,
    emission,
    operation,
    outcome,
    read,
    record,
    release,
    row,
    topics,
    upsert,
)

CANARY = "ZORVELQUIMUR"
GIVEN = "Amél" + "œyx"
Mutation = Callable[[Topics], None]


def forbidden(released: frozenset[str]) -> frozenset[str]:
    names = {"family_name": CANARY, "given_name": GIVEN, "ine": "999000001AB", "home_phone": "+33 1 99 00 12 34"}
    return frozenset(value for name, value in names.items() if name not in released)


def account_of(all_topics: Topics, topic: str, at: int) -> dict[str, Any]:
    ends: dict[str, Any] = orjson.loads(all_topics[topic][at].value or b"{}")["ends"]
    return ends


def tell(all_topics: Topics, ends: dict[str, Any]) -> None:
    all_topics["audit.filtering.v1"] = amended(all_topics["audit.filtering.v1"], 0, ends=ends)


def drop_an_end(all_topics: Topics) -> None:
    ends = account_of(all_topics, "audit.filtering.v1", 0)
    del ends["-"]
    tell(all_topics, ends)


def double_an_end(all_topics: Topics) -> None:
    ends = account_of(all_topics, "audit.filtering.v1", 0)
    ends[CONTRACT]["withheld"] = {"R17/nothing-left": [[2, 2]]}
    tell(all_topics, ends)


def double_an_entry(all_topics: Topics) -> None:
    first = all_topics["audit.filtering.v1"][0]
    all_topics["audit.filtering.v1"].append(Row(0, 1, None, first.value))


def end_beyond_the_input(all_topics: Topics) -> None:
    ends = account_of(all_topics, "audit.filtering.v1", 0)
    ends["-"]["withheld"]["reference-data"].append([9, 9])
    tell(all_topics, ends)


def end_for_no_contract(all_topics: Topics) -> None:
    ends = account_of(all_topics, "audit.filtering.v1", 0)
    ends["lecture/OTHER"] = {"held": {"no-image": [[0, 0]]}}
    tell(all_topics, ends)


def forget_the_quarantine(all_topics: Topics) -> None:
    all_topics["directory.changes.v1.quarantine"] = []


def lose_an_input(all_topics: Topics) -> None:
    del all_topics["directory.changes.v1"][1]


def lose_a_whole_account(all_topics: Topics) -> None:
    all_topics["audit.connectors.v1"].pop()


def drop(topic: str, at: int) -> Mutation:
    def mutate(all_topics: Topics) -> None:
        del all_topics[topic][at]

    return mutate


def double_an_operation(all_topics: Topics) -> None:
    all_topics["provisioning.operations.lecture.v1"].append(row(2, upsert(0, 10), PSEUDONYMS[0]))


def operation_out_of_nowhere(all_topics: Topics) -> None:
    all_topics["provisioning.operations.lecture.v1"].append(row(2, upsert(0, 99), PSEUDONYMS[0]))


def refuse_and_send(all_topics: Topics) -> None:
    ends = {CONTRACT: {"refused": {"superseded": [[0, 0]]}, "released": {"renamed": [[1, 1]]}}}
    all_topics["audit.pseudonymisation.v1"] = amended(all_topics["audit.pseudonymisation.v1"], 0, ends=ends)


def emit_a_seq_twice(all_topics: Topics) -> None:
    all_topics["provisioning.releases.v1"].append(row(2, release(0, 10)))


def rename_a_person(all_topics: Topics) -> None:
    all_topics["provisioning.withdrawals.lecture.v1"] = amended(
        all_topics["provisioning.withdrawals.lecture.v1"], 0, pseudonym="c" * 32
    )


def share_a_name(all_topics: Topics) -> None:
    all_topics["provisioning.operations.lecture.v1"] = amended(
        all_topics["provisioning.operations.lecture.v1"], 0, pseudonym=PSEUDONYMS[1]
    )


def keep_who_was_withdrawn(all_topics: Topics) -> None:
    all_topics["providers.lecture.directory.v1"].append(row(3, record(), PSEUDONYMS[1]))


def tell_something_else(all_topics: Topics) -> None:
    all_topics["providers.lecture.directory.v1"].append(row(3, record(fields={"level": "4EME"}), PSEUDONYMS[0]))


def know_a_stranger(all_topics: Topics) -> None:
    all_topics["providers.lecture.directory.v1"].append(row(3, record(), "d" * 32))


def spoil_an_account(all_topics: Topics) -> None:
    all_topics["audit.connectors.v1"].append(Row(0, 2, None, b"{"))


def test_good_readout_is_reconciled() -> None:
    judged = judge(read(topics()), forbidden)

    assert judged.unreconciled == ()
    assert judged.canaries == ()
    assert judged.is_good


def test_heartbeats_ticks_and_erasures_of_a_sweep_reconcile() -> None:
    """Pupil 0 is swept away on the normal lane; what the window told is accounted for by a tick."""
    swept = topics()
    swept["audit.filtering.v1"].append(row(1, account("sweep", 0, _ended("erased", "R2/contract-over"), "filtering")))
    swept["provisioning.releases.v1"].append(row(2, emission(0, 40, reasons=["R2/contract-over"])))
    swept["audit.pseudonymisation.v1"].append(
        row(
            2, account("provisioning.releases.v1", 0, {CONTRACT: {"erased": {"renamed": [[2, 2]]}}}, "pseudonymisation")
        )
    )
    swept["provisioning.operations.lecture.v1"].append(row(2, operation(0, 40), PSEUDONYMS[0]))
    swept["audit.connectors.v1"] += [
        row(
            2,
            account(
                "provisioning.operations.lecture.v1", 0, {CONTRACT: {"erased": {"delivered": [[2, 2]]}}}, "connectors"
            ),
        ),
        row(3, account("tick", 0, _ended("released", "delivered"), "connectors")),
    ]
    swept["providers.lecture.directory.v1"].append(row(3, None, PSEUDONYMS[0]))
    swept["provisioning.ledger.v1"].append(row(3, outcome(0, 40, "delete"), f"{CONTRACT}/{PSEUDONYMS[0]}"))
    for topic in ("provisioning.withdrawals.v1", "provisioning.withdrawals.lecture.v1"):
        swept[topic].append(row(1, {"partition": 0, "applied_until": AT}))

    assert judge(read(swept), forbidden).unreconciled == ()


def with_links() -> Topics:
    """What the filter told itself: its offsets are those of transactions, with gaps."""
    linked = topics()
    linked["directory.links.v1"] = [row(offset, {"guardian": "ac-99:1"}, "ac-99:1") for offset in (0, 3)]
    ends = {CONTRACT: {"withheld": {"R2/no-linked-pupil": [[0, 0]]}, "released": {"unchanged": [[3, 3]]}}}
    linked["audit.filtering.v1"].append(row(1, account("directory.links.v1", 3, ends, "filtering")))
    return linked


def test_links_reconcile_like_any_input() -> None:
    assert judge(read(with_links()), forbidden).unreconciled == ()


@pytest.mark.parametrize(
    ("mutate", "kind"),
    [
        pytest.param(drop("audit.filtering.v1", 1), "input-without-end", id="a link that nothing came of"),
        pytest.param(drop("directory.links.v1", 0), "end-without-input", id="an end of a link that is not there"),
    ],
)
def test_fault_in_the_links_is_found(mutate: Mutation, kind: str) -> None:
    broken = with_links()
    mutate(broken)

    assert kind in {finding.kind for finding in judge(read(broken), forbidden).unreconciled}


def _ended(end: str, reason: str) -> dict[str, Any]:
    return {CONTRACT: {end: {reason: [[0, 0]]}}}


@pytest.mark.parametrize(
    ("mutate", "kind"),
    [
        pytest.param(drop_an_end, "input-without-end", id="an end is dropped"),
        pytest.param(double_an_end, "input-with-two-ends", id="an end is told twice"),
        pytest.param(double_an_entry, "input-with-two-ends", id="an account is written twice"),
        pytest.param(end_beyond_the_input, "end-without-input", id="an end of an input that is not there"),
        pytest.param(end_for_no_contract, "end-of-unknown-contract", id="an end for a contract that is not there"),
        pytest.param(forget_the_quarantine, "input-without-end", id="a record set aside without a trace"),
        pytest.param(lose_an_input, "gap-in-input", id="an input vanishes"),
        pytest.param(lose_a_whole_account, "input-without-end", id="a connector gives no account"),
        pytest.param(drop("provisioning.releases.v1", 0), "emissions-miscounted", id="a release is lost"),
        pytest.param(drop("provisioning.withdrawals.v1", 0), "emissions-miscounted", id="a withdrawal is lost"),
        pytest.param(
            drop("provisioning.operations.lecture.v1", 0), "emission-without-operation", id="an upsert is lost"
        ),
        pytest.param(
            drop("provisioning.withdrawals.lecture.v1", 0), "emission-without-operation", id="a delete is lost"
        ),
        pytest.param(double_an_operation, "operation-twice", id="an operation is sent twice"),
        pytest.param(operation_out_of_nowhere, "operation-without-emission", id="an operation nobody decided"),
        pytest.param(refuse_and_send, "operation-though-refused", id="what was refused is sent all the same"),
        pytest.param(emit_a_seq_twice, "seq-twice", id="a seq is issued twice"),
        pytest.param(rename_a_person, "two-names-for-one-person", id="a person gets a second name"),
        pytest.param(share_a_name, "name-shared", id="two people share a name"),
        pytest.param(drop("provisioning.ledger.v1", 2), "operation-without-outcome", id="the ledger stays behind"),
        pytest.param(drop("provisioning.ledger.v1", 0), "operation-without-outcome", id="the ledger is silent"),
        pytest.param(drop("providers.lecture.directory.v1", 2), "known-though-withdrawn", id="a tombstone is lost"),
        pytest.param(keep_who_was_withdrawn, "known-though-withdrawn", id="somebody is resurrected"),
        pytest.param(
            drop("providers.lecture.directory.v1", 0), "missing-though-released", id="a released person is missing"
        ),
        pytest.param(tell_something_else, "known-otherwise-than-released", id="a provider has other fields"),
        pytest.param(know_a_stranger, "known-without-release", id="a provider knows somebody nobody released"),
        pytest.param(spoil_an_account, "unreadable-record", id="an account cannot be read"),
    ],
)
def test_every_kind_of_fault_is_found(mutate: Mutation, kind: str) -> None:
    broken = topics()
    mutate(broken)

    judged = judge(read(broken), forbidden)

    assert kind in {finding.kind for finding in judged.unreconciled}
    assert not judged.reconciled


@pytest.mark.parametrize(
    ("topic", "text", "found"),
    [
        pytest.param("providers.lecture.directory.v1", CANARY, 1, id="a family name that the contract does not name"),
        pytest.param("providers.lecture.directory.v1", GIVEN, 0, id="a given name that the contract names"),
        pytest.param("provisioning.operations.lecture.v1", "999000001ab", 1, id="an INE in lower case"),
        pytest.param("provisioning.ledger.v1", GIVEN, 1, id="a given name on the ledger"),
        pytest.param("provisioning.ledger.v1", r"Am\u00e9l\u0153yx", 1, id="the same, escaped by JSON"),
        pytest.param("audit.filtering.v1", "999000001AB", 1, id="an INE in an account"),
        pytest.param("directory.changes.v1.quarantine", "+33199001234", 1, id="a telephone number in one piece"),
        pytest.param("provisioning.releases.v1", CANARY, 0, id="inside, before the pseudonymiser"),
    ],
)
@pytest.mark.parametrize("part", ["key", "value", "header", "header name"])
def test_canaries_are_found_wherever_they_hide(topic: str, text: str, found: int, part: str) -> None:
    planted = topics()
    hidden = f"…{text}…"
    planted[topic].append(
        Row(
            0, 90,
            hidden.encode() if part == "key" else None,
            hidden.encode() if part == "value" else None,
            (("x", hidden.encode()),) if part == "header" else ((hidden, b"x"),) if part == "header name" else (),
        )
    )  # fmt: skip

    assert judge(read(planted), forbidden).canaries_found == found


def test_canary_in_a_log_is_found() -> None:
    judged = judge(read(topics(), {"filtering": f"KeyError: {CANARY.lower()}"}), forbidden)

    assert [(finding.kind, finding.where, finding.count) for finding in judged.canaries] == [
        ("canary", "log of filtering", 1)
    ]


def test_search_that_finds_nothing_even_inside_is_not_trusted() -> None:
    judged = judge(read(topics()), lambda _released: frozenset({"NOBODYPUBLISHEDTHIS"}))

    assert judged.reconciled
    assert not judged.is_good


def test_findings_name_no_value() -> None:
    planted = topics()
    planted["providers.lecture.directory.v1"].append(row(3, record(fields={"family_name": CANARY}), PSEUDONYMS[0]))

    told = repr(judge(read(planted), forbidden))

    assert CANARY not in told
    assert PSEUDONYMS[0] not in told

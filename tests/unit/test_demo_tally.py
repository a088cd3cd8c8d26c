from typing import Any

import orjson
import pytest

from ops.demo.summary import summary, tally_of
from ops.demo.tally import Tally, ends_of
from ops.demo.verifier import judge
from tests.unit.demo_readouts import AT, CONTRACT, PSEUDONYMS, account, outcome, read, row, topics, upsert

PUBLISHED = {"directory.changes.v1": 5, "consents.decisions.v1": 0}


def good() -> Tally:
    return tally_of(read(topics()))


def told(ends: dict[str, Any], topic: str = "directory.changes.v1") -> bytes:
    return orjson.dumps(account(topic, 4, ends, "filtering"))


def test_ends_and_quarantine_add_up_to_the_inputs() -> None:
    ends = ends_of(good(), "lecture")

    assert (ends.released, ends.erased, ends.held, ends.refused, ends.unchanged) == (2, 1, 0, 0, 0)
    assert ends.withheld == {"reference-data": 1}
    assert 2 + 1 + 1 + good().quarantined == PUBLISHED["directory.changes.v1"]


def test_provider_has_now_who_was_not_withdrawn() -> None:
    assert good().known("lecture") == 1
    assert good().holds["lecture"] == {PSEUDONYMS[0]: True, PSEUDONYMS[1]: False}


def test_all_is_settled_when_every_stage_has_accounted_for_what_it_was_given() -> None:
    assert good().settled(PUBLISHED)


@pytest.mark.parametrize(
    "missing",
    [
        "audit.filtering.v1",
        "provisioning.releases.v1",
        "provisioning.withdrawals.v1",
        "audit.pseudonymisation.v1",
        "provisioning.operations.lecture.v1",
        "audit.connectors.v1",
    ],
)
def test_nothing_is_settled_while_a_stage_owes_something(missing: str) -> None:
    late = topics()
    late[missing] = late[missing][1:]

    assert not tally_of(read(late)).settled(PUBLISHED)


def test_nothing_is_settled_before_the_last_input_is_decided() -> None:
    assert not good().settled({**PUBLISHED, "consents.decisions.v1": 1})


def test_unforeseen_failure_counts_as_accounted_for() -> None:
    tally = Tally(("lecture",))
    aside = {
        "topic": "directory.changes.v1", "partition": 0, "offset": 0, "timestamp_ms": 0, "stage": "filtering",
        "code": "unexpected", "detail": "KeyError", "size": 3, "at": "2026-09-05T06:00:01Z",
    }  # fmt: skip

    tally.take("directory.changes.v1.quarantine", None, orjson.dumps(aside))

    assert tally.settled({"directory.changes.v1": 1, "consents.decisions.v1": 0})
    assert tally.quarantined == 1


def test_codes_are_counted_without_their_rule_and_unchanged_apart() -> None:
    tally = Tally(("lecture",))
    ends = {"released": {"unchanged": [[0, 1]]}, "withheld": {"R10/holder-consent-missing": [[2, 4]]}}

    tally.take("audit.filtering.v1", None, told({CONTRACT: ends}))

    assert ends_of(tally, "lecture").unchanged == 2
    assert ends_of(tally, "lecture").withheld == {"holder-consent-missing": 3}
    assert ends_of(tally, "lecture").released == 0


def test_what_a_sweep_leaves_as_it_was_is_no_input() -> None:
    tally = Tally(("lecture",))
    ends = {"withheld": {"R17/nothing-left": [[0, 3]]}, "erased": {"R1/no-contract": [[4, 4]]}}

    tally.take("audit.filtering.v1", None, told({CONTRACT: ends}, topic="sweep"))

    assert ends_of(tally, "lecture").withheld == {}
    assert ends_of(tally, "lecture").erased == 1
    assert tally.accounted["audit.filtering.v1"] == 0


def test_links_are_no_input_but_are_waited_for() -> None:
    tally = good()
    published = {**PUBLISHED, "directory.links.v1": 3, "directory.unlinks.v1": 1}
    ends = {"withheld": {"R2/no-linked-pupil": [[0, 1]]}, "released": {"unchanged": [[2, 2]]}}
    before = tally.settled(published)
    tally.take(
        "audit.filtering.v1", None, orjson.dumps(account("directory.links.v1", 2, {CONTRACT: ends}, "filtering"))
    )
    between = tally.settled(published)
    tally.take("audit.filtering.v1", None, orjson.dumps(account("directory.unlinks.v1", 0, {}, "filtering")))

    assert (before, between, tally.settled(published)) == (False, False, True)
    assert ends_of(tally, "lecture") == ends_of(good(), "lecture")


def test_unreadable_account_is_left_to_the_verifier() -> None:
    tally = Tally(("lecture",))

    tally.take("audit.filtering.v1", None, b"{")

    assert tally.records["audit.filtering.v1"] == 1


def test_summary_has_what_it_promises() -> None:
    out = read(topics())

    told_of = summary(out, judge(out, lambda _released: frozenset({"999000001AB"})), 12.34)

    assert told_of == {
        "changes": 5,
        "consents": 0,
        "providers": {
            "lecture": {
                "released": 2, "unchanged": 0, "withheld": {"reference-data": 1}, "held": 0, "erased": 1,
                "refused": 0, "known": 1,
            }
        },
        "quarantined": 1,
        "reconciled": True,
        "canaries_found": 0,
        "canaries_inside": 1,
        "findings": [],
        "seconds": 12.3,
    }  # fmt: skip


def test_heartbeats_are_counted_as_nothing() -> None:
    with_heartbeats = topics()
    for topic in ("provisioning.withdrawals.v1", "provisioning.withdrawals.lecture.v1"):
        with_heartbeats[topic].append(row(7, {"partition": 0, "applied_until": AT}))

    assert tally_of(read(with_heartbeats)).records == good().records
    assert tally_of(read(with_heartbeats)).settled(PUBLISHED)


@pytest.mark.parametrize("ledger_first", [True, False])
def test_nothing_is_settled_while_an_operation_waits_for_its_window(ledger_first: bool) -> None:  # noqa: FBT001  # a row
    tally = good()
    tally.take("provisioning.operations.lecture.v1", PSEUDONYMS[0].encode(), orjson.dumps(upsert(0, 30)))
    held = account(
        "provisioning.operations.lecture.v1", 2, {CONTRACT: {"held": {"release-window": [[2, 2]]}}}, "connectors"
    )
    tally.take("audit.connectors.v1", None, orjson.dumps(held))
    before = tally.settled(PUBLISHED)
    tick = account("tick", 0, {CONTRACT: {"released": {"delivered": [[0, 0]]}}}, "connectors")
    written = [
        ("provisioning.ledger.v1", f"{CONTRACT}/{PSEUDONYMS[0]}".encode(), orjson.dumps(outcome(0, 30, "upsert"))),
        ("audit.connectors.v1", None, orjson.dumps(tick)),
    ]
    for record in written if ledger_first else reversed(written):
        tally.take(*record)

    assert not before
    assert tally.settled(PUBLISHED)

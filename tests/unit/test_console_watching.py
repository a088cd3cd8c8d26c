from services.console.accounts import Ended, Entry
from services.console.standing import Signs, Standing, stand
from services.console.watching import Behind, Watching, lanes, watched_topics
from services.console.withdrawals import Waiting
from services.contract.audit import Stage
from services.contract.topology import CHANGES, RELEASES, WITHDRAWALS

OPERATIONS = "provisioning.operations.gar.v1"
WELL = Behind("ok", 0, 0.0)
NONE = Waiting(0, None)


def heard(watching: Watching, topic: str, last: int, stage: Stage = "filtering") -> Watching:
    return watching.heard([Entry(stage, topic, 0, last, 1, 100.0, (Ended("gar/G", "held", "no-image", 1),))])


def looked(watching: Watching, topic: str, *ends: int, begin: int = 0) -> Watching:
    for number, end in enumerate(ends):
        watching = watching.looked({(topic, 0): (begin, end)}, 100.0 + number)
    return watching


def test_connector_that_stands_still_is_stalled_and_well_again_once_it_has_caught_up() -> None:
    watching = looked(heard(Watching(), OPERATIONS, 10), OPERATIONS, 20, 20, 24)
    assert watching.behind(frozenset({OPERATIONS}), 104.0) == Behind("stalled", 12, 4.0)

    watching = looked(heard(watching, OPERATIONS, 22), OPERATIONS, 24)
    assert watching.behind(frozenset({OPERATIONS}), 104.0) == WELL


def test_mark_of_a_transaction_is_not_waited_for() -> None:
    assert looked(heard(Watching(), RELEASES, 10), RELEASES, 12, 12, 12).by_topic(103.0)[RELEASES] == WELL


def test_platforms_write_no_marks_so_their_last_record_counts() -> None:
    assert looked(heard(Watching(), CHANGES, 10), CHANGES, 12, 12, 12).by_topic(103.0)[CHANGES].records == 1


def test_topic_that_nobody_ever_gave_account_of_is_never_read_but_an_empty_one_is_well() -> None:
    assert looked(Watching(), OPERATIONS, 5, 5, 5).by_topic(103.0)[OPERATIONS].verdict == "stopped"
    assert looked(Watching(), OPERATIONS, 0, 0, 0).by_topic(103.0)[OPERATIONS] == WELL
    assert looked(Watching(), OPERATIONS, 5, 5, 5, begin=5).by_topic(103.0)[OPERATIONS] == WELL


def test_what_retention_has_taken_is_not_waited_for() -> None:
    watching = looked(heard(Watching(), CHANGES, 10), CHANGES, 500, 500, 500, begin=500)

    assert watching.by_topic(103.0)[CHANGES] == WELL


def test_stage_that_stands_before_aborted_records_is_asked_about_and_well_once_there_is_nothing_to_read() -> None:
    watching = looked(heard(Watching(), OPERATIONS, 10), OPERATIONS, 20, 20, 20)
    assert watching.by_topic(103.0)[OPERATIONS].verdict == "stalled"
    assert watching.standing_still() == {(OPERATIONS, 0): 11}

    watching = looked(watching.passed((OPERATIONS, 0), 20, is_dry=True), OPERATIONS, 20)

    assert watching.by_topic(103.0)[OPERATIONS] == WELL
    assert watching.standing_still() == {}


def test_record_behind_aborted_ones_is_waited_for_from_where_it_lies() -> None:
    watching = looked(heard(Watching(), OPERATIONS, 10), OPERATIONS, 20, 20, 20)

    watching = looked(watching.passed((OPERATIONS, 0), 17, is_dry=False), OPERATIONS, 20, 20, 20)

    # 17 and 18 are records, 19 is the mark of their transaction.
    assert watching.by_topic(106.0)[OPERATIONS].records == 2
    assert watching.standing_still() == {(OPERATIONS, 0): 17}


def test_topic_that_holds_nothing_but_aborted_records_is_not_called_never_read() -> None:
    watching = looked(Watching(), OPERATIONS, 5, 5, 5)
    assert watching.standing_still() == {(OPERATIONS, 0): 0}

    found = looked(watching.passed((OPERATIONS, 0), 3, is_dry=False), OPERATIONS, 5)
    dry = looked(watching.passed((OPERATIONS, 0), 5, is_dry=True), OPERATIONS, 5)

    assert found.by_topic(104.0)[OPERATIONS].verdict == "stopped"
    assert dry.by_topic(104.0)[OPERATIONS] == WELL


def test_account_that_comes_late_does_not_take_back_what_was_passed() -> None:
    watching = heard(Watching(), OPERATIONS, 10).passed((OPERATIONS, 0), 20, is_dry=True)

    assert heard(watching, OPERATIONS, 15).positions == watching.positions
    assert heard(watching, OPERATIONS, 20).positions[OPERATIONS, 0].next == 21


def test_nobody_asks_where_a_stage_moves_or_platforms_write() -> None:
    moving = looked(heard(Watching(), OPERATIONS, 10), OPERATIONS, 20, 20)
    moving = looked(heard(moving, OPERATIONS, 12), OPERATIONS, 20)

    assert moving.standing_still() == {}
    assert looked(heard(Watching(), CHANGES, 10), CHANGES, 20, 20, 20).standing_still() == {}


def test_heartbeat_is_as_old_as_what_it_vouches_for_when_it_was_last_looked_at() -> None:
    lane = (WITHDRAWALS, 2)
    watching = Watching().beaten({lane: {2: 98.0}, (WITHDRAWALS, 3): {}}, 100.0)
    assert watching.beat_seconds() == {WITHDRAWALS: {2: 2.0}}

    # The lane was looked into again, and nothing had come: whatever else did, the heartbeat is older.
    assert watching.beaten({lane: {}}, 140.0).beat_seconds() == {WITHDRAWALS: {2: 42.0}}
    assert watching.beaten({lane: {2: 139.5}}, 140.0).beat_seconds() == {WITHDRAWALS: {2: 0.5}}
    assert watching.beaten({lane: {2: 97.0}}, 101.0).beat_seconds() == {WITHDRAWALS: {2: 3.0}}


def test_lane_of_a_provider_is_as_fresh_as_the_stalest_of_the_filter_s_partitions() -> None:
    lane = ("provisioning.withdrawals.gar.v1", 0)
    watching = Watching().beaten({lane: {0: 99.0, 1: 60.0}}, 100.0).beaten({lane: {0: 101.0}}, 102.0)

    assert watching.beat_seconds() == {lane[0]: {0: 42.0}}


def test_only_ends_of_what_stages_read_are_looked_at_and_of_lanes_only_heartbeats() -> None:
    assert watched_topics(["lecture", "gar"]) == (
        "directory.changes.v1", "consents.decisions.v1", "directory.unlinks.v1", "directory.moves.v1",
        "directory.links.v1", "provisioning.releases.v1",
        "provisioning.operations.gar.v1", "provisioning.operations.lecture.v1",
    )  # fmt: skip
    assert lanes(["lecture", "gar"]) == (
        "provisioning.withdrawals.v1", "provisioning.withdrawals.gar.v1", "provisioning.withdrawals.lecture.v1",
    )  # fmt: skip


def test_verdict_names_each_cause_and_the_worst_comes_first() -> None:
    assert stand(Signs(WELL, NONE, None, 0), 1000.0) == Standing("ok", ())
    assert stand(Signs(Behind("warning", 9, 3.0), NONE, 1.0, 0), 1000.0) == Standing("warning", ("lag-growing",))
    assert stand(Signs(Behind("stalled", 9, 3.0), NONE, 1.0, 2), 1000.0) == Standing(
        "stalled", ("lag-stalled", "quarantine")
    )
    assert stand(Signs(WELL, Waiting(1, 939.0), 31.0, 0), 1000.0) == Standing(
        "stalled", ("withdrawal-late", "heartbeat-stale")
    )
    assert stand(Signs(WELL, Waiting(1, 941.0), 30.0, 0), 1000.0) == Standing("ok", ())

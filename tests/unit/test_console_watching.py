from collections.abc import Mapping

import pytest

from services.console.accounts import Ended, Entry
from services.console.model import Model
from services.console.overview import Hourly, look_over
from services.console.standing import Signs, Standing, stand
from services.console.watching import WINDOW, Behind, Watching, watched_topics
from services.console.withdrawals import Waiting
from services.contract.audit import Stage
from services.contract.topology import CHANGES, CONSENTS, RELEASES, WITHDRAWALS

OPERATIONS = "provisioning.operations.gar.v1"
EXPRESS = "provisioning.withdrawals.gar.v1"
WELL = Behind("ok", 0, 0.0)
NONE = Waiting(0, None)


def heard(watching: Watching, topic: str, last: int, stage: Stage = "filtering") -> Watching:
    return watching.heard([Entry(stage, topic, 0, last, 1, 100.0, (Ended("gar/G", "held", "no-image", 1),))])


def beat(
    stage: Stage, topic: str, until: float, caught_up: Mapping[str, int] | None = None, partition: int = 0
) -> Entry:
    """The account of a batch of heartbeats alone."""
    return Entry(stage, topic, partition, 0, 0, 100.0, (), applied_until=until, caught_up=caught_up or {})


def said(
    watching: Watching, topic: str, until: float = 100.0, caught_up: Mapping[str, int] | None = None
) -> Watching:  # fmt: skip
    return watching.heard([beat("connectors", topic, until, caught_up)])


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


def test_stage_that_says_it_has_read_to_the_end_waits_for_nothing_there_whatever_offsets_say() -> None:
    watching = looked(heard(Watching(), OPERATIONS, 10), OPERATIONS, 20, 20, 20)
    assert watching.by_topic(103.0)[OPERATIONS] == Behind("stalled", 8, 3.0)

    watching = looked(said(watching, EXPRESS, caught_up={OPERATIONS: 20}), OPERATIONS, 20)
    assert watching.by_topic(103.0)[OPERATIONS] == WELL

    # 20 is a record, 21 the mark of its transaction.
    watching = looked(watching, OPERATIONS, *[22] * WINDOW)
    assert watching.behind(frozenset({OPERATIONS}), 104.0)[:2] == ("stalled", 1)


def test_fresh_heartbeat_excuses_nobody_who_does_not_say_that_he_has_read_to_the_end() -> None:
    watching = looked(heard(Watching(), OPERATIONS, 10), OPERATIONS, 20)
    for second in range(3):
        watching = looked(said(watching, EXPRESS, 100.0 + second, {}), OPERATIONS, 20)

    assert watching.by_topic(103.0)[OPERATIONS].verdict == "stalled"


@pytest.mark.parametrize("topic", [CHANGES, CONSENTS])
def test_platform_that_writes_in_transactions_is_not_waited_for_beyond_its_last_record(topic: str) -> None:
    watching = looked(heard(Watching(), topic, 10), topic, 12, 12, 12)
    assert watching.by_topic(103.0)[topic].verdict == "stalled"

    assert looked(said(watching, "tick", caught_up={topic: 12}), topic, 12).by_topic(103.0)[topic] == WELL


def test_topic_that_holds_nothing_but_aborted_records_is_not_called_never_read() -> None:
    watching = looked(said(Watching(), EXPRESS, caught_up={OPERATIONS: 5}), OPERATIONS, 5, 5, 5)

    assert watching.by_topic(104.0)[OPERATIONS] == WELL


def test_account_that_comes_late_does_not_take_back_what_was_passed() -> None:
    watching = said(heard(Watching(), OPERATIONS, 10), EXPRESS, caught_up={OPERATIONS: 20})

    assert heard(watching, OPERATIONS, 15).positions == watching.positions
    assert heard(watching, OPERATIONS, 20).positions[OPERATIONS, 0].next == 21
    assert said(watching, EXPRESS, caught_up={OPERATIONS: 12}).positions[OPERATIONS, 0].next == 20


def test_heartbeat_is_as_old_as_what_it_vouches_for() -> None:
    watching = said(Watching(), WITHDRAWALS, 98.0)
    assert watching.beat_seconds(100.0) == {WITHDRAWALS: {0: 2.0}}

    # Withdrawals come on the same lane, and the stage accounts for them: the heartbeat is older.
    moved = heard(watching, WITHDRAWALS, 7)
    assert moved.beat_seconds(140.0) == {WITHDRAWALS: {0: 42.0}}
    assert said(moved, WITHDRAWALS, 139.5).beat_seconds(140.0) == {WITHDRAWALS: {0: 0.5}}
    assert said(moved, WITHDRAWALS, 141.0).beat_seconds(140.0) == {WITHDRAWALS: {0: 0.0}}


def test_each_stage_says_how_fresh_it_is_in_the_accounts_of_its_own_lane() -> None:
    model = Model()
    model.providers = {"gar": "GAR"}
    model.hear([beat("filtering", "tick", 99.0), beat("pseudonymisation", WITHDRAWALS, 60.0)], (), 100.0)
    model.hear([beat("connectors", EXPRESS, 91.0), beat("connectors", EXPRESS, 95.0, partition=1)], (), 100.0)

    over = look_over(model, Hourly(), 100.0)

    assert [(row.stage, row.beats, row.causes) for row in over.stages] == [
        ("filtering", ((0, 1),), ()), ("pseudonymisation", ((0, 40),), ("heartbeat-stale",)),
        ("connectors", ((0, 9), (1, 5)), ()),
    ]  # fmt: skip
    assert [row.causes for row in over.rows] == [()]


def test_only_ends_of_what_stages_read_are_looked_at() -> None:
    assert watched_topics(["lecture", "gar"]) == (
        "directory.changes.v1", "consents.decisions.v1", "directory.unlinks.v1", "directory.moves.v1",
        "directory.links.v1", "provisioning.releases.v1",
        "provisioning.operations.gar.v1", "provisioning.operations.lecture.v1",
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

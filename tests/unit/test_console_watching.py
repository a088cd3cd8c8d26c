from services.console.accounts import Ended, Entry
from services.console.standing import Signs, Standing, stand
from services.console.watching import Behind, Watching, watched_topics
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


def test_heartbeats_say_who_lives_and_nothing_of_lag() -> None:
    watching = looked(Watching(), WITHDRAWALS, 5, 6, 7, 7, 7)

    assert WITHDRAWALS not in watching.by_topic(104.0)
    assert watching.beat_seconds(112.0) == {WITHDRAWALS: 10.0}


def test_only_ends_of_what_stages_read_are_looked_at() -> None:
    assert watched_topics(["lecture", "gar"]) == (
        "directory.changes.v1", "consents.decisions.v1", "directory.unlinks.v1", "directory.moves.v1",
        "directory.links.v1",
        "provisioning.withdrawals.v1", "provisioning.releases.v1",
        "provisioning.withdrawals.gar.v1", "provisioning.withdrawals.lecture.v1",
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

import pytest

from services.runtime.records import Batch, FetchedRecord, UnreadableRecord
from services.runtime.schedule import EXPRESS, GATHER_MOST, ORDINARY, Duty, Lane, Worklist, choose

NOW = 100.0


def a_batch(topic: str) -> Batch:
    return Batch(topic, 0, 1, [FetchedRecord(topic, 0, 0, 0, None, None)])


def worklist(express: int = 0, ordinary: int = 0, *duties: str, **others: object) -> Worklist:
    made = Worklist.of(("express", "in"), express=1)
    made.lanes["express"].batches.extend(a_batch("express") for _ in range(express))
    made.lanes["in"].batches.extend(a_batch("in") for _ in range(ordinary))
    for duty in duties:
        made.add(duty)  # type: ignore[arg-type]  # rows below hold only the two
    for name, value in others.items():
        setattr(made, name, value)
    return made


def said(work: Worklist) -> tuple[int, str] | None:
    offered = work.next_job(NOW)
    return offered and (offered[0], offered[1].topic if isinstance(offered[1], Batch) else offered[1])


@pytest.mark.parametrize(
    ("of", "work", "offered"),
    [
        ("nothing to do", worklist(), None),
        ("news alone", worklist(0, 1), (ORDINARY, "in")),
        ("an erasure before news", worklist(1, 1), (EXPRESS, "express")),
        ("an erasure before what is due", worklist(1, 0, "tick"), (EXPRESS, "express")),
        ("what has been due for a second before an erasure", worklist(1, 0, "tick", "tick"), (EXPRESS, "tick")),
        ("an erasure after such a tick", worklist(1, 0, "tick", "tick", duty_last=True), (EXPRESS, "express")),
        ("such a tick after another", worklist(0, 0, "tick", "tick", duty_last=True), (EXPRESS, "tick")),
        ("what is due before news", worklist(0, 1, "tick"), (EXPRESS, "tick")),
        ("a sweep before news", worklist(0, 1, "sweep"), (ORDINARY, "sweep")),
        ("news after a chunk of a sweep", worklist(0, 1, "sweep", duty_last=True), (ORDINARY, "in")),
        ("a sweep goes on where there is no news", worklist(0, 0, "sweep", duty_last=True), (ORDINARY, "sweep")),
        ("news after a tick that has more to do", worklist(0, 1, "tick", duty_last=True), (ORDINARY, "in")),
        ("the next batch while one is committed", worklist(0, 1, committing=1), (ORDINARY, "in")),
        ("nothing while two are not durable", worklist(1, 1, committing=2), None),
        ("nothing while one is decided", worklist(1, 1, deciding=True), None),
        ("what is due while a transaction is committed", worklist(0, 1, "tick", committing=1), (EXPRESS, "tick")),
        ("a sweep while one is committed", worklist(0, 1, "sweep", committing=1), (ORDINARY, "sweep")),
        ("nothing that is due while two are not durable", worklist(0, 0, "tick", committing=2), None),
        (
            "what is gathered is committed where there is no news",
            worklist(0, 0, gathered=9, commit_by=NOW + 1),
            (EXPRESS, "commit"),
        ),
        ("news joins what was gathered just now", worklist(0, 1, gathered=9, commit_by=NOW + 1), (ORDINARY, "in")),
        ("what was gathered long ago is committed", worklist(0, 1, gathered=9, commit_by=NOW), (EXPRESS, "commit")),
        ("an erasure joins what is gathered", worklist(1, 1, gathered=9, commit_by=NOW), (EXPRESS, "express")),
        (
            "what is due joins what was gathered just now",
            worklist(0, 0, "tick", gathered=9, commit_by=NOW + 1),
            (EXPRESS, "tick"),
        ),
        (
            "what was gathered long ago is committed before what is due",
            worklist(0, 1, "tick", gathered=9, commit_by=NOW),
            (EXPRESS, "commit"),
        ),
        (
            "a chunk of a sweep joins the one before",
            worklist(0, 0, "sweep", gathered=9, commit_by=NOW + 1, duty_last=True),
            (ORDINARY, "sweep"),
        ),
        ("what is gathered waits while two are not durable", worklist(0, 0, gathered=9, committing=2), None),
        ("a sweep while a tick goes on", worklist(0, 0, "sweep", "tick", goes_on=True), (ORDINARY, "sweep")),
        ("a new second before a sweep", worklist(0, 0, "sweep", "tick"), (EXPRESS, "tick")),
        ("what a tick has left, like a sweep", worklist(0, 1, "tick", goes_on=True), (ORDINARY, "tick")),
        (
            "what is much is committed before an erasure",
            worklist(1, 1, gathered=GATHER_MOST, commit_by=NOW),
            (EXPRESS, "commit"),
        ),
        (
            "what has waited too long is committed before an erasure",
            worklist(1, 1, gathered=9, commit_by=NOW - 0.25),
            (EXPRESS, "commit"),
        ),
        ("an erasure all the same", worklist(1, 1, "tick", committing=1), (EXPRESS, "express")),
    ],
)
def test_a_partition_does_next(of: str, work: Worklist, offered: tuple[int, str] | None) -> None:
    assert said(work) == offered, of


@pytest.mark.parametrize(
    ("of", "entries", "express", "waits"),
    [
        ("news waits for more", 10, False, 0.25),
        ("an erasure does not", 10, True, 0.0),
        ("nor does what is much", 10_000, False, 0.0),
    ],
)
def test_what_is_gathered_waits(of: str, entries: int, express: bool, waits: float) -> None:  # noqa: FBT001  # a row
    work = worklist()
    work.gather(entries, NOW, express=express)

    assert work.commit_by - NOW == waits, of
    assert not work.at_rest


def test_what_joins_is_committed_no_later() -> None:
    work = worklist()
    work.gather(10, NOW, express=False)
    work.gather(20, NOW + 0.2, express=False)

    assert (work.gathered, work.commit_by) == (20, NOW + 0.25)


def test_one_erasure_after_another_puts_no_commit_off() -> None:
    work = worklist()
    for after in (0.0, 0.1, 0.2):
        work.gather(10, NOW + after, express=True)

    assert work.commit_by == NOW


@pytest.mark.parametrize(
    ("ticks", "goes_on"),
    [([False], False), ([True], True), ([True, False], False), ([False, True], False), ([True, True], True)],
)
def test_tick_goes_on_until_a_new_second_is_due(ticks: list[bool], goes_on: bool) -> None:  # noqa: FBT001  # a row
    work = worklist()
    for each in ticks:
        work.add("tick", goes_on=each)

    assert (list(work.due), work.goes_on) == (["tick"], goes_on)


@pytest.mark.parametrize(
    ("ticks", "first"),
    [([False], "express"), ([False, False], "tick"), ([True, False], "express"), ([True, False, False], "tick"),
     ([False, True], "express"), ([False, False, True], "tick")],
)  # fmt: skip
def test_tick_that_waits_into_the_next_second_goes_before_an_erasure(ticks: list[bool], first: str) -> None:
    work = worklist(express=1)
    for goes_on in ticks:
        work.add("tick", goes_on=goes_on)

    assert said(work) == (EXPRESS, first)


@pytest.mark.parametrize(
    ("waiting", "duties", "offered"),
    [
        (["first", "second", "links", "in"], ["tick"], (EXPRESS, "first")),
        (["second", "links", "in"], ["tick"], (EXPRESS, "second")),
        (["links", "in"], ["tick"], (EXPRESS, "tick")),
        (["in", "links"], [], (ORDINARY, "links")),
        (["in"], [], (ORDINARY, "in")),
    ],
)
def test_lanes_have_their_order_and_only_the_first_of_them_go_before_what_is_due(
    waiting: list[str], duties: list[Duty], offered: tuple[int, str]
) -> None:
    work = Worklist.of(("first", "second", "links", "in"), express=2)
    for topic in waiting:
        work.lanes[topic].batches.append(a_batch(topic))
    for duty in duties:
        work.add(duty)

    assert said(work) == offered


@pytest.mark.parametrize(
    ("sizes", "together"),
    [([2000, 2000, 2000], 2), ([5000, 1], 1), ([9000], 1), ([1] * 7, 7)],
)
def test_batches_are_decided_together_up_to_a_size(sizes: list[int], together: int) -> None:
    lane = Lane()
    records = [FetchedRecord("in", 0, number, 0, None, None) for number in range(max(sizes))]
    lane.batches.extend(Batch("in", 0, 1, records[:size]) for size in sizes)

    assert len(lane.together()) == together


def test_what_stands_for_an_unreadable_record_stays_alone() -> None:
    lane, one = Lane(), Batch("in", 0, 1, [FetchedRecord("in", 0, 0, 0, None, None)])
    unreadable = Batch("in", 0, 1, [UnreadableRecord("in", 0, 1)])
    lane.batches.extend([one, unreadable, one])
    first = lane.together()
    lane.batches.popleft()

    assert (first, lane.together()) == ([one], [unreadable])


def test_a_lane_that_waits_is_passed_over_until_its_time() -> None:
    work = worklist(1, 1)
    work.lanes["express"].not_before = NOW + 1

    assert said(work) == (ORDINARY, "in")
    assert work.next_job(NOW + 1) == (EXPRESS, a_batch("express"))


def test_a_duty_waits_once_however_often_it_is_due() -> None:
    assert list(worklist(0, 0, "tick", "tick", "sweep", "tick").due) == ["tick", "sweep"]


def test_the_partition_with_an_erasure_goes_first_and_else_the_one_that_waited_longest() -> None:
    assert choose([(4, worklist(0, 1)), (2, worklist(1, 0)), (7, worklist(1, 0))], NOW) == (2, a_batch("express"))
    assert choose([(4, worklist(0, 1)), (2, worklist(0, 1))], NOW) == (4, a_batch("in"))
    assert choose([(4, worklist())], NOW) is None


def test_partition_whose_tick_goes_on_lets_others_have_their_turn() -> None:
    assert choose([(4, worklist(0, 1)), (2, worklist(0, 0, "tick", goes_on=True))], NOW) == (4, a_batch("in"))

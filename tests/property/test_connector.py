import asyncio

from hypothesis import given, settings

from services.connectors.waiting import WAITING
from tests.property.connector_histories import Course, Event, Said, events, lanes


def gone_through(said: tuple[list[Said], list[Said]], befallen: list[Event], *, to_the_end: bool) -> Course:
    async def going() -> Course:
        course = Course(*said)
        for event in befallen:
            await course.meet(event)
        if to_the_end:
            await course.end()
        return course

    return asyncio.run(going())


@settings(deadline=None, max_examples=100)
@given(lanes(), events)
def test_any_course_of_events_ends_in_the_last_word_of_every_pair(
    said: tuple[list[Said], list[Said]], befallen: list[Event]
) -> None:
    course = gone_through(said, befallen, to_the_end=True)

    assert course.connector.known() == course.due()
    assert list(course.connector.state.scan(WAITING, None)) == []


@settings(deadline=None, max_examples=100)
@given(lanes(), events)
def test_nothing_is_told_while_stale_nor_after_the_cut_off_nor_twice_in_a_round(
    said: tuple[list[Said], list[Said]], befallen: list[Event]
) -> None:
    assert gone_through(said, befallen, to_the_end=True).breaches == []


@settings(deadline=None, max_examples=100)
@given(lanes(), events)
def test_seq_of_what_is_told_of_a_pair_only_grows(said: tuple[list[Said], list[Said]], befallen: list[Event]) -> None:
    """Hence nothing after a delete but what the filter released after it."""
    told: dict[str, list[int]] = {}
    for pair, code, seq in gone_through(said, befallen, to_the_end=True).connector.entries():
        if code == "delivered":
            told.setdefault(pair, []).append(seq)

    assert [seqs for seqs in told.values() if seqs != sorted(set(seqs))] == []


@settings(deadline=None, max_examples=100)
@given(lanes(), events)
def test_every_word_that_was_read_has_one_end(said: tuple[list[Said], list[Said]], befallen: list[Event]) -> None:
    course = gone_through(said, befallen, to_the_end=True)
    ended = course.connector.ended()

    assert all(count == 1 for count in ended.values())
    assert len(ended) == len(course.normal) + len(course.express)

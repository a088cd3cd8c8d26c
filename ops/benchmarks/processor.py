"""What a step takes of the processor for each record; no broker and no store."""

import time
from collections.abc import Callable


def cost(step: Callable[[], object], records: int, rounds: int) -> float:
    """Microseconds of processor a record: the best of many short rounds, whoever else is at work on the machine."""
    best = float("inf")
    for _ in range(rounds):
        began = time.thread_time_ns()
        step()
        best = min(best, (time.thread_time_ns() - began) / records)
    return best / 1000


def each(count: int, step: Callable[[int], object], rounds: int) -> float:
    """Microseconds a record of a step that is given the record's number."""

    def all_of_them() -> None:
        for number in range(count):
            step(number)

    return cost(all_of_them, count, rounds)

import subprocess
import sys
from collections.abc import Callable

import orjson
import pytest

from services.runtime.watchdog import Pulse, Pulses, silence

NOW = 1000.0
LIMIT = 60.0
A, B = ("changes", 0), ("changes", 1)


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("pulses", "code"),
    [
        pytest.param(Pulses(NOW), None, id="the loop runs, nothing is assigned"),
        pytest.param(Pulses(NOW - 60), None, id="just at the limit"),
        pytest.param(Pulses(NOW - 60.1), "loop-stuck", id="the loop is stuck"),
        pytest.param(Pulses(NOW, {A: NOW - 20}), None, id="a broker frozen for 20 s"),
        pytest.param(Pulses(NOW, {A: NOW - 70}), "fetch-silent", id="a broker frozen for 70 s"),
        pytest.param(Pulses(NOW, {A: NOW, B: NOW - 70}), "fetch-silent", id="one partition that is never fetched"),
        pytest.param(Pulses(NOW, {B: NOW - 70}, {}, {A: NOW}), "fetch-silent", id="the same, while another is busy"),
        pytest.param(Pulses(NOW, {A: NOW}, {}, {A: NOW - 70}), "work-stuck", id="a batch that never commits"),
        pytest.param(Pulses(NOW, {A: NOW}, {}, {A: NOW - 1}), None, id="a batch that waits, and is tried again"),
        pytest.param(Pulses(NOW, {}, {A: NOW - 70}), "intake-stuck", id="records that nobody takes"),
        pytest.param(Pulses(NOW, {}, {A: NOW - 70}, {B: NOW - 1}), "intake-stuck", id="the same, while work goes on"),
        pytest.param(Pulses(NOW - 70, {A: NOW - 70}), "loop-stuck", id="the cause before what follows from it"),
    ],
)
def test_silence_is_judged_from_what_was_heard(pulses: Pulses, code: str | None) -> None:
    assert silence(pulses, NOW, LIMIT) == code


def test_frozen_process_is_not_blamed_for_what_it_did_not_hear_meanwhile() -> None:
    before = Pulses(NOW - 90, {A: NOW - 90}, {B: NOW - 90}, {A: NOW - 90})

    assert silence(before, NOW, LIMIT) == "loop-stuck"
    assert silence(before.not_before(NOW), NOW, LIMIT) is None
    assert silence(before.not_before(NOW), NOW + 61, LIMIT) == "loop-stuck"


def beats_and_hears(pulse: Pulse) -> None:
    pulse.beat()
    pulse.heard({A: 1}, {B: 1})


def begins(pulse: Pulse) -> None:
    pulse.progress(*A)


def works(pulse: Pulse) -> None:
    pulse.progress(*A)
    pulse.done(*A)


@pytest.mark.parametrize(
    ("first", "then", "pulses"),
    [
        pytest.param(beats_and_hears, beats_and_hears, Pulses(110, {A: 100}, {B: 100}), id="the same answer is no new"),
        pytest.param(beats_and_hears, lambda pulse: pulse.heard({A: 2}, {B: 1}), Pulses(100, {A: 110}, {B: 100}),
                     id="a new answer"),
        pytest.param(beats_and_hears, lambda pulse: pulse.heard({B: 1}, {A: 1}), Pulses(100, {B: 110}, {A: 110}),
                     id="from one side to the other"),
        pytest.param(beats_and_hears, lambda pulse: pulse.heard({}, {}), Pulses(100), id="revoked"),
        pytest.param(beats_and_hears, begins, Pulses(100, {A: 100}, {B: 100}, {A: 110}), id="work begins"),
        pytest.param(begins, begins, Pulses(100, {}, {}, {A: 110}), id="work goes on"),
        pytest.param(beats_and_hears, works, Pulses(100, {A: 100}, {B: 100}), id="work takes nothing of what lies"),
    ],
)  # fmt: skip
def test_pulse_takes_note_of_when(
    first: Callable[[Pulse], None], then: Callable[[Pulse], None], pulses: Pulses
) -> None:
    clock = SetClock(100.0)
    pulse = Pulse(clock)
    first(pulse)
    clock.now = 110.0
    then(pulse)

    assert pulse.pulses == pulses


STUCK = """
import threading, time
from services.runtime import journal, watchdog
journal.open_journal()
watchdog.LOOK_SECONDS = 0.02
watchdog.watch("filtering", watchdog.Pulse(), 0.2)
{hold}
while True:
    pass
"""


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        pytest.param("", [("failed", "silent", "loop-stuck")], id="a loop that never comes back"),
        pytest.param("import logging; [handler.acquire() for handler in logging.getLogger().handlers]", [],
                     id="and holds the journal"),
    ],
)  # fmt: skip
def test_process_whose_loop_is_stuck_is_ended(hold: str, said: list[tuple[str, str, str]]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", STUCK.format(hold=hold)], capture_output=True, timeout=30, check=False
    )
    lines = [orjson.loads(line) for line in ended.stderr.splitlines()]

    assert ended.returncode == 70
    assert [(line["event"], line["kind"], line["where"]) for line in lines] == said


FROZEN = """
import itertools
from services.runtime import watchdog
watchdog.LOOK_SECONDS = 0.02
looks = itertools.count()
seen = 0
def clock():
    global seen
    seen = next(looks)
    return 1000.0 if seen < 5 else 1100.0
pulse = watchdog.Pulse(clock)
watchdog.watch("filtering", pulse, 60.0, clock)
while seen < 20:
    pass
"""


def test_process_that_was_frozen_as_a_whole_is_given_its_time_again() -> None:
    ended = subprocess.run([sys.executable, "-c", FROZEN], capture_output=True, timeout=30, check=False)

    assert (ended.returncode, ended.stderr) == (0, b"")

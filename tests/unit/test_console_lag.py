import pytest

from services.console.lag import Line, Sample, Verdict, judge, worst


def looks(*seen: tuple[int | None, int]) -> list[Sample]:
    """Position and end, one look every 10 s."""
    return [Sample(10.0 * number, position, end) for number, (position, end) in enumerate(seen)]


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        pytest.param([], "ok", id="never looked"),
        pytest.param([(0, 9), (0, 9)], "ok", id="too few looks to judge"),
        pytest.param([(5, 5), (5, 5), (5, 5)], "ok", id="nothing waits"),
        pytest.param([(0, 9), (9, 9), (9, 50), (9, 90)], "ok", id="nothing waited at one look"),
        pytest.param([(10, 20), (15, 24), (22, 30)], "ok", id="it moves and catches up"),
        pytest.param([(10, 20), (15, 25), (20, 30)], "ok", id="it moves and keeps its distance"),
        pytest.param([(10, 20), (10, 30), (15, 32)], "ok", id="it stood still and catches up"),
        pytest.param([(10, 20), (12, 25), (14, 30)], "warning", id="it moves while the lag grows"),
        pytest.param([(10, 20), (10, 20), (12, 23)], "warning", id="it moves a little while the lag grows"),
        pytest.param([(10, 20), (10, 20), (10, 20)], "stalled", id="it stands still while the lag stays"),
        pytest.param([(10, 20), (10, 21), (10, 40)], "stalled", id="it stands still while the lag grows"),
        pytest.param([(None, 3), (None, 4), (None, 4)], "stopped", id="no account was ever given"),
        pytest.param([(None, 3), (None, 4), (1, 4)], "ok", id="its first account has come, and the lag fell"),
    ],
)
def test_burrow_s_rules_judge_how_offsets_move(seen: list[tuple[int | None, int]], verdict: Verdict) -> None:
    assert judge(looks(*seen)) == verdict


def test_worst_partition_speaks_for_all() -> None:
    assert worst(["ok", "stalled", "warning"]) == "stalled"
    assert worst([]) == "ok"


def test_lag_in_seconds_counts_from_when_the_oldest_waiting_input_was_first_seen() -> None:
    line = Line()
    for sample in looks((10, 10), (10, 12), (10, 15), (12, 20)):
        line = line.observe(sample, 15)

    # At second 10 the end was 12, which is accounted for; at second 20 it was 15, which is not.
    assert line.lag == 8
    assert line.seconds(50.0) == 30.0


def test_whoever_has_caught_up_is_not_behind_however_old_the_last_input() -> None:
    line = Line()
    for sample in looks((10, 10), (10, 12), (12, 12)):
        line = line.observe(sample, 15)

    assert (line.lag, line.seconds(9_999.0)) == (0, 0.0)


def test_what_is_remembered_of_a_partition_that_never_catches_up_is_bounded() -> None:
    line = Line()
    for number in range(10_000):
        line = line.observe(Sample(float(number), 0, number + 1), 15)

    assert len(line.window) == 15
    assert len(line.marks) <= 33
    assert line.seconds(10_000.0) == 10_000.0

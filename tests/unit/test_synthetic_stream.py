from collections import Counter
from datetime import UTC, datetime, timedelta

from ops.demo.scenario import SOURCE, Asked, stage
from ops.synthetic_stream import ROUND, SEED, Invented, happening, version_of
from services.contract.changes import Change
from services.contract.consents import ConsentDecision
from tests.replay.invented import joins

AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def invented() -> Invented:
    scenario = stage(1, 30, SEED, (Asked("lecture", "reading-practice", "n1"),), None)
    pupils = scenario.schools[0].pupils
    return Invented(scenario, {pupil.id: joins(source=SOURCE, id=pupil.id) for pupil in pupils})


def test_whoever_withdraws_gives_again_and_whoever_leaves_returns() -> None:
    told = [happening(invented(), number, AT) for number in range(ROUND)]

    consents = [one for one in told if isinstance(one, ConsentDecision)]
    changes = [one for one in told if isinstance(one, Change)]
    assert [one.status for one in consents] == ["withdrawn", "given"]
    assert consents[0].subject == consents[1].subject
    assert Counter(one.kind for one in changes) == {"patch": 8, "delete": 1, "upsert": 1}
    assert len({one.id for one in changes if one.kind != "patch"}) == 1


def test_later_version_is_greater_within_a_day_and_over_midnight() -> None:
    instants = [AT + timedelta(seconds=step) for step in (0, 0.001, 1, 3600, 15 * 3600, 24 * 3600)]

    versions = [version_of(at) for at in instants]

    assert versions == sorted(set(versions))
    assert versions[0] == "20261126.1.324000000"


def test_same_number_tells_the_same() -> None:
    assert happening(invented(), 17, AT) == happening(invented(), 17, AT)

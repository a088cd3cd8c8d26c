from pathlib import Path

import pytest

from tests.replay.journal import SCENARIOS, replay

INPUTS = sorted(SCENARIOS.glob("*.in.ndjson"))


@pytest.mark.parametrize("scenario", [pytest.param(path, id=path.name.partition(".")[0]) for path in INPUTS])
async def test_scenario_leads_to_its_golden_journal(scenario: Path) -> None:
    golden = scenario.with_name(scenario.name.replace(".in.", ".out."))

    assert await replay(scenario) == golden.read_text("utf-8").splitlines()


async def test_scenario_replayed_twice_gives_the_same_bytes() -> None:
    joiner = SCENARIOS / "joiner.in.ndjson"

    assert await replay(joiner) == await replay(joiner)

"""Says by which chance the faults come, so that they can come again."""

from tests.faults.chance import SEED, TIMES


def pytest_report_header() -> str:
    return f"faults: SANCTUAIRE_FAULTS_SEED={SEED} SANCTUAIRE_FAULTS_TIMES={TIMES}"

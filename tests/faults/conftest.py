"""Says by which chance the faults come, so that they can come again, and what was found where a guarantee is broken."""

import pytest

from tests.faults.chance import SEED, TIMES

pytest.register_assert_rewrite("tests.faults.guarantees")


def pytest_report_header() -> str:
    return f"faults: SANCTUAIRE_FAULTS_SEED={SEED} SANCTUAIRE_FAULTS_TIMES={TIMES}"

"""The project's policies, and an app of the smallest stage, built and never connected."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import faust
import pytest

from ops.policy_files import POLICIES_FOLDER
from services.runtime.health import Health
from services.runtime.policies import PolicyBook, PolicyReader
from services.runtime.settings import Settings
from services.runtime.stream import build_app
from services.runtime.watchdog import Pulse
from tests.unit.stand_in_agent import StandIn


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The project's own policies, copied to be altered."""
    return Path(shutil.copytree(POLICIES_FOLDER, tmp_path / "policies"))


@pytest.fixture
def app(tmp_path: Path) -> faust.App:
    settings = Settings(KAFKA_BOOTSTRAP="localhost:9", work_folder=tmp_path, group_instance_id="w-1")
    policies = PolicyReader(PolicyBook("filtering"), settings)
    return build_app(StandIn(), settings, policies, Health(Pulse(), 60.0))


@pytest.fixture
async def consumer(app: faust.App) -> AsyncIterator[Any]:
    """The app's, with a thread that is never started."""

    async def take_nothing(*_: object) -> None: ...

    made: Any = app.transport.create_consumer(
        callback=take_nothing, on_partitions_revoked=take_nothing, on_partitions_assigned=take_nothing
    )
    loop = made._thread.thread_loop
    yield made
    loop.close()

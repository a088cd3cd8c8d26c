"""Brokers for the tests that need one; nothing is started, or even imported, for the others."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

    from ops.broker.embedded import EmbeddedBroker

IMAGE = "apache/kafka:4.3.1"
CI = bool(os.environ.get("CI"))

# A desk draws new examples at every run; CI the same ones, so that what lands does not hang on chance. How fast they
# are drawn says how busy the machine is: brokers run beside them.
settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("desk"), derandomize=True)
settings.load_profile("ci" if CI else "desk")


IN_TURN = ("tests/browser/", "tests/integration/", "tests/faults/")
"""Tests that never run beside each other: `make test` has them in one of its two processes."""
ALONE = ("tests/integration/test_bench.py", "tests/integration/test_broker_embedded.py", "tests/faults/")
"""What measures and what kills comes last in its process, when the other is done."""
RAN_IN = set[str]()
"""Which processes had tests of those that take turns."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.nodeid.startswith(ALONE))


def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "Scheduling":
    """In place of `--dist loadgroup`, which groups nothing on pytest 9.2 and does not say so (pytest-xdist #1386)."""
    scheduler: Scheduling = import_module("tests.taking_turns").TakingTurns(IN_TURN, config, log)
    return scheduler


def pytest_runtest_setup(item: pytest.Item) -> None:
    if hasattr(item.config, "workerinput") and not item.nodeid.startswith(IN_TURN):
        _stand_back()


@cache
def _stand_back() -> None:
    """Brokers and services of the other process come first: they are what the run waits for in the end."""
    os.nice(5)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.nodeid.startswith(IN_TURN):
        RAN_IN.add(getattr(report, "worker_id", ""))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was skipped in CI, where nothing may be, and whether turns were not taken."""
    if CI and (skipped := terminalreporter.stats.get("skipped")):
        terminalreporter.write_line(f"in CI nothing may be skipped, {len(skipped)} were", red=True)
    if len(RAN_IN) > 1:
        terminalreporter.write_line("tests that take turns ran beside each other", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a CI run that skipped: a silent skip is a green lie. So would be a result got beside another test."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if (CI and reporter is not None and reporter.stats.get("skipped")) or len(RAN_IN) > 1:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def bootstrap() -> Iterator[str]:
    """`host:port` of a cluster that all tests share: use topics and groups of your own.

    KAFKA_BOOTSTRAP's if it is set, else a container where Docker has the image already, else an embedded broker.
    """
    existing = import_module("ops.broker.existing")
    with _container() if _may_contain() else existing.bootstrap_or_embedded() as addresses:
        yield addresses


@pytest.fixture(scope="module")
def own_broker() -> Iterator["EmbeddedBroker"]:
    """A broker without any topic, for one module alone: for tests that need the product's own topic names."""
    with import_module("ops.broker.embedded").EmbeddedBroker(heap_mb=256) as broker:
        yield broker
        broker.stop(grace_seconds=0.0)  # nobody reads what it would write yet


def _may_contain() -> bool:
    """Whether a container can start at once; a test never pulls an image."""
    docker = shutil.which("docker")
    if docker is None or os.environ.get("KAFKA_BOOTSTRAP", "").strip():
        return False
    return subprocess.run([docker, "image", "inspect", IMAGE], capture_output=True, check=False).returncode == 0


@contextmanager
def _container() -> Iterator[str]:
    (port,) = import_module("ops.broker.ports").free_ports(1)
    container = import_module("testcontainers.core.container").DockerContainer(IMAGE).with_bind_ports(port, port)
    for name, value in _container_settings(port).items():
        container.with_env(name, value)
    with container:
        address = f"localhost:{port}"
        import_module("ops.broker.readiness").await_cluster([address], 60.0, {})
        yield address


def _container_settings(port: int) -> dict[str, str]:
    """One node that is reached from outside under the port it listens on."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://localhost:29093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://localhost:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:29093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }

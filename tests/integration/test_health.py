"""Health pages and watchdog of real services on a real broker."""

import re
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import orjson
import pytest

from ops.broker.embedded import EmbeddedBroker
from ops.supervisor import Service, Supervisor
from services.contract.topology import CHANGES
from tests.integration.pipeline_people import ine, joins, policies
from tests.integration.pipeline_stages import Stages, installation, wait_for

pytestmark = pytest.mark.broker

CANARY = "ZORVELQUIMUR"
PEOPLE = 40
SILENT_SECONDS = 6


@pytest.fixture(scope="module")
def stages(own_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with installation(own_broker.bootstrap, tmp_path_factory.mktemp("health"), ("gar",)) as made:
        made.publish(message for message in policies() if message[1] == b"gar")
        yield made


def word(folder: Path) -> dict[str, Any]:
    file = folder / "health.json"
    return dict(orjson.loads(file.read_bytes())) if file.exists() else {"port": 0, "ready": False}


def ask(port: int, path: str) -> tuple[int, str]:
    if not port:
        return 0, ""
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (ConnectionError, HTTPException):  # it ended, perhaps in the middle of an answer
            return 0, ""


def values(page: str, name: str) -> list[float]:
    return [float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", page, re.MULTILINE)]


def test_services_become_ready_and_their_metrics_follow_a_change_and_name_nobody(stages: Stages) -> None:
    for name in stages.names:
        stages.start(name)

    def pages(path: str) -> list[tuple[int, str]]:
        return [ask(word(stages.folder / name)["port"], path) for name in stages.names]

    assert wait_for(lambda: pages("/readyz") == [(200, "ok\n")] * 3)
    assert pages("/livez") == [(200, "ok\n")] * 3
    stages.publish([joins(n, given_name=CANARY) for n in range(PEOPLE)])
    stages.publish([(CHANGES, CANARY.encode(), b"{" + CANARY.encode())])
    assert wait_for(lambda: stages.is_done() and sum(values(pages("/metrics")[0][1], "sanctuaire_lag_records")) == 0)

    shown = [page for _, page in pages("/metrics")]
    known = list(stages.directory("gar"))
    assert len(known) == PEOPLE
    assert [values(page, "sanctuaire_partitions") for page in shown] == [[2.0, 2.0]] * 3
    assert [values(page, "sanctuaire_ready") for page in shown] == [[1.0]] * 3
    assert [len(values(page, "sanctuaire_lag_records")) for page in shown] == [10, 4, 4]
    assert [one for one in (CANARY, ine(0), "Maïa", *known) if one in "".join(shown)] == []
    for name in stages.names:
        assert stages.stop(name) == 0


def supervised(stages: Stages) -> Supervisor:
    """A filter that can be made to stick, and a connector, which has more patience."""
    filtering = {**stages.environment, "SANCTUAIRE_SILENT_SECONDS": str(SILENT_SECONDS)}
    connector = {**stages.environment, "SANCTUAIRE_PROVIDER": "gar"}
    return Supervisor(
        services=[
            Service("filtering", "tests.integration.stuck_filter", filtering, "filtering"),
            Service("connector-gar", "services.connectors", connector, "connector-gar"),
        ],
        folder=stages.folder / "supervised",
    )


@pytest.fixture(scope="module")
def supervisor(stages: Stages) -> Iterator[Supervisor]:
    with supervised(stages) as running:
        running.wait_ready(60, stages.partitions)
        yield running


def revived(supervisor: Supervisor) -> list[tuple[str, str]]:
    """Who was found dead, and of what."""
    return [(death.name, death.failure) for death in supervisor.revive()]


def test_service_whose_loop_is_stuck_is_ended_and_its_batch_is_decided_by_the_next(
    stages: Stages, supervisor: Supervisor
) -> None:
    (supervisor.folder / "filtering/stick").touch()
    live: list[tuple[int, str]] = []
    deaths: list[tuple[str, str]] = []

    def is_ended() -> bool:
        live.append(ask(word(supervisor.folder / "filtering")["port"], "/livez"))
        deaths.extend(revived(supervisor))
        return bool(deaths)

    before = len(stages.rows("audit.filtering.v1"))
    stages.publish([joins(500)])
    assert wait_for(is_ended, 30)
    assert wait_for(lambda: not revived(supervisor) and len(supervisor.ready(stages.partitions)) == 2, 60)

    assert deaths == [("filtering", "failed silent loop-stuck")]
    assert (200, "ok\n") in live
    assert {status for status, _ in live} <= {0, 200, 503}
    assert wait_for(lambda: len(stages.rows("audit.filtering.v1")) > before)
    supervisor.follow()
    assert "failed stage=filtering kind=silent where=loop-stuck" in supervisor.log.read_text("utf-8")


def test_broker_that_is_frozen_ends_who_has_no_patience_left_and_nobody_else(
    own_broker: EmbeddedBroker, stages: Stages, supervisor: Supervisor
) -> None:
    deaths: list[tuple[str, str]] = []

    def is_ended() -> bool:
        deaths.extend(revived(supervisor))
        return bool(deaths)

    own_broker.pause()
    try:
        assert wait_for(is_ended, 30)
        connector = ask(word(supervisor.folder / "connector-gar")["port"], "/livez")
    finally:
        own_broker.resume()

    # Whoever has a heartbeat to write when the broker freezes waits for its transaction, and not for records.
    assert [name for name, _ in deaths] == ["filtering"]
    assert deaths[0][1] in {"failed silent fetch-silent", "failed silent work-stuck"}
    assert connector == (200, "ok\n")
    assert wait_for(lambda: not revived(supervisor) and len(supervisor.ready(stages.partitions)) == 2, 60)

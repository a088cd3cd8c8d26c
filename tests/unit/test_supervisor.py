import time
from pathlib import Path

import orjson
import pytest

from ops.installation import stages
from ops.last_words import failure_in
from ops.supervisor import Service, Supervisor, is_ready, pause_seconds
from services.contract.errors import Unreachable

READY = """
import json, os, sys, time
from pathlib import Path
folder = Path(os.environ["SANCTUAIRE_WORK_FOLDER"])
if (folder / "die").exists():
    (folder / "die").unlink()
    raise KeyError("a value that nobody may see")
(folder / "health.json").write_text(json.dumps({"at": time.time(), "ready": True, "partitions": 4}))
time.sleep(600)
"""
NOW = 1_000_000.0


def fake(tmp_path: Path, name: str = "fake", source: str = READY) -> Service:
    (tmp_path / f"{name}_service.py").write_text(source, "utf-8")
    return Service(name, f"{name}_service", {"PYTHONPATH": str(tmp_path)})


def wait_for_death(supervisor: Supervisor) -> str:
    deadline = time.monotonic() + 20
    while not supervisor.dead() and time.monotonic() < deadline:
        time.sleep(0.02)
    return "; ".join(map(str, supervisor.dead()))


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_services_are_ready_by_their_own_word_and_gone_after_the_block(tmp_path: Path) -> None:
    services = [fake(tmp_path, "one"), fake(tmp_path, "two")]

    with Supervisor(services=services, folder=tmp_path / "run", grace_seconds=5) as supervisor:
        supervisor.wait_ready(20, partitions=4)
        ready, pids = supervisor.ready(4), dict(supervisor.pids)

    assert ready == {"one", "two"}
    assert not any(alive(pid) for pid in pids.values())


def test_word_of_an_earlier_run_is_not_taken_for_this_one(tmp_path: Path) -> None:
    (tmp_path / "run/fake").mkdir(parents=True)
    (tmp_path / "run/fake/health.json").write_bytes(
        orjson.dumps({"at": time.time() + 60, "ready": True, "partitions": 4})
    )

    with (
        Supervisor(
            services=[fake(tmp_path, source="import time\ntime.sleep(600)")], folder=tmp_path / "run", grace_seconds=5
        ) as supervisor,
        pytest.raises(Unreachable, match=r"not ready within 0 s: fake; see .*log\.jsonl"),
    ):
        supervisor.wait_ready(0, partitions=4)


def test_death_is_told_by_its_kind_and_never_by_a_value(tmp_path: Path) -> None:
    (tmp_path / "run/fake").mkdir(parents=True)
    (tmp_path / "run/fake/die").touch()

    with Supervisor(services=[fake(tmp_path)], folder=tmp_path / "run") as supervisor:
        told = wait_for_death(supervisor)
        with pytest.raises(Unreachable, match="fake ended: KeyError"):
            supervisor.wait_ready(20, partitions=4)

    assert told == f"fake ended: KeyError; see {tmp_path}/run/fake/log.jsonl"


def test_who_has_died_is_started_again_after_a_pause(tmp_path: Path) -> None:
    (tmp_path / "run/fake").mkdir(parents=True)
    (tmp_path / "run/fake/die").touch()

    with Supervisor(services=[fake(tmp_path)], folder=tmp_path / "run", grace_seconds=5) as supervisor:
        wait_for_death(supervisor)
        first, again = supervisor.revive(), supervisor.revive()
        deadline = time.monotonic() + 20
        while not supervisor.ready(4) and time.monotonic() < deadline:
            supervisor.revive()
            time.sleep(0.02)
        ready = supervisor.ready(4)

    assert [death.name for death in first] == ["fake"]
    assert again == ()
    assert ready == {"fake"}


@pytest.mark.parametrize(
    ("deaths", "seconds"), [(1, 1.0), (2, 2.0), (3, 4.0), (5, 16.0), (6, 30.0), (60, 30.0)], ids=str
)
def test_pauses_double_up_to_half_a_minute(deaths: int, seconds: float) -> None:
    assert pause_seconds(deaths) == seconds


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param({"at": NOW - 1, "ready": True, "partitions": 4}, True, id="ready"),
        pytest.param({"at": NOW - 1, "ready": False, "partitions": 4}, False, id="says it is not"),
        pytest.param({"at": NOW - 1, "ready": True, "partitions": 0}, False, id="before any partition is assigned"),
        pytest.param({"at": NOW - 16, "ready": True, "partitions": 4}, False, id="silent for more than 15 s"),
    ],
)
def test_readiness_is_a_recent_word_about_every_partition(
    tmp_path: Path, word: dict[str, object], *, expected: bool
) -> None:
    (tmp_path / "health.json").write_bytes(orjson.dumps(word))

    assert is_ready(tmp_path / "health.json", NOW, partitions=4) is expected


def test_silence_is_not_readiness(tmp_path: Path) -> None:
    assert not is_ready(tmp_path / "health.json", NOW, partitions=1)


@pytest.mark.parametrize(
    ("log", "told"),
    [
        pytest.param("", "it named no failure", id="silence"),
        pytest.param('{"event":"started"}\n', "it named no failure", id="no failure"),
        pytest.param(
            '{"event":"failed","kind":"KeyError","where":"a.b:3"}\n{"event":"stopped"}\n',
            "failed KeyError a.b:3",
            id="an event",
        ),
        pytest.param(
            'Traceback (most recent call last):\n  File "x"\nsome.package.OddError: secret\n',
            "some.package.OddError",
            id="an uncaught exception, without its text",
        ),
        pytest.param(
            "filtering: wrong-settings: set these variables of the environment right: KAFKA_BOOTSTRAP\n",
            "filtering: wrong-settings: set these variables of the environment right: KAFKA_BOOTSTRAP",
            id="a wrong setting, in our own words",
        ),
        pytest.param("python: No module named services.nobody\n", "No module named services.nobody", id="no module"),
    ],
)
def test_last_failure_is_read_from_the_log(log: str, told: str) -> None:
    assert failure_in(log) == told


def test_installation_has_a_filter_a_pseudonymiser_and_a_connector_a_provider() -> None:
    services = stages("127.0.0.1:9092", Path("/k/ring"), Path("/k/kek"), ("gar", "lecture"))

    assert [(service.name, service.module) for service in services] == [
        ("filtering", "services.filtering"),
        ("pseudonymisation", "services.pseudonymisation"),
        ("connector-gar", "services.connectors"),
        ("connector-lecture", "services.connectors"),
    ]
    assert services[2].environment == {
        "KAFKA_BOOTSTRAP": "127.0.0.1:9092",
        "SANCTUAIRE_PROVIDER": "gar",
        "SANCTUAIRE_GROUP_INSTANCE_ID": "connector-gar",
    }


def test_only_the_pseudonymiser_learns_where_the_keys_are() -> None:
    services = stages("127.0.0.1:9092", Path("/k/ring"), Path("/k/kek"), ("gar",))

    assert [s.name for s in services if "SANCTUAIRE_KEYRING_FILE" in s.environment] == ["pseudonymisation"]
    assert services[1].environment["SANCTUAIRE_KEY_ENCRYPTION_KEY_FILE"] == "/k/kek"

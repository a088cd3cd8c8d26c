"""`sanctuaire policy apply` on a real broker: all of a signed set or nothing of it, and who did it on record."""

import json
import shutil
from pathlib import Path

import pytest
from kafka import KafkaProducer

from ops.broker.embedded import EmbeddedBroker
from ops.cli import main
from ops.policy_files import POLICIES_FOLDER
from ops.policy_signatures import generate
from ops.publishing.standing import read_acts, read_standing
from services.contract.acts import broken_at
from tests.integration.policy_desk import Desk, states

pytestmark = pytest.mark.broker

PROVIDERS = ("gar", "lecture", "suite")


@pytest.fixture
def desk(
    own_broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", own_broker.bootstrap)
    folder = Path(shutil.copytree(POLICIES_FOLDER, tmp_path / "policies"))
    generate(tmp_path / "keys")
    return Desk(folder, tmp_path / "keys", capsys)


def test_a_set_whose_topics_are_missing_is_refused_and_says_what_to_run_first(
    desk: Desk, own_broker: EmbeddedBroker
) -> None:
    desk.sign()
    before, _, said_before = desk.apply()
    assert main(["topics", "apply", "--partitions", "1", "--provider", "gar", "--provider", "lecture"]) == 0
    without_suite, _, said = desk.apply()

    assert (before, without_suite) == (78, 78)
    assert "policies.v1" in said_before
    assert "provisioning.withdrawals.suite.v1" in said
    assert "provisioning.withdrawals.gar.v1" not in said
    assert said.endswith("; run `sanctuaire topics apply --provider gar --provider lecture --provider suite` first\n")
    assert read_standing([own_broker.bootstrap]).policies == {}
    assert read_acts([own_broker.bootstrap]) == []


def test_a_policy_gets_a_version_more_only_when_its_content_differs(desk: Desk, own_broker: EmbeddedBroker) -> None:
    assert main(["topics", "apply", "--partitions", "1"]) == 0
    first, second = states(desk.sign_and_apply()), states(desk.sign_and_apply())
    desk.edit("lecture.yaml", "notice: n1", "notice: n2")
    third = states(desk.sign_and_apply())
    desk.edit("gar.yaml", "provider: gar", "provider: CANARY")
    code, _, said = desk.apply()
    standing = read_standing([own_broker.bootstrap])

    assert first == {"gar": (1, "new"), "lecture": (1, "new"), "suite": (1, "new")}
    assert second == {"gar": (1, "unchanged"), "lecture": (1, "unchanged"), "suite": (1, "unchanged")}
    assert third == {"gar": (1, "unchanged"), "lecture": (2, "changed"), "suite": (1, "unchanged")}
    assert (code, said.count("\n")) == (65, 1)
    assert "CANARY" not in said
    assert {name: policy.version for name, policy in standing.policies.items()} == {"gar": 1, "lecture": 2, "suite": 1}


def test_what_was_put_in_force_is_on_record_in_a_chain(desk: Desk, own_broker: EmbeddedBroker) -> None:
    desk.edit("gar.yaml", "notice: n1", "notice: n3")
    desk.sign_and_apply()
    acts = read_acts([own_broker.bootstrap])
    records = [json.loads(act) for act in acts]
    last = records[-1]

    assert [(record["act"], record["by"]) for record in records] == [("applied", "exploitation")] * len(records)
    assert records[0]["previous"] is None
    assert broken_at(acts) is None
    assert last["change_set"] == read_standing([own_broker.bootstrap]).change_set
    assert last["policies"]["gar"]["state"] == "changed"
    assert set(last["policies"]) == set(PROVIDERS)
    assert last["signed"]["at"] <= last["at"]


def test_an_unsigned_set_changes_nothing(desk: Desk, own_broker: EmbeddedBroker) -> None:
    before = read_standing([own_broker.bootstrap]).change_set
    desk.edit("gar.yaml", "notice: n1", "notice: n4")
    code, shown, said = desk.apply()

    assert (code, shown) == (65, "")
    assert said == "sanctuaire: policies.sig: the set is not signed; have it signed with `sanctuaire policy sign`\n"
    assert read_standing([own_broker.bootstrap]).change_set == before


def test_an_old_set_does_not_come_back_on_its_old_signature(desk: Desk, tmp_path: Path) -> None:
    desk.edit("gar.yaml", "notice: n1", "notice: n5")
    desk.sign()
    old = Path(shutil.copytree(desk.policies, tmp_path / "old"))
    assert desk.apply()[0] == 0
    desk.edit("gar.yaml", "notice: n5", "notice: n6")
    desk.sign_and_apply()
    shutil.rmtree(desk.policies)
    shutil.copytree(old, desk.policies)
    code, _, said = desk.apply()
    again = states(desk.sign_and_apply())

    assert code == 65
    assert "signed before a set that was put in force since" in said
    assert again["gar"][1] == "changed"


def test_the_log_names_who_signed_and_who_applied(desk: Desk) -> None:
    desk.edit("gar.yaml", "notice: n1", "notice: n7")
    desk.sign_and_apply()
    code, shown, _ = desk.run("log", "--json")
    as_table, table, _ = desk.run("log")

    assert (code, as_table, shown["broken_at"]) == (0, 0, None)
    assert "exploitation" in table
    assert shown["acts"][-1]["policies"]["gar"]["state"] == "changed"


def test_a_record_that_somebody_slipped_in_breaks_the_chain(desk: Desk, own_broker: EmbeddedBroker) -> None:
    """The last test: the log of this cluster is broken from here on."""
    with KafkaProducer(bootstrap_servers=own_broker.bootstrap) as producer:
        producer.send("audit.policies.v1", b'{"act":"applied","previous":null}').get(10)
    whole = len(read_acts([own_broker.bootstrap])) - 1
    code, shown, _ = desk.run("log", "--json")

    assert (code, shown["broken_at"], len(shown["acts"])) == (65, whole, whole)

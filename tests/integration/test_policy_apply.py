"""`sanctuaire policy apply` on a real broker: all of a signed set or nothing of it, and who did it on record."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops.broker.embedded import EmbeddedBroker
from ops.cli import main
from ops.policy_files import POLICIES_FOLDER
from ops.policy_signatures import generate
from ops.publishing.policies import read_acts, read_standing
from services.contract.acts import broken_at

pytestmark = pytest.mark.broker

PROVIDERS = ("gar", "lecture", "suite")


@dataclass(frozen=True, slots=True)
class Desk:
    """An operator's folder of policies, her key, and the cluster."""

    policies: Path
    keys: Path
    capsys: pytest.CaptureFixture[str]

    def edit(self, file: str, old: str, new: str) -> None:
        text = (self.policies / file).read_text("utf-8")
        assert old in text
        (self.policies / file).write_text(text.replace(old, new), "utf-8")

    def run(self, *arguments: str) -> tuple[int, dict[str, Any], str]:
        self.capsys.readouterr()
        code = main(["policy", *arguments])
        said = self.capsys.readouterr()
        return code, json.loads(said.out) if said.out else {}, said.err

    def sign(self) -> None:
        code, _, _ = self.run("sign", str(self.policies), "--key", str(self.keys / "policies.key"), "--json")
        assert code == 0

    def apply(self) -> tuple[int, dict[str, Any], str]:
        trusted = str(self.keys / "policies.pub")
        return self.run("apply", str(self.policies), "--trusted", trusted, "--by", "exploitation", "--json")

    def sign_and_apply(self) -> dict[str, tuple[int, str]]:
        self.sign()
        code, shown, _ = self.apply()
        assert code == 0
        return {row["provider"]: (row["version"], row["state"]) for row in shown["policies"]}


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
    first, second = desk.sign_and_apply(), desk.sign_and_apply()
    desk.edit("lecture.yaml", "notice: n1", "notice: n2")
    third = desk.sign_and_apply()
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

    assert (code, shown) == (65, {})
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
    again = desk.sign_and_apply()

    assert code == 65
    assert "signed before a set that was put in force since" in said
    assert again["gar"][1] == "changed"


def test_a_set_that_cuts_a_provider_off_says_so_and_names_what_to_approve(desk: Desk) -> None:
    desk.sign_and_apply()
    desk.edit("gar.yaml", "until: 2036-08-31", "until: 2026-01-31")
    desk.sign()
    code, shown, said = desk.apply()

    assert code == 0
    assert shown["cut_off"] == {"gar/gar-2026": "contract-not-in-force"}
    assert f"sanctuaire policy approve {shown['change_set']}" in said

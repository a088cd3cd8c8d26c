"""What a platform posts by HTTP, on a real broker, to a filter that runs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from ops import platforms
from ops.broker.embedded import EmbeddedBroker
from ops.broker.ports import free_ports
from ops.cli import main
from services.contract.topology import (
    CHANGES,
    CONSENTS,
    FILTERING_AUDIT,
    IDENTIFIERS,
    POLICIES,
    RELEASES,
    WITHDRAWALS,
)  # fmt: skip
from tests.integration.pipeline_people import ine, joins, moves, of
from tests.integration.pipeline_stages import ROOT, Stages, installation, wait_for
from tests.replay.invented import example

pytestmark = pytest.mark.broker

CANARY = "ZORVELQUIMUR"


@dataclass
class Ingress:
    """The process, and the one platform that may post."""

    stages: Stages
    port: int
    token: str

    def post(self, path: str, content: Any, token: str | None = None, seconds: float = 30.0) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return httpx.post(f"http://127.0.0.1:{self.port}{path}", json=content, headers=headers, timeout=seconds)

    def pages(self, path: str) -> httpx.Response:
        word = orjson.loads((self.stages.folder / "ingress/health.json").read_bytes())
        return httpx.get(f"http://127.0.0.1:{word['port']}{path}", timeout=10)

    def is_ready(self) -> bool:
        return (self.stages.folder / "ingress/health.json").exists() and self.pages("/readyz").status_code == 200

    def is_taken(self, content: Any) -> bool:
        try:
            return self.post("/v1/changes", content).status_code == 202
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def ingress(own_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingress]:
    folder = tmp_path_factory.mktemp("ingress")
    (port,) = free_ports(1)
    register = folder / "platforms.json"
    token = platforms.grant(register, "ac-99", ("aaf-d99",), ine=True, replace=False, random_bytes=os.urandom)
    environment = {
        "SANCTUAIRE_PLATFORMS_FILE": str(register),
        "SANCTUAIRE_INGRESS_ADDRESS": f"127.0.0.1:{port}",
    }
    with installation(own_broker.bootstrap, folder, ("lecture",), environment=environment) as stages:
        policy = example("provider-policy/1/consent-service", **of("consent-service", "lecture", 10))
        stages.publish([(POLICIES, b"lecture", orjson.dumps(policy))])
        made = Ingress(stages, port, token)
        stages.start("filtering")
        stages.start("ingress")
        assert wait_for(made.is_ready)
        yield made


def says(number: int, case: str, **differences: Any) -> dict[str, Any]:
    return example(f"consent-decision/1/{case}", subject=ine(number), **differences)


def about(stages: Stages, topic: str, number: int) -> list[dict[str, Any]]:
    return [orjson.loads(row.value) for row in stages.rows(topic) if row.key == ine(number).encode()]


def ends(stages: Stages, topic: str) -> list[str]:
    """How the inputs of a topic ended at the filter: `refused/duplicate`."""
    entries = [entry for entry in stages.values(FILTERING_AUDIT) if entry["topic"] == topic]
    return [f"{end}/{reason}" for entry in entries for told in entry["ends"].values()
            for end, reasons in told.items() for reason in reasons]  # fmt: skip


def test_family_s_yes_by_http_releases_and_its_no_takes_back(ingress: Ingress) -> None:
    stages = ingress.stages
    stages.publish([joins(1)])

    given = ingress.post("/v1/consents", [says(1, "child-gives"), says(1, "guardian-gives")])
    assert wait_for(lambda: len(about(stages, RELEASES, 1)) == 1)
    withdrawn = ingress.post("/v1/consents", says(1, "guardian-withdraws", at="2026-09-20T08:00:00+02:00"))
    assert wait_for(lambda: len(about(stages, WITHDRAWALS, 1)) == 1)

    assert (given.status_code, withdrawn.status_code) == (202, 202)
    assert len(given.json()["receipts"]) == 2
    assert about(stages, RELEASES, 1)[0]["provider"] == "lecture"
    assert about(stages, WITHDRAWALS, 1)[0]["reasons"] == ["R1/guardian-opposes"]
    headers = {name: value for row in stages.rows(CONSENTS) for name, value in row.headers}
    assert (headers["ce_source"], headers["ce_type"]) == (b"sanctuaire/ingress", b"sanctuaire.consent-decision.v1")


def test_receipt_is_the_id_of_the_event_and_what_is_posted_twice_ends_as_a_duplicate(ingress: Ingress) -> None:
    stages = ingress.stages
    stages.publish([joins(2)])
    before = ends(stages, CONSENTS).count("refused/duplicate")

    receipts = [ingress.post("/v1/consents", says(2, "child-gives")).json()["receipts"][0] for _ in range(2)]

    assert wait_for(lambda: ends(stages, CONSENTS).count("refused/duplicate") == before + 1)
    ids = [dict(row.headers)["ce_id"].decode() for row in stages.rows(CONSENTS) if row.key == ine(2).encode()]
    assert ids == [receipts[0]["receipt"], receipts[1]["receipt"]]
    assert ids[0] == ids[1]


def test_key_leads_to_the_partition_that_every_client_of_kafka_chooses(ingress: Ingress) -> None:
    stages = ingress.stages
    people = range(10, 22)
    stages.publish([joins(number) for number in people])

    ingress.post("/v1/consents", [says(number, "child-gives") for number in people])

    by_http = {row.key: row.partition for row in stages.rows(CONSENTS)}
    by_a_platform = {row.key: row.partition for row in stages.rows(CHANGES)}
    keys = [ine(number).encode() for number in people]
    assert [by_http[key] for key in keys] == [by_a_platform[key] for key in keys]
    assert {by_http[key] for key in keys} == {0, 1}


@pytest.mark.parametrize(
    ("path", "content", "token", "status"),
    [
        pytest.param("/v1/consents", {**says(3, "child-gives"), "subject": f"aaf-d98:{CANARY}"}, None, 403,
                     id="another's subject"),
        pytest.param("/v1/consents", says(3, "guardian-gives", party=f"guardian:aaf-d98:{CANARY}"), None, 403,
                     id="another's guardian"),
        pytest.param("/v1/changes", {**json.loads(joins(3)[2] or b""), "source": "aaf-d98"}, None, 403,
                     id="someone else's region"),
        pytest.param("/v1/consents", says(3, "child-gives"), f"sanctuaire_{CANARY}", 401, id="another's token"),
        pytest.param("/v1/consents", {**says(3, "child-gives"), CANARY: CANARY}, None, 422, id="an undeclared field"),
    ],
)  # fmt: skip
def test_what_is_not_the_platform_s_never_reaches_kafka(
    ingress: Ingress, path: str, content: dict[str, Any], token: str | None, status: int
) -> None:
    before = len(ingress.stages.rows(CONSENTS)), len(ingress.stages.rows(CHANGES))

    answer = ingress.post(path, content, token)

    assert answer.status_code == status
    assert CANARY not in answer.text
    assert (len(ingress.stages.rows(CONSENTS)), len(ingress.stages.rows(CHANGES))) == before


def test_change_goes_under_the_key_that_its_person_was_first_published_under(ingress: Ingress) -> None:
    """A delta names no INE, and a late INE moves nobody (decisions/0002)."""
    stages = ingress.stages
    whole = json.loads(joins(4)[2] or b"")
    nameless = {**whole, "id": "p-5", "attributes": {**whole["attributes"], "ine": None}}
    delta = json.loads(moves(4, "20260916.1.000000001", "5EME")[2] or b"")
    late = {**whole, "id": "p-5", "version": "20260917.0.000000001"}
    assert wait_for(lambda: ingress.is_taken(whole))

    answers = [ingress.post("/v1/changes", one) for one in (delta, [nameless, late])]

    assert [answer.status_code for answer in answers] == [202, 202]
    keys = [row.key.decode() for row in stages.rows(CHANGES) if orjson.loads(row.value)["id"] in {"p-4", "p-5"}]
    assert sorted(keys) == sorted([ine(4), ine(4), "aaf-d99:p-5", "aaf-d99:p-5"])
    pinned = {row.key.decode(): orjson.loads(row.value)["value"] for row in stages.rows(IDENTIFIERS)}
    assert (pinned["aaf-d99/person/p-4"], pinned["aaf-d99/person/p-5"]) == (ine(4), "aaf-d99:p-5")


def test_ingress_that_is_started_again_knows_the_keys_of_before(ingress: Ingress) -> None:
    stages = ingress.stages
    assert stages.stop("ingress") == 0
    stages.start("ingress")
    delta = json.loads(moves(4, "20260918.1.000000001", "4EME")[2] or b"")

    assert wait_for(lambda: ingress.is_taken(delta))
    (row,) = [row for row in stages.rows(CHANGES) if orjson.loads(row.value)["version"] == "20260918.1.000000001"]
    assert row.key.decode() == ine(4)


def test_token_that_is_revoked_opens_nothing_from_then_on(ingress: Ingress) -> None:
    register = Path(ingress.stages.environment["SANCTUAIRE_PLATFORMS_FILE"])
    other = platforms.grant(register, "ent-99", ("ent-99",), ine=False, replace=False, random_bytes=os.urandom)
    decision = {**says(6, "adult-gives"), "subject": "ent-99:1"}
    before = ingress.post("/v1/consents", decision, other)

    platforms.revoke(register, "ent-99")

    after = ingress.post("/v1/consents", decision, other)
    assert (before.status_code, after.status_code) == (202, 401)


def test_broker_that_is_frozen_is_told_and_what_is_posted_again_is_not_lost(
    ingress: Ingress, own_broker: EmbeddedBroker
) -> None:
    stages = ingress.stages
    stages.publish([joins(7)])
    both = [says(7, "child-gives"), says(7, "guardian-gives")]
    own_broker.pause()
    try:
        refused = ingress.post("/v1/consents", both)
        unready = wait_for(lambda: ingress.pages("/readyz").text == "kafka-silent\n", 40)
        lives = ingress.pages("/livez").text
        at_once = ingress.post("/v1/consents", both, seconds=5)
    finally:
        own_broker.resume()

    assert (refused.status_code, refused.headers["retry-after"], refused.json()["code"]) == (503, "5", "unreachable")
    assert (unready, lives, at_once.status_code) == (True, "ok\n", 503)
    assert wait_for(lambda: ingress.post("/v1/consents", both).status_code == 202, 60)
    ended: list[int] = []

    def is_released() -> bool:
        # A filter whose transaction the freeze broke off ends, and its supervisor starts it again.
        ended.extend(stages.revive("filtering"))
        return len(about(stages, RELEASES, 7)) == 1

    assert wait_for(is_released, 60), (ended, about(stages, RELEASES, 7), stages.log("filtering")[-20:])
    assert wait_for(ingress.is_ready)


def test_receipt_of_a_person_s_last_words_is_read_from_the_topic(
    ingress: Ingress, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "receipts").mkdir()
    policies = ROOT / "ops/policies"
    for name in ("perimeter.yaml", "register.yaml"):
        (tmp_path / name).write_text((policies / name).read_text())
    lecture = (policies / "lecture.yaml").read_text().replace("reading-practice", "reading-at-home")
    (tmp_path / "lecture.yaml").write_text(lecture)
    (tmp_path / "receipts/particulars.yaml").write_text((policies / "receipts/particulars.yaml").read_text())
    where = ["--policies", str(tmp_path), "--bootstrap", ingress.stages.bootstrap]

    code = main(["consent", "receipt", "--subject", ine(1), "--json", *where])
    receipts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    nobody = main(["consent", "receipt", "--subject", ine(999), *where])

    said = sorted(one["dpv:hasRecordOfActivity"]["dpv:hasConsentStatus"]["@type"][0] for one in receipts)
    assert (code, said) == (0, ["dpv:ConsentGiven", "dpv:ConsentWithdrawn"])
    assert nobody == 65


def test_nobody_is_named_in_journal_pages_or_what_the_process_shows(ingress: Ingress) -> None:
    shown = ingress.pages("/metrics").text + (ingress.stages.folder / "ingress/log.jsonl").read_text()

    assert 'sanctuaire_ingress_payloads_total{end="accepted",payload="consent-decision",platform="ac-99"}' in shown
    secrets = [CANARY, ingress.token, "999-2001", "aaf-d98", *(ine(number) for number in range(8))]
    assert [secret for secret in secrets if secret in shown] == []
    assert "Traceback" not in shown


def test_ingress_without_a_register_does_not_start(ingress: Ingress, tmp_path: Path) -> None:
    environment = {**os.environ, "KAFKA_BOOTSTRAP": ingress.stages.bootstrap, "SANCTUAIRE_WORK_FOLDER": str(tmp_path)}
    command = [sys.executable, "-m", "services.ingress"]

    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)

    assert ended.returncode == 78
    assert "sanctuaire ingress token NAME --source SOURCE" in ended.stderr


def test_ingress_that_starts_before_its_broker_says_so_and_takes_nothing(ingress: Ingress, tmp_path: Path) -> None:
    """Nobody listens at the address: the process stays, and answers."""
    (port,) = free_ports(1)
    environment = {
        **os.environ, **ingress.stages.environment, "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "SANCTUAIRE_WORK_FOLDER": str(tmp_path), "SANCTUAIRE_INGRESS_ADDRESS": f"127.0.0.1:{port}",
    }  # fmt: skip
    with (tmp_path / "log.jsonl").open("wb") as log:
        running = subprocess.Popen([sys.executable, "-m", "services.ingress"], cwd=ROOT, env=environment, stderr=log)
    alone = Ingress(ingress.stages, port, ingress.token)
    try:
        assert wait_for((tmp_path / "health.json").exists)
        answer = alone.post("/v1/consents", says(8, "child-gives"))
        change = alone.post("/v1/changes", json.loads(joins(8)[2] or b""))
        word = orjson.loads((tmp_path / "health.json").read_bytes())
    finally:
        running.terminate()
        status = running.wait(30)

    assert (answer.status_code, answer.json()["code"], change.status_code) == (503, "unreachable", 503)
    assert (word["ready"], status) == (False, 0)

"""A census on real services: what was kept back leaves once it is counted, by commune and with its label."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.broker.embedded import EmbeddedBroker
from ops.cli import main
from ops.policy_files import POLICIES_FOLDER
from ops.policy_signatures import generate
from ops.publishing.standing import read_acts, read_standing
from tests.integration.pipeline_people import joins
from tests.integration.pipeline_stages import Stages, installation, wait_for
from tests.integration.policy_desk import Desk

pytestmark = pytest.mark.broker

PUPILS = 14
GAR = "gar/gar-2026"
FIELDS = "fields: [given_name, family_name, level, school, divisions, groups]"


@pytest.fixture
def stages(own_broker: EmbeddedBroker, tmp_path: Path) -> Iterator[Stages]:
    with installation(own_broker.bootstrap, tmp_path / "stages") as made:
        yield made


@pytest.fixture
def desk(stages: Stages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """The project's policies, of which only gar is kept; it may know communes."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP", stages.bootstrap)
    copied = Path(shutil.copytree(POLICIES_FOLDER, tmp_path / "policies"))
    for name in ("lecture.yaml", "suite.yaml"):
        (copied / name).unlink()
    generate(tmp_path / "keys")
    made = Desk(copied, tmp_path / "keys", capsys)
    made.edit("gar.yaml", FIELDS, FIELDS.replace("]", ", commune]"))
    return made


def pupil(number: int) -> tuple[str, bytes | None, bytes | None]:
    """Twelve live in Rennes, two in a village; four of them are in a class of their own."""
    town = {"postcode": "35000", "town": "RENNES"} if number < 12 else {"postcode": "35160", "town": "LE VERGER"}
    division = {"school": "0999001W", "code": "5A" if number < 4 else "5B"}
    return joins(number, diffusion=None, divisions=[division], **town)


def told(stages: Stages) -> list[dict[str, Any]]:
    return [json.loads(record)["fields"] if isinstance(record, bytes) else record["fields"]
            for record in stages.directory("gar").values()]  # fmt: skip


def census(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["census", "--json", "--by", "exploitation", *options])
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, said


def test_what_a_census_counts_leaves_and_no_more(
    desk: Desk, stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.sign_and_apply()
    for name in stages.names:
        stages.start(name)
    stages.publish([pupil(number) for number in range(PUPILS)])
    assert wait_for(lambda: len(told(stages)) == PUPILS, 90.0)
    assert not any("commune" in fields or "label" in fields["divisions"][0] for fields in told(stages))

    _, dry = census(capsys, "--dry-run")
    code, said = census(capsys)
    assert wait_for(lambda: sum("commune" in fields for fields in told(stages)) == 12, 90.0)
    assert wait_for(lambda: sum("label" in fields["divisions"][0] for fields in told(stages)) == 10, 90.0)
    again_code, again = census(capsys)
    _, explained, _ = desk.run("diff", str(desk.policies), "--json")
    standing = read_standing([stages.bootstrap])
    acts = [json.loads(act) for act in read_acts([stages.bootstrap])]

    assert (code, again_code) == (0, 0)
    assert (dry["put_in_force"], said["put_in_force"], again["put_in_force"]) == (False, True, False)
    assert said["contracts"][GAR]["pupils_with_a_place"] == PUPILS
    assert said["contracts"][GAR]["places"] == {"communes": 1, "departements": 0, "regions": 0}
    assert said["contracts"][GAR]["groups_with_a_label"] == 2  # 5B, and the Latin group of all
    assert {fields["commune"] for fields in told(stages) if "commune" in fields} == {"35238"}
    assert {label for fields in told(stages) if (label := fields["divisions"][0].get("label"))} == {"5B"}
    assert [(act["act"], act["by"], act["contracts"]) for act in acts] == [
        ("applied", "exploitation", []), ("counted", "exploitation", [GAR]),
    ]  # fmt: skip
    assert acts[1]["change_set"] == standing.change_set
    assert explained["providers"]["gar"]["changed"] == 0

"""A cut-off by mistake and one on purpose, on real services: what `diff` foretells, what waits, and what then goes."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ops.broker.embedded import EmbeddedBroker
from ops.policy_files import POLICIES_FOLDER
from ops.policy_signatures import generate
from services.contract.topology import FILTERING_AUDIT
from tests.integration.pipeline_people import joins, leaves
from tests.integration.pipeline_stages import Stages, installation, wait_for
from tests.integration.policy_desk import Desk

pytestmark = pytest.mark.broker

PUPILS = 30
GAR = "gar/gar-2026"
AT_HOME, ABROAD = "operator: guichet-des-ressources, control_country: FR", (
    "operator: guichet-des-ressources, control_country: US"
)  # fmt: skip


@pytest.fixture(scope="module")
def stages(own_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with installation(own_broker.bootstrap, tmp_path_factory.mktemp("guard")) as made:
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's policies, of which only gar is kept."""
    copied = Path(shutil.copytree(POLICIES_FOLDER, tmp_path_factory.mktemp("desk") / "policies"))
    for name in ("lecture.yaml", "suite.yaml"):
        (copied / name).unlink()
    generate(copied.parent / "keys")
    return copied


@pytest.fixture
def desk(stages: Stages, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", stages.bootstrap)
    return Desk(folder, folder.parent / "keys", capsys)


def held(stages: Stages) -> int:
    """How many decisions the filter has accounted for as held by the deletion guard."""
    ranges = [
        each
        for entry in stages.values(FILTERING_AUDIT)
        for each in entry["ends"].get(GAR, {}).get("held", {}).get("deletion-guard", ())
    ]
    return sum(last - first + 1 for first, last in ranges)


def knows(stages: Stages, persons: int) -> bool:
    return wait_for(lambda: len(stages.directory("gar")) == persons, 90.0)


def test_what_diff_foretells_waits_until_exactly_this_set_is_approved(desk: Desk, stages: Stages) -> None:
    first = desk.sign_and_apply()
    for name in stages.names:
        stages.start(name)
    stages.publish([joins(number) for number in range(PUPILS)])
    assert knows(stages, PUPILS)

    desk.edit("gar.yaml", AT_HOME, ABROAD)
    _, foretold, _ = desk.run("diff", str(desk.policies), "--json")
    applied = desk.sign_and_apply()
    assert wait_for(lambda: held(stages) == PUPILS)

    # One joins, and is not released; one leaves, and is erased at once.
    stages.publish([joins(PUPILS), leaves(0, "20261001.1.000000001")])
    assert knows(stages, PUPILS - 1)
    code, _, said = desk.run("approve", first["change_set"])
    _, pending, _ = desk.run("pending", "--json")

    assert foretold["providers"] == {"gar": losing(PUPILS)}
    assert foretold["change_set"] == applied["change_set"]
    assert applied["waits"] == {"gar": PUPILS}
    assert (code, "the set in force is " + applied["change_set"] in said) == (65, True)
    assert pending == {
        "change_set": applied["change_set"], "verdict": None,
        "providers": {"gar": {"waits": PUPILS - 1, "by": {"R20/control-abroad": PUPILS - 1}}},
    }  # fmt: skip
    assert len(stages.directory("gar")) == PUPILS - 1

    assert desk.run("approve", applied["change_set"], "--by", "A. Operator")[0] == 0
    assert knows(stages, 0)


def losing(persons: int) -> dict[str, Any]:
    nobody: dict[str, Any] = {"persons": 0, "by": {}}
    lost = {"persons": persons, "by": {"R20/control-abroad": persons}}
    return {"gain": nobody, "lose": lost, "keep": nobody, "changed": 0, "waits": persons}


def test_a_mistake_that_is_put_right_has_cost_nobody(desk: Desk, stages: Stages) -> None:
    desk.edit("gar.yaml", ABROAD, AT_HOME)
    desk.sign_and_apply()
    assert knows(stages, PUPILS)
    names, before = set(stages.directory("gar")), held(stages)

    desk.edit("gar.yaml", "until: 2036-08-31", "until: 2026-01-31")
    applied = desk.sign_and_apply()
    assert wait_for(lambda: held(stages) == before + PUPILS)
    assert desk.run("refuse", applied["change_set"], "--by", "A. Operator")[0] == 0
    desk.edit("gar.yaml", "until: 2026-01-31", "until: 2036-08-31")
    restored = desk.sign_and_apply()

    assert restored["waits"] == {}
    assert wait_for(partial(swept_again, stages, before + PUPILS))
    assert set(stages.directory("gar")) == names


def swept_again(stages: Stages, guarded: int) -> bool:
    """Whether somebody was decided after what the guard held."""
    ends = [entry["ends"].get(GAR, {}) for entry in stages.values(FILTERING_AUDIT) if entry["topic"] == "sweep"]
    last = max(number for number, each in enumerate(ends) if "deletion-guard" in each.get("held", {}))
    return held(stages) == guarded and any("released" in each for each in ends[last + 1 :])


def test_more_than_a_share_waits_as_well(desk: Desk, stages: Stages) -> None:
    before = held(stages)
    desk.edit("gar.yaml", "kinds: [pupil, teacher, staff]\n    schools: all",
              'kinds: [pupil, teacher, staff]\n    schools: ["0999002X"]')  # fmt: skip
    applied = desk.sign_and_apply("--guard-share", "0.9")
    assert wait_for(lambda: held(stages) == before + PUPILS)
    stages.publish([leaves(1, "20261001.1.000000001")])
    assert knows(stages, PUPILS - 1)
    assert desk.run("approve", applied["change_set"])[0] == 0

    assert applied["waits"] == {"gar": PUPILS}
    assert knows(stages, 0)
    assert [act["act"] for act in desk.run("log", "--json")[1]["acts"]] == [
        "applied", "applied", "approved", "applied", "applied", "refused", "applied", "applied", "approved",
    ]  # fmt: skip


def test_no_command_has_named_anybody(desk: Desk, stages: Stages) -> None:
    shown = [str(desk.run(*command)) for command in (("diff", str(desk.policies), "--json"), ("pending",), ("log",))]
    shown += [str(stages.log(name)) for name in stages.names]

    assert [word for word in ("99900000", "Maïa", "Exemple", "p-1") if any(word in text for text in shown)] == []

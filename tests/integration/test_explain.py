"""Explanations from the live state of the three stages, on a real broker."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from ops import keys
from ops.broker.embedded import EmbeddedBroker
from ops.cli import main
from services.contract.reads import ReadAct, speaks_of
from services.contract.topology import CHANGES, READS_AUDIT
from tests.integration.pipeline_people import decides, ine, joins, leaves, moves, policies
from tests.integration.pipeline_stages import Message, Stages, installation, wait_for
from tests.replay.invented import example

pytestmark = pytest.mark.broker

CANARY = "ZORVELQUIMUR"
"""In every value of everybody here that could be printed."""
AT = "2026-09-02T10:00:00+02:00"
RELEASED, REFUSED, LEFT, PATCHED, PINNED, SPOILT = range(6)


def stream() -> list[Message]:
    names: dict[str, Any] = {"family_name": CANARY, "given_name": f"{CANARY}-Line", "other_given_names": [CANARY]}
    everybody = [joins(number, **names) for number in (RELEASED, REFUSED, LEFT, SPOILT)]
    return [
        *policies(), *everybody,
        decides(RELEASED, "child", "given", AT), decides(RELEASED, "guardian", "given", AT),
        decides(REFUSED, "child", "given", AT), decides(REFUSED, "guardian", "refused", AT),
        moves(RELEASED, "20260903.1.000000007", "4EME"),
        leaves(LEFT, "20260903.1.000000001"),
        moves(PATCHED, "20260903.1.000000002", "4EME"),
        joins(SPOILT, "20260904.0.000000001", **{**names, "given_name": f"{CANARY} 06 39 98 00 12"}),
        pinned(names),
    ]  # fmt: skip


def pinned(names: dict[str, Any]) -> Message:
    """Published by her source's id, as a guardian is."""
    content = example("change/1/pupil-joins", id=f"p-{PINNED}", attributes={**names, "ine": None})
    return CHANGES, f"aaf-d99:p-{PINNED}".encode(), orjson.dumps(content)


@pytest.fixture(scope="module")
def stages(own_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with installation(own_broker.bootstrap, tmp_path_factory.mktemp("explain"), ("gar", "lecture")) as made:
        for name in made.names:
            made.start(name)
        made.publish(stream())
        assert wait_for(made.is_done, 60)
        yield made


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def trace(self) -> dict[str, Any]:
        return dict(json.loads(self.out))

    @property
    def contract(self) -> dict[str, Any]:
        (only,) = self.trace["contracts"]
        return dict(only)


def explain(stages: Stages, capsys: pytest.CaptureFixture[str], *asked: str) -> Said:
    capsys.readouterr()
    code = main(["explain", *asked, "--bootstrap", stages.bootstrap, "--by", "a.dupuis"])
    said = capsys.readouterr()
    return Said(code, said.out, said.err)


def keys_of(stages: Stages) -> tuple[str, ...]:
    return ("--keys", str(stages.folder / "keys"))


def acts(stages: Stages) -> list[ReadAct]:
    return [ReadAct.model_validate_json(row.value) for row in stages.rows(READS_AUDIT)]


def standings(contract: dict[str, Any]) -> dict[str, str]:
    return {line["rule"]: line["standing"] for line in contract["decision"]["rules"]}


def test_a_release_is_followed_from_the_directory_to_the_provider_s_acknowledgement(
    stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    said = explain(stages, capsys, ine(RELEASED), "lecture", "--json", *keys_of(stages))
    contract = said.contract
    (source,) = said.trace["sources"]

    assert (said.code, said.err) == (0, "")
    assert said.trace["kind"] == "pupil"
    assert source["image"] == {
        "version": "20260901.0.000000001",
        "day": "2026-09-01",
        "export": "complete",
        "number": 1,
    }
    assert source["patched"] == {
        "level": {"version": "20260903.1.000000007", "day": "2026-09-03", "export": "delta", "number": 7}
    }
    assert contract["decision"]["verdict"] == "release"
    assert [reason["code"] for reason in contract["decision"]["reasons"]] == ["joint-consent"]
    assert standings(contract) | {"R9": "passes", "R10": "passes", "R11": "not-asked", "R3": "not-asked"} == standings(
        contract
    )
    assert [(p["party"], p["says"]) for p in contract["decision"]["parties"]] == [
        ("subject", "a consent that counts"), ("guardian 1", "a consent that counts"),
        ("guardian 2", "no record about this purpose and provider"),
    ]  # fmt: skip
    assert contract["now"] == {"end": "released", "reason": "unchanged", "sends": None}
    assert contract["fence"]["last"] == "release"
    assert contract["pseudonym"] in stages.directory("lecture")
    assert [(s["stage"], s["word"], s["seq"]) for s in contract["delivery"]["stages"]] == [
        ("pseudonymisation", "taken", contract["fence"]["seq"]), ("connector", "told", contract["fence"]["seq"]),
        ("ledger", "delivered", contract["fence"]["seq"]),
    ]  # fmt: skip
    assert contract["delivery"]["owed"] is False
    assert contract["delivery"]["consents_until"] is not None


def test_a_refusal_names_the_rule_and_what_to_do(stages: Stages, capsys: pytest.CaptureFixture[str]) -> None:
    contract = explain(stages, capsys, ine(REFUSED), "lecture", "--json", *keys_of(stages)).contract

    assert contract["decision"]["verdict"] == "withhold"
    assert {"rule": "R10", "code": "guardian-opposes", "sentence": "A guardian opposes.",
            "action": "Respect it; the family decides."} in [
        {name: found[name] for name in ("rule", "code", "sentence", "action")}
        for line in contract["decision"]["rules"] for found in line["found"]
    ]  # fmt: skip
    assert (contract["fence"], contract["pseudonym"], contract["delivery"]) == (None, None, None)


def test_who_left_is_explained_by_the_erasure_that_was_acknowledged(
    stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    said = explain(stages, capsys, ine(LEFT), "gar", "--json", *keys_of(stages))
    contract = said.contract

    assert contract["decision"]["reasons"][0]["code"] == "subject-deleted"
    assert said.trace["sources"][0]["deleted"]["day"] == "2026-09-03"
    assert contract["fence"]["last"] == "erase"
    assert (contract["delivery"]["stages"][2]["word"], contract["delivery"]["stages"][2]["operation"]) == (
        "delivered", "delete",
    )  # fmt: skip


def test_a_value_that_holds_a_telephone_number_is_explained_and_not_shown(
    stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = explain(stages, capsys, ine(SPOILT), "gar", "--json").contract
    by_name = {field["field"]: field for field in contract["decision"]["fields"]}

    assert by_name["given_name"]["dropped_by"] == ["R16"]
    assert by_name["given_name"]["found_in_value"] == ["phone"]
    assert by_name["family_name"]["kept"] is True


def test_a_patch_without_an_image_shows_nobody(stages: Stages, capsys: pytest.CaptureFixture[str]) -> None:
    said = explain(stages, capsys, ine(PATCHED), "gar", "--json")

    assert (said.code, said.trace["kind"], said.contract["decision"]) == (0, None, None)


@pytest.mark.parametrize("number", [RELEASED, REFUSED, LEFT, PATCHED, SPOILT])
@pytest.mark.parametrize("form", [("gar", "--json"), ("lecture",)], ids=["as JSON", "in tables"])
def test_nobody_is_named_but_by_what_was_typed(
    stages: Stages, capsys: pytest.CaptureFixture[str], number: int, form: tuple[str, ...]
) -> None:
    said = explain(stages, capsys, ine(number), *form, *keys_of(stages))
    # In a table a word may go over two lines.
    shown = "".join(said.out.split()).replace("│", "").replace(ine(number), "")
    forbidden = [CANARY, f"p-{number}", "999-2001", "999-2002", "0999001W", "2014-01-31", "10110001110", "5LATIN",
                 "teleservice", "0639980012", *(ine(n) for n in range(6))]  # fmt: skip

    assert said.code == 0
    assert ine(number) in said.out
    assert [value for value in forbidden if value in shown] == []


def test_values_are_shown_where_they_are_asked_for(stages: Stages, capsys: pytest.CaptureFixture[str]) -> None:
    said = explain(stages, capsys, ine(RELEASED), "gar", "--json", "--show-values")

    assert said.trace["sources"][0]["values"]["family_name"] == CANARY
    assert acts(stages)[-1].values is True


def test_without_keys_pseudonym_and_delivery_are_left_out_and_said_to_be(
    stages: Stages, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SANCTUAIRE_KEYRING_FILE", raising=False)
    said = explain(stages, capsys, ine(RELEASED), "gar", "--json")

    assert (said.contract["pseudonym"], said.contract["delivery"]) == (None, None)
    assert said.trace["left_out"].startswith("Without the keyring")


def test_keys_are_found_where_the_services_find_them(
    stages: Stages, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SANCTUAIRE_KEYRING_FILE", "SANCTUAIRE_KEY_ENCRYPTION_KEY_FILE"):
        monkeypatch.setenv(name, stages.environment[name])

    assert explain(stages, capsys, ine(RELEASED), "gar", "--json").contract["pseudonym"] in stages.directory("gar")


def test_each_look_is_on_record_before_it_is_shown_and_names_only_who_looked(
    stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(acts(stages))
    explain(stages, capsys, ine(RELEASED), "gar", "--reference", "DPD-2026-17", "--json")
    explain(stages, capsys, "999999999ZZ", "gar")
    looked, missed = acts(stages)[before:]
    written = [row.value.decode() for row in stages.rows(READS_AUDIT)]

    assert (looked.by, looked.reference, looked.provider, looked.found) == ("a.dupuis", "DPD-2026-17", "gar", True)
    assert (missed.found, missed.reference) == (False, None)
    assert speaks_of(looked, ine(RELEASED))
    assert not speaks_of(looked, ine(REFUSED))
    assert not any(ine(RELEASED) in each for each in written)


def test_who_was_first_published_otherwise_is_found_by_her_source_s_id(
    stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    identifier = {"source": "aaf-d99", "entity": "person", "id": f"p-{RELEASED}", "value": ine(RELEASED)}
    stages.publish([("directory.identifiers.v1", f"aaf-d99/person/p-{RELEASED}".encode(), orjson.dumps(identifier))])
    by_id = explain(stages, capsys, f"aaf-d99:p-{RELEASED}", "gar", "--json")
    by_own = explain(stages, capsys, f"aaf-d99:p-{PINNED}", "gar", "--json")

    assert by_id.trace["subject"] == f"aaf-d99:p-{RELEASED}"
    assert by_id.contract["decision"]["verdict"] == "release"
    assert ine(RELEASED) not in by_id.out
    assert by_own.contract["decision"]["verdict"] == "release"


def test_the_key_may_come_from_standard_input_and_so_stay_out_of_the_shell_s_history(
    stages: Stages, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ine(RELEASED)}\n"))

    assert explain(stages, capsys, "-", "gar", "--json").trace["subject"] == ine(RELEASED)


def test_an_ine_in_small_letters_is_the_same_person(stages: Stages, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(stages, capsys, ine(RELEASED).lower(), "gar", "--json").code == 0


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        pytest.param(("999999999ZZ", "gar"), 67, "nobody is known under that key", id="nobody"),
        pytest.param(("aaf-d99:CANARY", "gar"), 67, "nobody is known under that key", id="nobody by id"),
        pytest.param(("999000000ZZ", "CANARY"), 68, "no policy in force is of that provider", id="no provider"),
        pytest.param(("999000000ZZ", "gar", "--reference", "about CANARY"), 2, "reference", id="a reference of words"),
    ],
)
def test_what_is_not_there_has_an_exit_code_of_its_own(
    stages: Stages, capsys: pytest.CaptureFixture[str], asked: tuple[str, ...], code: int, message: str
) -> None:
    said = explain(stages, capsys, *asked)

    assert (said.code, said.out) == (code, "")
    assert message in said.err
    assert "CANARY" not in said.err


def test_a_release_that_the_connector_keeps_back_is_owed_until_its_window_ends(
    stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    """A policy with a window of a day: what is said now is told tomorrow."""
    waiting = [
        (topic, key, orjson.dumps(_with_window(orjson.loads(value or b""), 86_400)))
        for topic, key, value in policies(11)
        if key == b"gar"
    ]
    stages.publish(waiting)
    stages.publish([joins(20)])

    def owed() -> bool:
        said = explain(stages, capsys, ine(20), "gar", "--json", *keys_of(stages))
        delivery = said.contract["delivery"] if said.code == 0 else None
        return delivery is not None and delivery["stages"][1]["word"] == "waits"

    assert wait_for(owed, 60)
    contract = explain(stages, capsys, ine(20), "gar", "--json", *keys_of(stages)).contract
    assert contract["delivery"]["owed"] is True
    assert contract["delivery"]["stages"][1]["code"] == "release-window"
    assert contract["delivery"]["stages"][2]["word"] == "not-there"


def _with_window(policy: dict[str, Any], seconds: int) -> dict[str, Any]:
    for contract in policy["contracts"]:
        contract["release_window_seconds"] = seconds
    return policy


def test_a_keyring_of_another_perimeter_is_refused(
    stages: Stages, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    keys.init(tmp_path / "keys", "BE", os.urandom)

    assert explain(stages, capsys, ine(RELEASED), "gar", "--keys", str(tmp_path / "keys")).code == 78

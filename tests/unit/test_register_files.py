import io
import json
import sys
from pathlib import Path

import pytest

from ops.cli import main
from ops.policy_files import POLICIES_FOLDER, read_policies
from services.contract.errors import AmbiguousPolicy, NotThisFormat, NotThisSchema
from tests.spec.table import base
from tests.unit.edited import edit

GB = "  GB: [{from: 2021-06-28, until: 2031-12-27, scope: null, source: (EU) 2021/1772}]\n"


def test_every_policy_carries_the_one_register() -> None:
    policies = read_policies(POLICIES_FOLDER)

    assert len({policy.register_.digest for policy in policies.values()}) == 1
    assert "GB" in policies["gar"].register_.adequacy


def test_a_place_gets_the_days_of_the_entry_that_it_names(folder: Path) -> None:
    edit(folder / "register.yaml", "{operator: coffre-des-sources, from: 2025-01-01, until: 2036-01-01",
         "{operator: coffre-des-sources, from: 2025-03-01, until: 2027-02-28")  # fmt: skip
    storage, _, support, backup = read_policies(folder)["gar"].places

    assert [place.model_dump(mode="json", by_alias=True)["secnumcloud"] for place in (storage, support, backup)] == [
        {"from": "2025-01-01", "until": "2036-01-01"}, None, {"from": "2025-03-01", "until": "2027-02-28"},
    ]  # fmt: skip


def test_an_instrument_comes_with_its_assessment(folder: Path) -> None:
    edit(folder / "register.yaml", "instruments: {}", "instruments: {scc-1: {provider: suite, "
         "operator: grand-large-inc, type: scc, assessment: TIA-1}}")  # fmt: skip
    edit(folder / "suite.yaml", "dpf: grand-large-2024, instrument: null", "dpf: null, instrument: scc-1")
    _, support = read_policies(folder)["suite"].places

    assert support.dpf is None
    assert support.instrument is not None
    assert support.instrument.model_dump() == {"type": "scc", "assessment": "TIA-1"}


@pytest.mark.parametrize(
    ("file", "edited", "message"),
    [
        pytest.param("gar.yaml", ("secnumcloud: coffre-2025", "secnumcloud: coffre-2026"),
                     "gar.yaml: places.3.secnumcloud: register.yaml has no such entry", id="no such entry"),
        pytest.param("gar.yaml", ("secnumcloud: coffre-2025", "secnumcloud: alizes-2025"),
                     "gar.yaml: places.3.secnumcloud: the entry is another operator's", id="another operator's"),
        pytest.param("gar.yaml", ("secnumcloud: coffre-2025", "secnumcloud: {from: 2025-01-01, until: null}"),
                     "gar.yaml: places.3.secnumcloud: register.yaml has no such entry", id="by hand"),
        pytest.param("suite.yaml", ("dpf: grand-large-2024", "dpf: grand-large-2025"),
                     "suite.yaml: places.1.dpf: register.yaml has no such entry", id="not on the list"),
        pytest.param("register.yaml", ("overseas:", "CANARY: {}\noverseas:"),
                     "register.yaml: ?: extra_forbidden (1 in all)", id="more than a register"),
        pytest.param("register.yaml", (GB, "  GB: [{from: 2021-06-28, scope: null, source: x}]\n"),
                     "register.yaml: adequacy.?.0.until: missing (1 in all)", id="no end is said"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_register_refuses_the_set(
    folder: Path, file: str, edited: tuple[str, str], message: str
) -> None:
    edit(folder / file, *edited)

    with pytest.raises(NotThisSchema) as refused:
        read_policies(folder)

    assert str(refused.value) == message


def test_an_instrument_of_another_provider_is_refused(folder: Path) -> None:
    edit(folder / "register.yaml", "instruments: {}", "instruments: {scc-1: {provider: gar, "
         "operator: grand-large-inc, type: scc, assessment: TIA-1}}")  # fmt: skip
    edit(folder / "suite.yaml", "dpf: grand-large-2024, instrument: null", "dpf: null, instrument: scc-1")

    with pytest.raises(NotThisSchema) as refused:
        read_policies(folder)

    assert str(refused.value) == "suite.yaml: places.1.instrument: the entry is another provider's"


def test_a_set_without_a_register_is_refused(folder: Path) -> None:
    (folder / "register.yaml").unlink()

    with pytest.raises(NotThisFormat) as refused:
        read_policies(folder)

    assert str(refused.value) == "register.yaml: no such file in the folder"


def test_a_register_that_contradicts_itself_is_refused(folder: Path) -> None:
    edit(folder / "register.yaml", "overseas: {", "overseas: {RE: null, ")

    with pytest.raises(AmbiguousPolicy) as refused:
        read_policies(folder)

    assert str(refused.value) == "register: RE is listed twice"


def decided(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, country: str, *options: str
) -> tuple[int, str, str]:
    request = base("third country")
    request["provider"]["places"][0]["country"] = country
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(request).encode())))
    capsys.readouterr()
    code = main(["decide", *options])
    said = capsys.readouterr()
    return code, json.loads(said.out)["verdict"] if said.out else "", said.err


def test_decide_goes_by_the_law_of_today_or_by_the_one_it_is_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    edit(folder / "register.yaml", GB, "")

    assert decided(capsys, monkeypatch, "GB") == (0, "release", "")
    assert decided(capsys, monkeypatch, "GB", "--register", str(folder / "register.yaml")) == (0, "withhold", "")


def test_decide_refuses_a_register_that_it_cannot_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    edit(folder / "register.yaml", "overseas: {", "overseas: {RE: null, ")

    assert decided(capsys, monkeypatch, "GB", "--register", str(folder / "register.yaml")) == (
        65, "", "sanctuaire: register: RE is listed twice\n",
    )  # fmt: skip

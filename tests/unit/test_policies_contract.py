from datetime import date
from typing import Any

import pytest

from services.contract.policies import Perimeter, Place, ambiguities, place_allowed, policy_digest, refusal, releasable
from tests.replay.invented import contract_with, example, policy
from tests.spec.table import LAW

DAY = date(2026, 9, 15)
ALWAYS = {"from": "2025-01-01", "until": None}
OVER = {"from": "2025-01-01", "until": "2026-09-14"}
SCC = {"type": "scc", "assessment": "TIA-1"}


def place(kind: str = "storage", country: str = "FR", control: str = "FR", **more: Any) -> Place:
    nothing = {"secnumcloud": None, "scope": (), "dpf": None, "instrument": None}
    content = {"kind": kind, "country": country, "operator": "x", "control_country": control, **nothing, **more}
    return Place.model_validate(content, strict=False)


def perimeter(**differences: Any) -> Perimeter:
    open_ = {"sovereign": False, "allow_dpf": True, "allow_article_46": True}
    content = example("provider-policy/1/public-task")["perimeter"] | open_ | differences
    return Perimeter.model_validate(content, strict=False)


PLACES = [
    pytest.param({}, {}, True, id="at home"),
    pytest.param({}, {"country": "IS"}, True, id="in the EEA"),
    pytest.param({}, {"country": "RE"}, True, id="an outermost region is in the EU"),
    pytest.param({}, {"country": "CH"}, True, id="adequate"),
    pytest.param({}, {"country": "IN"}, False, id="not adequate"),
    pytest.param({}, {"country": "IN", "instrument": SCC}, True, id="with clauses and an assessment"),
    pytest.param({}, {"country": "IN", "instrument": SCC | {"assessment": None}}, False, id="without an assessment"),
    pytest.param({"allow_article_46": False}, {"country": "IN", "instrument": SCC}, False, id="clauses not accepted"),
    pytest.param({}, {"country": "NC", "instrument": SCC}, False, id="overseas, no rule declared, even with clauses"),
    pytest.param({}, {"country": "XX", "instrument": SCC}, False, id="no country at all, even with clauses"),
    pytest.param({}, {"country": "CA"}, False, id="adequate out of its scope"),
    pytest.param({}, {"country": "CA", "scope": ["pipeda-commercial"]}, True, id="adequate in its scope"),
    pytest.param({}, {"country": "US"}, False, id="the US with nothing"),
    pytest.param({}, {"country": "US", "dpf": ALWAYS}, False, id="the US with the DPF alone"),
    pytest.param({}, {"country": "US", "instrument": SCC}, False, id="the US with clauses alone"),
    pytest.param({}, {"country": "US", "dpf": ALWAYS, "instrument": SCC}, True, id="the US with both"),
    pytest.param({}, {"country": "US", "dpf": OVER, "instrument": SCC}, False, id="the US with a DPF that is over"),
    pytest.param({"allow_dpf": False}, {"country": "US", "dpf": ALWAYS, "instrument": SCC}, False,
                 id="the DPF not accepted"),
    pytest.param({"sovereign": True}, {"country": "DE"}, False, id="sovereign, stored abroad"),
    pytest.param({"sovereign": True}, {"country": "DE", "kind": "backup"}, False, id="sovereign, backed up abroad"),
    pytest.param({"sovereign": True}, {"country": "DE", "kind": "support", "control": "DE"}, True,
                 id="sovereign, supported from the EEA"),
    pytest.param({"sovereign": True}, {"country": "MQ"}, True, id="sovereign, stored overseas in the EU"),
    pytest.param({"sovereign": True}, {"control": "US"}, False, id="sovereign, controlled abroad"),
    pytest.param({"sovereign": True}, {"control": "US", "secnumcloud": ALWAYS}, False,
                 id="sovereign, controlled abroad though qualified"),
    pytest.param({"sovereign": True, "require_secnumcloud": True}, {}, False, id="a qualification is required"),
    pytest.param({"sovereign": True, "require_secnumcloud": True}, {"secnumcloud": ALWAYS}, True, id="qualified"),
    pytest.param({"sovereign": True, "require_secnumcloud": True}, {"secnumcloud": OVER}, False,
                 id="no longer qualified"),
]  # fmt: skip


@pytest.mark.parametrize(("of_perimeter", "of_place", "allowed"), PLACES)
def test_place(of_perimeter: dict[str, Any], of_place: dict[str, Any], allowed: bool) -> None:  # noqa: FBT001  # a row
    assert place_allowed(perimeter(**of_perimeter), LAW, place(**of_place), DAY) is allowed


@pytest.mark.parametrize(
    ("differences", "contract", "code"),
    [
        pytest.param({}, "GAR-2026", None, id="in force"),
        pytest.param({}, "OTHER", "contract-not-in-force", id="no such contract"),
        pytest.param({"contracts": []}, "GAR-2026", "contract-not-in-force", id="no contract any more"),
        pytest.param({"contracts": contract_with(**{"from": "2026-09-16"})}, "GAR-2026", "contract-not-in-force",
                     id="not begun"),
        pytest.param({"contracts": contract_with(until="2026-09-14")}, "GAR-2026", "contract-not-in-force", id="over"),
        pytest.param({"contracts": contract_with(until="2026-09-15")}, "GAR-2026", None, id="on its last day"),
        pytest.param({"perimeter": {"providers": ["lecture"]}}, "GAR-2026", "contract-not-in-force", id="not listed"),
        pytest.param({"perimeter": {"providers": ["gar"]}}, "GAR-2026", None, id="listed"),
        pytest.param({"places": []}, "GAR-2026", "place-not-allowed", id="no place is declared"),
        pytest.param({"places": example("provider-policy/1/us-support")["places"]}, "GAR-2026", "place-not-allowed",
                     id="one of two places is not allowed"),
    ],
)  # fmt: skip
def test_refusal(differences: dict[str, Any], contract: str, code: str | None) -> None:
    assert refusal(policy(**differences), contract, DAY) == code


def test_releasable_is_what_both_the_contract_and_the_perimeter_name() -> None:
    gar = policy(contracts=contract_with(fields=["given_name", "birth_date", "level"]))

    assert releasable(gar, gar.contracts[0]) == {"given_name", "level"}


@pytest.mark.parametrize(
    ("name", "differences", "said"),
    [
        pytest.param("gar", {}, [], id="clear"),
        pytest.param("other", {}, ["other: names another provider"], id="another's name"),
        pytest.param("gar", {"contracts": contract_with() * 2},
                     ["gar: the same contract id twice", "gar: the same purpose family twice"], id="a contract twice"),
        pytest.param("gar", {"contracts": [*contract_with(), *contract_with(id="GAR-2")]},
                     ["gar: the same purpose family twice"], id="a purpose twice"),
        pytest.param("gar", {"contracts": contract_with(required=["mef"])},
                     ["gar: contract GAR-2026: a required field that it does not list"], id="required, not listed"),
    ],
)  # fmt: skip
def test_ambiguities(name: str, differences: dict[str, Any], said: list[str]) -> None:
    assert ambiguities({name: policy(**differences)}) == said


def test_two_perimeters_are_ambiguous() -> None:
    other = policy("consent-service", perimeter={"consent_age": 13})

    assert ambiguities({"gar": policy(), "lecture": other}) == ["the policies do not share one perimeter"]


def test_two_registers_are_ambiguous() -> None:
    other = policy("consent-service", register={"overseas": {"PF": None}})

    assert ambiguities({"gar": policy(), "lecture": other}) == ["the policies do not share one register"]


def test_a_change_of_law_is_a_change_of_every_policy() -> None:
    assert policy_digest(policy()) != policy_digest(policy(register={"adequacy": {"GB": []}}))


def test_digest_names_the_content_whatever_its_version() -> None:
    assert policy_digest(policy()) == policy_digest(policy(version=99))
    assert policy_digest(policy()) != policy_digest(policy(role="controller"))
    assert policy_digest(policy()) != policy_digest(policy(contracts=contract_with(until=None, notice="n2")))

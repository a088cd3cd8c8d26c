"""Registers, places and perimeters for the property tests: small enough that what matters happens often."""

from typing import Any

import orjson
from hypothesis import strategies as st

from services.contract.parsing import parse_payload
from services.contract.policies import Perimeter, Place
from services.contract.register import Register
from tests.replay.invented import example

COUNTRIES = ("FR", "DE", "RE", "GB", "CA", "NC", "US", "IN", "ZZ")
DAYS = ("2026-09-13", "2026-09-14", "2026-09-15", "2026-09-16")
MIDDLE = "2026-09-15"

days = st.sampled_from(DAYS)
periods = st.fixed_dictionaries({"from": days, "until": st.none() | days})
countries = st.sampled_from(COUNTRIES[:-1])


def _entries(**more: Any) -> st.SearchStrategy[dict[str, Any]]:
    strategies = {name: st.sampled_from(values) for name, values in more.items()}
    return st.builds(lambda period, rest: {**period, **rest, "source": "invented"}, periods,
                     st.fixed_dictionaries(strategies))  # fmt: skip


memberships = _entries(territories=([], ["RE"]))
adequacies = _entries(scope=(None, "appi", "pipeda-commercial", "dpf"))
declarations = _entries(treated_as=("eea", "third-country"))
laws = st.fixed_dictionaries(
    {
        "eea": st.dictionaries(st.sampled_from(("FR", "DE")), memberships),
        "adequacy": st.dictionaries(countries, st.lists(adequacies, max_size=2)),
        "overseas": st.dictionaries(st.just("NC"), st.none() | declarations),
    }
)
places = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(("storage", "processing", "support", "backup", "subprocessor")),
        "country": st.sampled_from(COUNTRIES),
        "operator": st.just("x"),
        "control_country": st.sampled_from(COUNTRIES),
        "secnumcloud": st.none() | periods,
        "scope": st.lists(st.sampled_from(("appi", "pipeda-commercial")), max_size=1),
        "dpf": st.none() | periods,
        "instrument": st.none()
        | st.fixed_dictionaries({"type": st.just("scc"), "assessment": st.sampled_from((None, "T-1"))}),
    }
)
perimeters = st.fixed_dictionaries(
    {
        "sovereign": st.booleans(),
        "storage_country": st.sampled_from(("FR", "DE")),
        "allow_dpf": st.booleans(),
        "allow_article_46": st.booleans(),
        "require_secnumcloud": st.booleans(),
    }
)


def register_of(content: dict[str, Any]) -> Register:
    return parse_payload(Register, orjson.dumps(content), 100_000)


def place_of(content: dict[str, Any]) -> Place:
    return parse_payload(Place, orjson.dumps(content), 100_000)


def perimeter_of(differences: dict[str, Any]) -> Perimeter:
    content = example("provider-policy/1/public-task")["perimeter"] | differences
    return parse_payload(Perimeter, orjson.dumps(content), 100_000)

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract.changes import parse_change, read_change, said_by
from tests.replay.invented import EXAMPLES, example

CHANGES = sorted(path.stem for path in (EXAMPLES / "change" / "1").glob("*.json"))


def items(value: Any) -> Any:
    """A JSON value in which the order of keys tells."""
    if isinstance(value, dict):
        return [(name, items(inner)) for name, inner in value.items()]
    return [items(inner) for inner in value] if isinstance(value, list) else value


@st.composite
def shuffled(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: draw(shuffled(value[name])) for name in draw(st.permutations(list(value)))}
    return [draw(shuffled(inner)) for inner in value] if isinstance(value, list) else value


@given(st.sampled_from(CHANGES).map(lambda name: example(f"change/1/{name}")).flatmap(shuffled), st.booleans())
def test_what_a_change_says_is_read_as_its_model_writes_it(content: dict[str, Any], spaced: bool) -> None:  # noqa: FBT001  # drawn
    raw = orjson.dumps(content, option=orjson.OPT_INDENT_2 if spaced else None)
    change, said = read_change(raw)

    assert change == parse_change(raw)
    assert items(said) == items(said_by(change))


@pytest.mark.parametrize("day", ["2013-05-03", pytest.param("1367539200", id="seconds, which pydantic takes too")])
def test_a_day_has_one_form(day: str) -> None:
    change, said = read_change(orjson.dumps(example("change/1/pupil-joins", attributes={"birth_date": day})))

    assert said["birth_date"] == "2013-05-03"
    assert said == said_by(change)


@pytest.mark.parametrize("day", ["2027-01-01", pytest.param("1798761600", id="seconds, which pydantic takes too")])
def test_days_of_authority_and_leaving_have_one_form(day: str) -> None:
    said_of = {"gone_since": day, "guardians": [{"id": "1", "authority_until": day, "authority_from": day}]}
    change, said = read_change(orjson.dumps(example("change/1/pupil-joins", attributes=said_of)))

    assert said["gone_since"] == "2027-01-01"
    assert said["guardians"] == [{"id": "1", "authority_from": "2027-01-01", "authority_until": "2027-01-01"}]
    assert said == said_by(change)

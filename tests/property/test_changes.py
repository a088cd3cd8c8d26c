import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contract.changes import parse_change
from services.contract.errors import Unreadable
from services.contract.told_changes import ToldChange, quickly, read_change, told_by
from tests.replay.invented import EXAMPLES, example

CHANGES = sorted(path.stem for path in (EXAMPLES / "change" / "1").glob("*.json"))


def items(value: Any) -> Any:
    """A JSON value in which the order of keys tells."""
    if isinstance(value, dict):
        return [(name, items(inner)) for name, inner in value.items()]
    return [items(inner) for inner in value] if isinstance(value, list) else value


def parts(told: ToldChange | None) -> Any:
    """All that it says; the order of what is named tells too."""
    return told and (told.kind, told.entity, told.category, told.source, told.id, told.version, items(told.said))


@st.composite
def shuffled(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: draw(shuffled(value[name])) for name in draw(st.permutations(list(value)))}
    return [draw(shuffled(inner)) for inner in value] if isinstance(value, list) else value


@given(st.sampled_from(CHANGES).map(lambda name: example(f"change/1/{name}")).flatmap(shuffled), st.booleans())
def test_what_a_change_says_is_read_as_its_model_writes_it(content: dict[str, Any], spaced: bool) -> None:  # noqa: FBT001  # drawn
    raw = orjson.dumps(content, option=orjson.OPT_INDENT_2 if spaced else None)

    assert parts(read_change(raw)) == parts(told_by(parse_change(raw)))


@pytest.mark.parametrize("name", CHANGES)
def test_what_our_own_tools_write_is_read_quickly(name: str) -> None:
    raw = parse_change(orjson.dumps(example(f"change/1/{name}"))).model_dump_json(exclude_unset=True).encode()

    assert parts(quickly(raw)) == parts(told_by(parse_change(raw)))


STRANGE: list[Any] = [
    *(None, True, 0, -1, 1.5, 2**70, "", " ", "x", "\u0000", "é", "a" * 200, "delete", "patch", "school"),
    *("2013-02-30", "0000-01-01", "2013-05-03 "),
    *([], {}, [1], [None], ["x"], [{}], [{"school": "0990001A", "code": None}], {"code": "x"}),
]


@st.composite
def spoilt(draw: st.DrawFn, value: Any) -> Any:
    """The same but for one value, key or item, at any depth, that is another, is gone or has come."""
    strange = st.sampled_from(STRANGE)
    if draw(st.booleans()) or not isinstance(value, dict | list) or not value:
        return draw(strange)
    if isinstance(value, list):
        place = draw(st.integers(0, len(value) - 1))
        return [draw(spoilt(one)) if number == place else one for number, one in enumerate(value)]
    name = draw(st.sampled_from(list(value)))
    match draw(st.sampled_from(["value", "value", "gone", "came"])):
        case "gone":
            return {each: one for each, one in value.items() if each != name}
        case "came":
            return {**value, draw(st.sampled_from(["ine", "label", "legal", "emancipated", "x"])): draw(strange)}
        case _:
            return {each: draw(spoilt(one)) if each == name else one for each, one in value.items()}


@settings(max_examples=1500)
@given(st.sampled_from(CHANGES).map(lambda name: example(f"change/1/{name}")).flatmap(spoilt))
def test_nothing_is_read_quickly_that_the_model_refuses_or_reads_otherwise(content: Any) -> None:
    raw = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    told = quickly(raw)
    try:
        model = told_by(parse_change(raw))
    except Unreadable:
        assert told is None
    else:
        assert told is None or parts(told) == parts(model)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"kind":"upsert","kind":"delete","entity":"person"}',
        b'{"kind":"upsert"',
        b"[]",
        b"\xff",
        b" " * 300_000,
    ],
)
def test_what_is_no_change_is_for_the_model_to_refuse(raw: bytes) -> None:
    assert quickly(raw) is None
    with pytest.raises(Unreadable):
        read_change(raw)


def test_a_key_twice_is_never_read_quickly() -> None:
    raw = orjson.dumps(example("change/1/pupil-joins"))
    twice = raw.replace(b'"kind":', b'"kind":"patch","kind":', 1)

    assert quickly(raw) is not None
    assert quickly(twice) is None


@pytest.mark.parametrize("day", ["2013-05-03", pytest.param("1367539200", id="seconds, which pydantic takes too")])
def test_a_day_has_one_form(day: str) -> None:
    told = read_change(orjson.dumps(example("change/1/pupil-joins", attributes={"birth_date": day})))

    assert told.said["birth_date"] == "2013-05-03"


@pytest.mark.parametrize("day", ["2027-01-01", pytest.param("1798761600", id="seconds, which pydantic takes too")])
def test_days_of_authority_and_leaving_have_one_form(day: str) -> None:
    said_of = {"gone_since": day, "guardians": [{"id": "1", "authority_until": day, "authority_from": day}]}
    told = read_change(orjson.dumps(example("change/1/pupil-joins", attributes=said_of)))

    assert told.said["gone_since"] == "2027-01-01"
    assert told.said["guardians"] == [{"id": "1", "authority_from": "2027-01-01", "authority_until": "2027-01-01"}]

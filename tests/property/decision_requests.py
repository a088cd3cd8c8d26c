"""Requests for the property tests: arbitrary JSON, requests near the valid ones, and where their values lie."""

import copy
from typing import Any

from hypothesis import strategies as st

from tests.spec.table import rows

REQUESTS = [row.request for row in rows()]
RELEASED = [row.request for row in rows() if row.verdict == "release"]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
objects = st.dictionaries(st.text(max_size=12), anything, max_size=8)
valid = st.sampled_from(REQUESTS).map(copy.deepcopy)
released = st.sampled_from(RELEASED).map(copy.deepcopy)

Path = tuple[Any, ...]


def paths(value: Any, prefix: Path = ()) -> list[Path]:
    """Give the way to every value inside a JSON value, the root left out."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in steps for path in ((*prefix, key), *paths(inner, (*prefix, key)))]


def put(request: dict[str, Any], path: Path, value: Any) -> None:
    holder = request
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value


def take(request: dict[str, Any], path: Path) -> None:
    holder = request
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a request near a valid one: some values replaced by anything, some keys taken away."""
    request: dict[str, Any] = draw(valid)
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(paths(request)))
        if draw(st.booleans()):
            put(request, path, draw(anything))
        else:
            take(request, path)
        if not request:
            break
    return request

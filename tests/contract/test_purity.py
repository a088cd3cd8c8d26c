import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.rendering.files import ROOT

SERVICES = ROOT / "services"
FORBIDDEN = {
    "open", "io.open", "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today",
    "datetime.date.today", "uuid.uuid1", "uuid.uuid4",
}  # fmt: skip
FORBIDDEN_MODULES = ("time.", "random.", "secrets.")
WIRING = {"agent.py", "__main__.py", "gazetteer_file.py"}
PURE_OF_INGRESS = (
    "description", "events", "guard", "identifiers", "intake", "particulars", "platforms", "processing", "reading",
    "recording", "refusals",
)  # fmt: skip
PURE_OF_CONSOLE = (
    "accounts", "counts", "lag", "login", "model", "overview", "picture", "reasons_view", "standing", "watching",
    "withdrawals",
)  # fmt: skip


def pure_modules() -> list[Path]:
    found = {
        *SERVICES.glob("contract/**/*.py"),
        *(path for path in SERVICES.glob("filtering/*.py") if path.name not in WIRING),
        *(path for path in SERVICES.glob("pseudonymisation/*.py") if path.name not in WIRING),
        *(path for path in SERVICES.glob("connectors/*.py") if path.name not in {*WIRING, "telling.py"}),
        *SERVICES.glob("ingress/formats/**/*.py"),
        *(SERVICES / "ingress" / f"{name}.py" for name in PURE_OF_INGRESS),
        *(SERVICES / "console" / f"{name}.py" for name in PURE_OF_CONSOLE),
        *SERVICES.glob("connectors/providers/**/mapping.py"),
    }
    return sorted(found)


def impurities(source: str) -> list[str]:
    """`line: name` of each mention, called or handed on as a value, of what reads a clock, chance or a file."""
    tree = ast.parse(source)
    names = dict(_imported(tree))
    mentions = ((node.lineno, _dotted(node, names)) for node in ast.walk(tree) if isinstance(node, ast.expr))
    return [f"{line}: {name}" for line, name in mentions if name in FORBIDDEN or name.startswith(FORBIDDEN_MODULES)]


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Name here → name where it comes from, whatever it was renamed to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield (one.asname, one.name) if one.asname else (one.name.split(".")[0], one.name.split(".")[0])
        if isinstance(node, ast.ImportFrom):
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return names.get(name, "open" if name == "open" else "")
        case ast.Attribute(value=value, attr=attribute):
            inside = _dotted(value, names)
            return f"{inside}.{attribute}" if inside else ""
        case _:
            return ""


@pytest.mark.parametrize("module", pure_modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_pure_module_reads_no_clock_no_chance_and_no_file(module: Path) -> None:
    assert impurities(module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "module",
    [
        pytest.param("contract/policies.py", id="what-every-stage-checks"),
        pytest.param("filtering/decision.py", id="the-decision"),
        pytest.param("filtering/consent.py", id="consent"),
        pytest.param("pseudonymisation/pseudonym.py", id="the-pseudonym"),
        pytest.param("connectors/ledger.py", id="the-ledger"),
        pytest.param("ingress/formats/aaf/parser.py", id="the-aaf-parser"),
        pytest.param("ingress/guard.py", id="the-guard"),
    ],
)
def test_module_that_must_be_pure_is_looked_at(module: str) -> None:
    assert SERVICES / module in pure_modules()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param("import datetime\ndatetime.datetime.now()", ["2: datetime.datetime.now"], id="now"),
        pytest.param("import datetime as d\nd.date.today()", ["2: datetime.date.today"], id="today-renamed"),
        pytest.param("from datetime import datetime as d\nd.utcnow()", ["2: datetime.datetime.utcnow"], id="utcnow"),
        pytest.param("from datetime import datetime\nf = datetime.now", ["2: datetime.datetime.now"], id="handed-on"),
        pytest.param("from uuid import uuid4\nuuid4()", ["2: uuid.uuid4"], id="uuid4"),
        pytest.param("def f():\n    return open('x')", ["2: open"], id="open"),
        pytest.param("import time\ntime.monotonic()", ["2: time.monotonic"], id="clock"),
        pytest.param("from time import time as t\nt()", ["2: time.time"], id="clock-renamed"),
        pytest.param("import random\nrandom.random()", ["2: random.random"], id="chance"),
        pytest.param("from secrets import token_bytes\ntoken_bytes(32)", ["2: secrets.token_bytes"], id="secret"),
        pytest.param("from datetime import time\nx = time(8)", [], id="a-time-of-day-is-no-clock"),
        pytest.param("def f(now, stream):\n    return now, stream.open()", [], id="arguments-are-welcome"),
    ],
)
def test_impurity_is_found_by_the_name_it_comes_from(source: str, found: list[str]) -> None:
    assert impurities(source) == found

"""`sanctuaire decide`: one decision request in, one verdict out."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ops.cli import exits
from ops.policy_files import POLICIES_FOLDER, read_register
from ops.register_files import REGISTER_FILE
from services.filtering.decision import decide as decide_request

app = typer.Typer(add_completion=False)

_LONGEST_INTEGER = 20


@app.command(
    epilog=exits.EPILOGUE,
    help=exits.manual(
        "Read a decision request (JSON) on stdin and print the verdict (JSON): release, hold, withhold or erase, with "
        "the rules that decided. Any JSON object gets a verdict; what is unknown in it is held.",
        "sanctuaire decide < request.json",
    ),
)
def decide(
    register: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="The law of places, a register.yaml.")
    ] = POLICIES_FOLDER / REGISTER_FILE,
) -> None:
    law = read_register(register)
    request = _read(sys.stdin.buffer.read())
    if request is None:
        print("sanctuaire: standard input is not a JSON object; give one decision request", file=sys.stderr)
        raise typer.Exit(exits.USAGE)
    print(json.dumps(decide_request(request, law).to_json(), separators=(",", ":")))


class _Twofold:
    """A key that is given twice, so that nobody can say which value was meant: of no type that a rule knows."""


def _read(raw: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_once, parse_int=_integer, parse_constant=_refuse_constant
        )
    except RecursionError:
        # Too deep to read: nothing of it is known, and that has a verdict too.
        return {} if raw.lstrip().startswith(b"{") else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        found[key] = _Twofold() if key in found else value
    return found


def _integer(text: str) -> int | float:
    """A number of any length is JSON; one too long for any rule needs no exact value."""
    return int(text) if len(text) <= _LONGEST_INTEGER else float(text)


def _refuse_constant(_name: str) -> None:
    """NaN and Infinity are not JSON."""
    raise ValueError

"""`python -m ops.demo`: the demonstration without the rest of the command line."""

import sys

import typer

from ops.demo.command import demo
from services.contract.errors import SanctuaireError


def main() -> int:
    """As `sanctuaire demo`; 1 with one line where it could not be run to its end."""
    try:
        typer.run(demo)
    except SanctuaireError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

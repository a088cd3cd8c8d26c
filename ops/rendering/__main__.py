"""`python -m ops.rendering [--check]`: write what the contract renders, or exit 1 naming what differs."""

import argparse
import sys
from pathlib import Path

from ops.rendering.files import ROOT, render


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Exit code: 0 when everything is current (or was written), 1 when `--check` found a difference."""
    parser = argparse.ArgumentParser(prog="python -m ops.rendering", description="Write what the contract renders.")
    parser.add_argument("--check", action="store_true", help="write nothing; name what differs and exit 1")
    check = parser.parse_args(arguments).check
    try:
        drifted = render(root, check=check)
    except LookupError as error:
        print(f"cannot render: {error.args[0]}", file=sys.stderr)
        return 1
    for path in drifted:
        print(f"{path}: differs from the contract" if check else f"{path}: written")
    return 1 if check and drifted else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m ops.benchmarks`: the same as `sanctuaire bench`."""

import sys

from ops.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", *sys.argv[1:]]))

"""`python -m ops.cli`: the same as `sanctuaire`."""

import sys

from ops.cli import main

sys.exit(main())

"""The command `sanctuaire`: what an operator does by hand. Each command's module is loaded when it is run."""

import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from ops.cli.application import application

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit codes are those of `exits`."""
    # Kafka's client logs each refused connection; the command says it once, in one line.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        application()(arguments, prog_name="sanctuaire")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except Exception as error:  # noqa: BLE001  # a traceback could quote a value
        # Loaded here only: the error tree brings pydantic, which would double the time of `--help`.
        failures = import_module("ops.cli.failures")
        print(failures.message_of(error), file=sys.stderr)
        return int(failures.exit_code_of(error))
    return 0

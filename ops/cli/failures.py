"""An error to one line and one exit code: what went wrong, where, what to do next, never a value."""

from pathlib import Path

from ops.cli import exits
from services.contract.errors import (
    AmbiguousPolicy,
    NotAnIdentifier,
    NotSigned,
    NotThisSet,
    SanctuaireError,
    Unreachable,
    Unreadable,
    Unusable,
)


def exit_code_of(error: Exception) -> int:
    match error:
        case Unreadable() | AmbiguousPolicy() | NotAnIdentifier() | NotSigned() | NotThisSet():
            return exits.DATA
        case Unreachable():
            return exits.UNAVAILABLE
        case Unusable():
            # An embedded broker that cannot run here is no cluster (ops.broker.errors, loaded only where it is used).
            return exits.UNAVAILABLE if error.code == "broker" else exits.SETTINGS
        case OSError():
            return exits.DATA
        case _:
            return exits.INTERNAL


def message_of(error: Exception) -> str:
    """One line for the terminal."""
    if isinstance(error, SanctuaireError):
        return f"sanctuaire: {' '.join(str(error).split())}"
    if isinstance(error, OSError) and error.strerror:
        return f"sanctuaire: {error.filename or 'file'}: {error.strerror}"
    return f"sanctuaire: a defect, {type(error).__name__} at {_place(error)}; please report this line"


def _place(error: Exception) -> str:
    """File and line of the last frame: code, never data."""
    trace = error.__traceback__
    if trace is None:
        return "an unknown place"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"

"""A file for its owner only, written whole or not at all: whoever reads it meanwhile never sees half of it."""

import os
import tempfile
from pathlib import Path

from services.contract.errors import WrongSettings


def write_private(path: Path, content: bytes) -> None:
    """In place of what is there, in one step; raise WrongSettings where that cannot be."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        beside = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WrongSettings(f"{path}: cannot be written ({error.strerror})") from None

"""The register of platforms as a file, read again whenever it has changed: a token that is revoked ends at once."""

import os
from pathlib import Path

from services.contract.errors import SanctuaireError, WrongSettings
from services.ingress.platforms import MAX_REGISTER_BYTES, Register, parse_register
from services.runtime import journal

VARIABLE = "SANCTUAIRE_PLATFORMS_FILE"
REMEDY = "make one with `sanctuaire ingress token NAME --source SOURCE`"


class RegisterFile:
    """Who may post, as of now."""

    def __init__(self, path: Path | None) -> None:
        """Raise WrongSettings where there is no register that can be used: nobody could post anything."""
        if path is None:
            raise WrongSettings(f"{VARIABLE}: not set; {REMEDY}")
        self._path = path
        self._seen = self._stamp()
        self._register: Register | None = self._read()

    def current(self) -> Register | None:
        """Null while the file cannot be used; that is said once in the journal, and then nobody may post."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._register = self._read()
            except SanctuaireError as error:
                self._register = None
                journal.emit(journal.FAILED, stage="ingress", kind=error.code, where=VARIABLE)
        return self._register

    def _stamp(self) -> object:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode

    def _read(self) -> Register:
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & 0o077:
                    raise WrongSettings(f"{VARIABLE}: others than its owner have access to that file; chmod 600 it")
                raw = file.read(MAX_REGISTER_BYTES + 1)
        except OSError:
            raise WrongSettings(f"{VARIABLE}: that file cannot be read; {REMEDY}") from None
        try:
            return parse_register(raw)
        except SanctuaireError as error:
            raise WrongSettings(f"{VARIABLE}: {error}; {REMEDY}") from None

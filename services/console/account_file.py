"""The one account, read from its file whenever that has changed: a new password ends every session at once."""

import os
from pathlib import Path
from typing import Final

from services.console.login import MAX_ACCOUNT_BYTES, Account, parse_account
from services.contract.errors import SanctuaireError, WrongSettings
from services.runtime import journal

VARIABLE: Final = "SANCTUAIRE_OPERATOR_FILE"
REMEDY: Final = "make one with `sanctuaire console password --file PATH`"


class AccountFile:
    """Who may look, as of now."""

    def __init__(self, path: Path | None) -> None:
        """Raise WrongSettings where there is no account that can be used: nobody could look."""
        if path is None:
            raise WrongSettings(f"{VARIABLE}: not set; {REMEDY}")
        self._path = path
        self._seen = self._stamp()
        self._account: Account | None = self._read()

    def current(self) -> Account | None:
        """Null while the file cannot be used; then nobody gets in, and no session holds."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._account = self._read()
            except SanctuaireError as error:
                self._account = None
                journal.emit(journal.FAILED, stage="console", kind=error.code, where=VARIABLE)
        return self._account

    def _stamp(self) -> object:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode

    def _read(self) -> Account:
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & 0o077:
                    raise WrongSettings(f"{VARIABLE}: others than its owner have access to that file; chmod 600 it")
                raw = file.read(MAX_ACCOUNT_BYTES + 1)
        except OSError:
            raise WrongSettings(f"{VARIABLE}: that file cannot be read; {REMEDY}") from None
        try:
            return parse_account(raw)
        except SanctuaireError as error:
            raise WrongSettings(f"{VARIABLE}: {error}; {REMEDY}") from None

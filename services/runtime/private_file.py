"""A file that its owner alone may read, read again whenever it has changed: what is taken back in it ends at once."""

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from services.contract.errors import SanctuaireError, WrongSettings
from services.runtime import journal

Content = TypeVar("Content")


class PrivateFile(ABC, Generic[Content]):
    """What stands in it, as of now."""

    service: ClassVar[str]
    variable: ClassVar[str]
    """The setting that says where it is."""
    remedy: ClassVar[str]
    """What to do where there is none."""
    most_bytes: ClassVar[int]

    def __init__(self, path: Path | None) -> None:
        """Raise WrongSettings where there is nothing that can be used: nobody could get in."""
        if path is None:
            raise WrongSettings(f"{self.variable}: not set; {self.remedy}")
        self._path = path
        self._seen = self._stamp()
        self._content: Content | None = self._read()

    @staticmethod
    @abstractmethod
    def parse(raw: bytes) -> Content:
        """Raise SanctuaireError for what cannot be used; `raw` may be one octet longer than allowed."""

    def current(self) -> Content | None:
        """Null while the file cannot be used: nobody gets in then. That is said once in the journal."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._content = self._read()
            except SanctuaireError as error:
                self._content = None
                journal.emit(journal.FAILED, stage=self.service, kind=error.code, where=self.variable)
        return self._content

    def _stamp(self) -> object:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode

    def _read(self) -> Content:
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & 0o077:
                    raise WrongSettings(
                        f"{self.variable}: others than its owner have access to that file; chmod 600 it"
                    )
                raw = file.read(self.most_bytes + 1)
        except OSError:
            raise WrongSettings(f"{self.variable}: that file cannot be read; {self.remedy}") from None
        try:
            return self.parse(raw)
        except SanctuaireError as error:
            raise WrongSettings(f"{self.variable}: {error}; {self.remedy}") from None

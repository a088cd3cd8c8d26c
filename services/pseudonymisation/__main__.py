"""`python -m services.pseudonymisation`: the pseudonymiser as a process, the only one that reads roots."""

from pathlib import Path

from services.contract.errors import NoKey, WeakKey
from services.pseudonymisation.agent import PseudonymisationAgent
from services.pseudonymisation.keyring import Keyring, KeySource, ProviderKeys
from services.pseudonymisation.sealing import open_keyring
from services.runtime.policies import PolicyBook
from services.runtime.settings import Settings
from services.runtime.stream import main


class SealedFiles:
    """The keyring on disk: opened for each key that is asked for, and closed again, so that no root stays here."""

    def __init__(self, settings: Settings) -> None:
        self._keyring_file = settings.keyring_file
        self._kek_file = settings.key_encryption_key_file

    def open(self) -> Keyring:
        sealed = _secret(self._keyring_file, "SANCTUAIRE_KEYRING_FILE")
        return open_keyring(sealed, _secret(self._kek_file, "SANCTUAIRE_KEY_ENCRYPTION_KEY_FILE"))

    def keys_of(self, provider: str, purpose_family: str, serial: int) -> ProviderKeys:
        """While the files are being exchanged, there is no key, and whoever needs one waits."""
        try:
            return self.open().keys_of(provider, purpose_family, serial)
        except WeakKey as error:
            raise NoKey(str(error)) from None

    def stamp(self) -> object:
        """Null while there is no file: what is held then stays."""
        try:
            found = self._keyring_file.stat() if self._keyring_file else None
        except OSError:
            return None
        return found and (found.st_ino, found.st_mtime_ns, found.st_size)


def build(settings: Settings, policies: PolicyBook) -> PseudonymisationAgent:
    """Refuse to start without keys: no key, nothing."""
    files = SealedFiles(settings)
    return PseudonymisationAgent(policies, KeySource(files.open().perimeter, files.keys_of, files.stamp))


def _secret(path: Path | None, variable: str) -> bytes:
    try:
        if path and path.stat().st_mode & 0o077:
            message = f"{variable}: others than its owner may read that file; chmod 600 it"
            raise NoKey(message)
        return path.read_bytes() if path else b""
    except OSError:
        message = f"{variable}: that file cannot be read; `sanctuaire keys init` makes one"
        raise NoKey(message) from None


if __name__ == "__main__":
    main("pseudonymisation", build)

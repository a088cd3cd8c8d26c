"""`python -m services.pseudonymisation`: the pseudonymiser as a process, the only one that reads roots."""

from pathlib import Path

from services.contract.errors import NoKey
from services.pseudonymisation.agent import PseudonymisationAgent
from services.pseudonymisation.keyring import open_keyring
from services.runtime.policies import PolicyBook
from services.runtime.settings import Settings
from services.runtime.stream import main


def build(settings: Settings, policies: PolicyBook) -> PseudonymisationAgent:
    """Refuse to start without keys: no key, nothing."""
    sealed = _secret(settings.keyring_file, "SANCTUAIRE_KEYRING_FILE")
    kek = _secret(settings.key_encryption_key_file, "SANCTUAIRE_KEY_ENCRYPTION_KEY_FILE")
    return PseudonymisationAgent(policies, open_keyring(sealed, kek))


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

"""The console's one account on disk: a password is made, said once, and kept only as scrypt."""

import base64
from collections.abc import Callable
from pathlib import Path

from ops.private_files import write_private
from services.console.login import PASSWORD_OCTETS, make_account

ACCOUNT_FILE = "operator.json"
NAME = "operator"


def renew(path: Path, name: str, random_bytes: Callable[[int], bytes]) -> str:
    """Make the account, or give it a new password, which ends every session; the password, which nobody reads again."""
    password = base64.urlsafe_b64encode(random_bytes(PASSWORD_OCTETS)).decode()
    account = make_account(name, password, random_bytes(16), random_bytes(32))
    write_private(path, account.model_dump_json(indent=2).encode() + b"\n")
    return password

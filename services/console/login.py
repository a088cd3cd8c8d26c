"""Who may look: one account, its password as scrypt, its sessions as a keyed digest. Chance and time are given."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Annotated, Final

from pydantic import Base64UrlBytes, StringConstraints, ValidationError

from services.contract.errors import NotThisSchema, Payload

COST: Final = 2**15
"""scrypt with r = 8 and p = 3, as OWASP's password storage sheet has it for 32 MiB."""
MAX_ACCOUNT_BYTES: Final = 4096
MAX_PASSWORD: Final = 256
SESSION_SECONDS: Final = 12 * 3600
PASSWORD_OCTETS: Final = 15


class Account(Payload):
    """The one account, as it lies on disk; no password can be read from it."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    salt: Base64UrlBytes
    digest: Base64UrlBytes
    session_key: Base64UrlBytes
    """Signs sessions; a new password has a new one, which ends them all."""


def make_account(name: str, password: str, salt: bytes, session_key: bytes) -> Account:
    encoded = (urlsafe_b64encode(each) for each in (salt, _digest(password, salt), session_key))
    made = dict(zip(("salt", "digest", "session_key"), encoded, strict=True))
    return Account(name=name, **made)


def parse_account(raw: bytes) -> Account:
    """Raise NotThisSchema where that is no account."""
    try:
        if len(raw) > MAX_ACCOUNT_BYTES:
            raise NotThisSchema("account: too large")
        account = Account.model_validate_json(raw)
    except ValidationError:
        raise NotThisSchema("account: not what `sanctuaire console password` writes") from None
    if len(account.session_key) < 32 or len(account.salt) < 16:
        raise NotThisSchema("account: too short a key or salt")
    return account


def is_right(account: Account, name: str, password: str) -> bool:
    """In the same time for a wrong name as for a wrong password."""
    known = hmac.compare_digest(account.name.encode(), name.encode())
    return hmac.compare_digest(account.digest, _digest(password[:MAX_PASSWORD], account.salt)) and known


def new_session(account: Account, now: float, nonce: str) -> str:
    """A cookie's value; `nonce` is random."""
    said = f"{int(now) + SESSION_SECONDS}.{nonce}"
    return f"{said}.{_mac(account, 'session', said)}"


def is_session(account: Account, cookie: str, now: float) -> bool:
    said, _, mac = cookie.rpartition(".")
    until = said.partition(".")[0]
    good = hmac.compare_digest(mac.encode(), _mac(account, "session", said).encode())
    return good and until.isascii() and until.isdecimal() and now < int(until)


def form_token(account: Account, cookie: str) -> str:
    """What a form must bring beside the cookie, so that no other site can send it."""
    return _mac(account, "form", cookie)


def is_form_token(account: Account, cookie: str, token: str) -> bool:
    return bool(cookie) and hmac.compare_digest(token.encode(), form_token(account, cookie).encode())


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=8, p=3, maxmem=64 << 20, dklen=32)


def _mac(account: Account, purpose: str, said: str) -> str:
    return hmac.new(account.session_key, f"{purpose}\0{said}".encode(), hashlib.sha256).hexdigest()

"""That an operator looked at what is known of one person, or who she is: on the record, without saying of whom.

Whoever has an identity in hand can find out whether it was looked up; nobody can get an identity out of the record.
"""

import hashlib
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, StringConstraints

from services.contract.acts import Signed
from services.contract.errors import Payload
from services.contract.policies import Slug

Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}$")]
"""The number of the request or incident that something was done for; no text, which could name somebody."""

ReadActKind = Literal["explained", "pseudonyms-told", "found"]

SALT_OCTETS: Final = 16
_DIGEST_OCTETS: Final = 32
# RFC 7914 §2: 16 MiB and some 50 ms a guess. An INE has eleven characters, so that a plain hash could be guessed back.
_N, _R, _P = 1 << 14, 8, 1
_MEMORY: Final = 64 * 1024 * 1024


class ReadAct(Payload):
    """One look at one person: why a provider knows her, by which names providers do, or who is behind one of these."""

    act: ReadActKind
    at: AwareDatetime
    by: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    """Who ran the command."""
    reference: Reference | None
    provider: Slug | None
    """Null where it is of all of them."""
    salt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    subject: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """scrypt, under this salt, of her routing key; where nobody was found, of what was asked for."""
    found: bool
    values: bool
    """Whether the values of attributes were shown."""
    signed: tuple[Signed, ...] = ()
    """Of who was found behind a name: the two operators whose signatures it rests on."""


def sealed_subject(key: str, salt: bytes) -> str:
    """The `subject` of a record: the same for the same key and salt, and slow to guess back."""
    return hashlib.scrypt(key.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=_MEMORY, dklen=_DIGEST_OCTETS).hex()


def speaks_of(act: ReadAct, key: str) -> bool:
    """Whether a record is of this person, for an auditor who has her key."""
    return sealed_subject(key, bytes.fromhex(act.salt)) == act.subject


def read_act(  # noqa: PLR0913  # as many as there are parts
    *,
    key: str,
    salt: bytes,
    at: datetime,
    by: str,
    reference: str | None,
    provider: str | None,
    found: bool,
    values: bool = False,
    act: ReadActKind = "explained",
    signed: tuple[Signed, ...] = (),
) -> ReadAct:
    """The record of one look; `salt` is 16 octets, fresh and random."""
    return ReadAct(
        act=act, at=at, by=by, reference=reference, provider=provider, salt=salt.hex(),
        subject=sealed_subject(key, salt), found=found, values=values, signed=signed,
    )  # fmt: skip

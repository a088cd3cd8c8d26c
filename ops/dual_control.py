"""What takes two operators: the first signs a request, the second confirms it with another key, in time.

Both keys are among the trusted ones, which are not for either of them to write. A signature binds what is asked, so
that a request for one thing confirms no other.
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, Field

from ops.policy_signatures import fingerprint
from services.contract.acts import Operator, Signed
from services.contract.errors import NotSigned, Payload, Unreadable, WrongSettings
from services.contract.parsing import parse_payload
from services.contract.reads import Reference

_CONTEXT: Final = b"sanctuaire request 1\n"
_MAX_BYTES: Final = 1 << 16
LONGEST: Final = timedelta(days=7)


class Request(Payload):
    """What the first operator asks for. `matter` is an epoch, or a pseudonym at a provider: never an identity."""

    act: Literal["destroy-root", "find-person"]
    perimeter: str
    matter: str
    reference: Reference
    by: Operator
    at: AwareDatetime
    until: AwareDatetime


class SignedRequest(Request):
    """As it lies in a file between the two; `signature` is base64."""

    signature: str = Field(repr=False)


def sign_request(request: Request, key: Ed25519PrivateKey) -> SignedRequest:
    if not request.at < request.until <= request.at + LONGEST:
        raise WrongSettings(f"a request holds for {LONGEST.days} days at most")
    signature = base64.b64encode(key.sign(_octets(request))).decode()
    return SignedRequest(**dict(request), signature=signature)


def confirm(
    request: SignedRequest, trusted: Sequence[Ed25519PublicKey], key: Ed25519PrivateKey, by: str, now: datetime
) -> tuple[Signed, Signed]:
    """Who asked and who confirms.

    Raises:
        NotSigned: it is out of time, or one of the two is not trusted, or both are one.
    """
    # Whoever asked may have signed for longer, by other means than ours.
    if not request.at <= now < min(request.until, request.at + LONGEST):
        raise NotSigned("the request is not in its time; have it made again")
    second = key.public_key()
    known = {fingerprint(each) for each in trusted}
    if fingerprint(second) not in known:
        raise NotSigned("your key is not among the trusted ones")
    first = next((each for each in trusted if _has_signed(each, request)), None)
    if first is None:
        raise NotSigned("none of the trusted keys has signed this request")
    if fingerprint(first) == fingerprint(second):
        raise NotSigned("the request was signed with this very key: another operator confirms it")
    if request.by == by:
        raise NotSigned("the request was made under the same name: another operator confirms it")
    return (
        Signed(by=request.by, at=request.at, key=fingerprint(first)),
        Signed(by=by, at=now, key=fingerprint(second)),
    )


def _has_signed(key: Ed25519PublicKey, request: SignedRequest) -> bool:
    asked = Request(**{name: getattr(request, name) for name in Request.model_fields})
    try:
        key.verify(base64.b64decode(request.signature, validate=True), _octets(asked))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _octets(request: Request) -> bytes:
    return _CONTEXT + orjson.dumps(request.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)


def write_request(path: Path, request: SignedRequest) -> None:
    """Beside nothing that is there: a request is made once."""
    try:
        with path.open("xb") as file:
            file.write(orjson.dumps(request.model_dump(mode="json"), option=orjson.OPT_INDENT_2) + b"\n")
    except OSError as error:
        raise WrongSettings(f"{path}: cannot be written ({error.strerror})") from None


def read_request(path: Path) -> SignedRequest:
    """Raise NotSigned where there is none, or where it is none."""
    try:
        with path.open("rb") as file:
            return parse_payload(SignedRequest, file.read(_MAX_BYTES), _MAX_BYTES)
    except (OSError, Unreadable):
        raise NotSigned(f"{path.name}: cannot be read as a signed request") from None

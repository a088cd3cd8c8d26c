"""Who answers for a set of policies: an Ed25519 signature (RFC 8032) over the digest of each of its files.

The public keys that count never come from the folder that is to be put in force: whoever can write there could name
their own.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import AwareDatetime

from ops.key_files import create_both, read_key_file
from services.contract.acts import Operator, Signed
from services.contract.errors import NotSigned, Payload, Unreadable, WeakKey, WrongSettings
from services.contract.parsing import parse_payload
from services.contract.policies import Digest

SIGNATURE_FILE: Final = "policies.sig"
PRIVATE_FILE: Final = "policies.key"
TRUSTED_FILE: Final = "policies.pub"
REMEDY: Final = "make them with `sanctuaire policy keygen`"
_CONTEXT: Final = b"sanctuaire policies 1\n"
_MAX_BYTES: Final = 1 << 20
_PEM: Final = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


class Statement(Payload):
    """What is signed: which files, by whom, when."""

    by: Operator
    at: AwareDatetime
    files: Mapping[str, Digest]


class SignatureFile(Statement):
    """What `policies.sig` holds; `signature` is base64."""

    signature: str


@dataclass(frozen=True, slots=True)
class SigningFiles:
    """The key of somebody who may sign, and the file of trusted keys that names it."""

    private: Path
    trusted: Path

    @classmethod
    def within(cls, directory: Path) -> Self:
        return cls(directory / PRIVATE_FILE, directory / TRUSTED_FILE)


def generate(directory: Path) -> SigningFiles:
    """Make a signing key, readable by its owner only, and the file of trusted keys that names it alone.

    Raises:
        WrongSettings: either is there already, or the folder cannot be written.
    """
    files, key = SigningFiles.within(directory), Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    create_both((files.private, private), (files.trusted, public))
    return files


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    """A private key in PEM, as `keygen` or `openssl genpkey -algorithm ed25519` writes it.

    Raises:
        NoKey, WeakKey: no such file, others may read it, or it is no such key.
    """
    try:
        key = load_pem_private_key(read_key_file(path, private=True, remedy=REMEDY), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise WeakKey(f"{path}: no Ed25519 key in PEM without a password; {REMEDY}")
    return key


def read_trusted(path: Path) -> tuple[Ed25519PublicKey, ...]:
    """The public keys of whoever may sign: one or several in PEM, anything between them is a comment.

    Raises:
        NoKey, WrongSettings: no such file, or it holds no such key, or something else beside.
    """
    found = []
    for block in _PEM.findall(read_key_file(path, remedy=REMEDY)):
        try:
            key = load_pem_public_key(block)
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise WrongSettings(f"{path}: a key in it is no Ed25519 key")
        found.append(key)
    if not found:
        raise WrongSettings(f"{path}: no public key in PEM; {REMEDY}")
    return tuple(found)


def sign(files: Mapping[str, bytes], key: Ed25519PrivateKey, by: str, at: datetime) -> SignatureFile:
    statement = Statement(by=by, at=at, files=_digests(files))
    signature = base64.b64encode(key.sign(_signed_octets(statement))).decode()
    return SignatureFile(**dict(statement), signature=signature)


def verify(files: Mapping[str, bytes], signature: SignatureFile, trusted: Sequence[Ed25519PublicKey]) -> Signed:
    """Say who signed exactly these files.

    Raises:
        NotSigned: nobody who is trusted did, or some file is another.
    """
    statement = Statement(by=signature.by, at=signature.at, files=signature.files)
    signed = _digests(files)
    if statement.files != signed:
        names = sorted(name for name in {*signed, *statement.files} if signed.get(name) != statement.files.get(name))
        raise NotSigned(f"{SIGNATURE_FILE}: these files are not as they were signed: {', '.join(names)}; {_AGAIN}")
    try:
        octets = base64.b64decode(signature.signature, validate=True)
    except (ValueError, binascii.Error):
        raise NotSigned(f"{SIGNATURE_FILE}: no signature in base64; {_AGAIN}") from None
    for key in trusted:
        try:
            key.verify(octets, _signed_octets(statement))
        except InvalidSignature:
            continue
        return Signed(by=signature.by, at=signature.at, key=fingerprint(key))
    raise NotSigned(f"{SIGNATURE_FILE}: none of the trusted keys has signed this; {_AGAIN}")


_AGAIN: Final = "have it signed with `sanctuaire policy sign`"


def read_signature(path: Path) -> SignatureFile:
    """Raise NotSigned where there is none, or where it is none."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES)
        return parse_payload(SignatureFile, raw, _MAX_BYTES)
    except FileNotFoundError:
        raise NotSigned(f"{path.name}: the set is not signed; {_AGAIN}") from None
    except (OSError, Unreadable):
        raise NotSigned(f"{path.name}: cannot be read as a signature; {_AGAIN}") from None


def write_signature(path: Path, signature: SignatureFile) -> None:
    content = orjson.dumps(signature.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
    try:
        path.write_bytes(content + b"\n")
    except OSError as error:
        raise WrongSettings(f"{path}: cannot be written ({error.strerror})") from None


def fingerprint(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: "sha256:" + hashlib.sha256(octets).hexdigest() for name, octets in files.items()}


def _signed_octets(statement: Statement) -> bytes:
    return _CONTEXT + orjson.dumps(statement.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)

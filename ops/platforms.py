"""The register of platforms on disk: written whole or not at all, for its owner only, digests in place of tokens."""

import base64
from collections.abc import Callable
from pathlib import Path

from ops.private_files import write_private
from services.contract.errors import NotThisFormat, SanctuaireError, WrongSettings
from services.ingress.platforms import (
    MAX_REGISTER_BYTES,
    NOBODY,
    TOKEN_OCTETS,
    TOKEN_PREFIX,
    Platform,
    Register,
    digest_of,
    parse_register,
)

REGISTER_FILE = "platforms.json"


def read(path: Path) -> Register:
    """What is on disk; nobody, where there is no file.

    Raises:
        WrongSettings: it is there and cannot be used.
    """
    try:
        with path.open("rb") as file:
            return parse_register(file.read(MAX_REGISTER_BYTES + 1))
    except FileNotFoundError:
        return NOBODY
    except OSError as error:
        raise WrongSettings(f"{path}: cannot be read ({error.strerror})") from None
    except SanctuaireError as error:
        raise WrongSettings(f"{path}: {error}") from None


def grant(
    path: Path, name: str, sources: tuple[str, ...], *, ine: bool, replace: bool, random_bytes: Callable[[int], bytes]
) -> str:
    """Enter a platform, and give its token, which nobody can read again; `random_bytes` is a cryptographic source.

    Raises:
        WrongSettings: it is there already, and is not to be replaced; or the name or a source is none.
    """
    known = [platform for platform in read(path).platforms if platform.name != name]
    if len(known) != len(read(path).platforms) and not replace:
        raise WrongSettings(f"{path}: that platform is there already; --replace gives it a new token and ends the old")
    secret = base64.urlsafe_b64encode(random_bytes(TOKEN_OCTETS)).decode().rstrip("=")
    token = f"{TOKEN_PREFIX}{secret}"
    try:
        platform = Platform(name=name, digest=digest_of(token), sources=sources, ine=ine)
    except ValueError:
        raise NotThisFormat(
            "a platform's name is lower-case letters, digits and hyphens; a source is as its changes write it"
        ) from None
    write(path, Register(platforms=(*known, platform)))
    return token


def revoke(path: Path, name: str) -> None:
    """Take a platform out; raise WrongSettings where it is not there."""
    register = read(path)
    left = tuple(platform for platform in register.platforms if platform.name != name)
    if left == register.platforms:
        raise WrongSettings(f"{path}: no such platform")
    write(path, Register(platforms=left))


def write(path: Path, register: Register) -> None:
    """In place of what is there, in one step: a running ingress never sees half of it."""
    write_private(path, register.model_dump_json(indent=2).encode() + b"\n")

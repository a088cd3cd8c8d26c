"""Which platform a token is, and of which sources it may speak. Holds digests, never a token."""

import hashlib
import hmac
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from services.contract.changes import Source
from services.contract.errors import Payload
from services.contract.parsing import parse_payload

TOKEN_OCTETS: Final = 32
TOKEN_PREFIX: Final = "sanctuaire_"  # noqa: S105  # what all tokens begin with
"""So that whoever searches a repository or a log for secrets finds one."""
MAX_REGISTER_BYTES: Final = 1 << 20

PlatformName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Platform(Payload):
    """Who may post, and of whom."""

    name: PlatformName
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(repr=False)
    """SHA-256 of the token: a token is random through and through, so that nothing slower is needed."""
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    """Its subjects are `<source>:<id>` of these sources, and so are the guardians it names."""
    ine: bool
    """Whether it may also speak of a person by the INE, which says nothing of whose pupil it is."""


class Register(Payload):
    """Every platform that may post; nobody else may."""

    platforms: tuple[Platform, ...]

    @model_validator(mode="after")
    def _is_unambiguous(self) -> Self:
        for of in ("name", "digest"):
            if len({getattr(platform, of) for platform in self.platforms}) != len(self.platforms):
                raise ValueError(f"the same {of} twice")
        return self

    def platform_of(self, token: str) -> Platform | None:
        """Compare with every one of them, so that the time taken says nothing of how near a token was."""
        digest, found = digest_of(token), None
        for platform in self.platforms:
            if hmac.compare_digest(platform.digest, digest):
                found = platform
        return found


NOBODY: Final = Register(platforms=())


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def parse_register(raw: bytes) -> Register:
    """Parse a register, or raise TooLarge, NotJson or NotThisSchema, none of which quotes it."""
    return parse_payload(Register, raw, MAX_REGISTER_BYTES)

"""What is known of one person: an image a source, the consents, and what was last said of each pair. Pure."""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import orjson

from services.contract.naming import NameParts
from services.contract.policies import Kind
from services.filtering import particulars
from services.filtering.particulars import NOTHING_PARTICULAR, Particulars

SUBJECT = b"s/"
"""Where the filter's state keeps a person: under this, then her key."""


class Image(NamedTuple):
    """One source's word on a person. `patched` holds the version of each attribute said later than the image."""

    id: str
    category: str
    version: str | None
    deleted: str | None
    attributes: Mapping[str, Any]
    patched: Mapping[str, str]

    @property
    def whole(self) -> bool:
        """Whether a full image has come, and has not been deleted since."""
        return self.version is not None and self.deleted is None


class Pair(NamedTuple):
    """What the filter last said of one subject under one contract."""

    seq: int
    last: Literal["release", "restrict", "erase"]
    digest: str
    """Of what was released; and behind it, once names have changed, the mark of those it left under (`mark_of`)."""
    named_by: NameParts
    """It has been checked once."""
    purpose_family: str
    """As when it was released: the contract may be gone when it is to be erased."""

    @property
    def serial(self) -> int:
        """Under which names it last left."""
        return int(self.digest.partition(_MARK)[2] or 0)

    @property
    def shown(self) -> str:
        """What was released, whatever the names it left under."""
        return self.digest.partition(_MARK)[0]

    def erased(self, seq: int, serial: int) -> "Pair":
        """The pair once its withdrawal has gone out."""
        return Pair(seq, "erase", mark_of(serial), self.named_by, self.purpose_family)

    def restricted(self, seq: int, serial: int) -> "Pair":
        """The pair once its restriction has gone out; any release lifts it."""
        return Pair(seq, "restrict", mark_of(serial), self.named_by, self.purpose_family)

    def renamed(self, seq: int, serial: int) -> "Pair":
        """The pair once its other name has gone out, and nothing else.

        What was released named schools and groups as of before: it goes again as soon as it may.
        """
        return Pair(seq, self.last, mark_of(serial), self.named_by, self.purpose_family)


_MARK: Final = "/"


def mark_of(serial: int) -> str:
    """Nothing, where names never changed: a pair then costs what it always did."""
    return f"{_MARK}{serial}" if serial else ""


class Subject:  # noqa: PLW1641  # nobody is looked up by all that is known of her
    """Everything the filter remembers of one person. Pairs are keyed `<provider>/<contract>`.

    No tuple: it is made three times a change. Nor does it show what it holds, wherever it may be printed.
    """

    def __init__(
        self, images: Mapping[str, Image], consents: tuple[Mapping[str, Any], ...], pairs: Mapping[str, Pair],
        particulars: Particulars = NOTHING_PARTICULAR,
    ) -> None:  # fmt: skip
        self.images, self.consents, self.pairs, self.particulars = images, consents, pairs, particulars

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subject) and (
            (self.images, self.consents, self.pairs, self.particulars)
            == (other.images, other.consents, other.pairs, other.particulars)
        )

    @property
    def picked(self) -> tuple[str, Image] | None:
        """The source and image that count: of the whole ones the latest, then the first source by name."""
        if len(self.images) == 1:
            ((source, image),) = self.images.items()
            return (source, image) if image.whole else None
        whole = [(image.version or "", source) for source, image in self.images.items() if image.whole]
        if not whole:
            return None
        latest = max(version for version, _ in whole)
        source = min(name for version, name in whole if version == latest)
        return source, self.images[source]

    def knowing(self, known: Particulars) -> "Subject":
        """The same person, of whom this is known beside."""
        rare = NOTHING_PARTICULAR if known == NOTHING_PARTICULAR else known
        return Subject(self.images, self.consents, self.pairs, rare)

    def consenting(self, consents: tuple[Mapping[str, Any], ...]) -> "Subject":
        """The same person, with these decisions."""
        return Subject(self.images, consents, self.pairs, self.particulars)

    def shown(self, images: Mapping[str, Image]) -> "Subject":
        """The same person, as these show her."""
        return Subject(images, self.consents, self.pairs, self.particulars)

    def told(self, pairs: Mapping[str, Pair]) -> "Subject":
        """The same person, of whom this was last said."""
        return Subject(self.images, self.consents, pairs, self.particulars)

    @property
    def deleted(self) -> bool:
        """Whether every source that ever had the person has let go; a patch alone shows nobody."""
        had = [image for image in self.images.values() if image.version or image.deleted]
        return bool(had) and all(image.deleted for image in had)


NOBODY = Subject({}, (), {})


def kind_of(image: Image) -> Kind:
    """AAF calls every adult of a school staff: who holds a teaching post is a teacher."""
    match image.category:
        case "pupil":
            return "pupil"
        case "guardian":
            return "guardian"
        case "teacher":
            return "teacher"
        case _:
            posts = image.attributes.get("functions") or ()
            return "teacher" if any(post["code"] == "ENS" for post in posts) else "staff"


def dump(subject: Subject) -> bytes:
    """The subject as the state keeps it."""
    kept = {
        "images": {source: list(image) for source, image in subject.images.items()},
        "consents": subject.consents,
        "pairs": {name: list(pair) for name, pair in subject.pairs.items()},
    }
    if subject.particulars is not NOTHING_PARTICULAR:
        kept["particulars"] = particulars.dump(subject.particulars)
    return orjson.dumps(kept)


def load(raw: bytes | None) -> Subject:
    """The subject of a state entry; nobody where there is none."""
    if raw is None:
        return NOBODY
    kept = orjson.loads(raw)
    return Subject(
        {source: Image(*parts) for source, parts in kept["images"].items()},
        tuple(kept["consents"]),
        {
            name: Pair(seq, last, digest, tuple(named), family)
            for name, (seq, last, digest, named, family) in kept["pairs"].items()
        },
        particulars.load(kept["particulars"]) if "particulars" in kept else NOTHING_PARTICULAR,
    )

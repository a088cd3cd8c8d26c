"""What is known of one person: an image a source, the consents, and what was last said of each pair.

Folding is a pure function of state and input, so that any replay ends in the same state. Order comes from versions,
never from arrival.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, assert_never

import orjson

from services.contract.changes import Change
from services.contract.consents import ConsentDecision
from services.contract.policies import Kind
from services.contract.told_changes import ToldChange, told_by
from services.filtering import particulars
from services.filtering.particulars import NOTHING_PARTICULAR, Folded, Particulars

SUBJECT = b"s/"
"""Where the filter's state keeps a person: under this, then her key."""

NameParts = tuple[str, str, str, str]
"""The values of a `NamedBy`, in its order: what a pair was named by has been checked once."""


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


class Subject(NamedTuple):
    """Everything the filter remembers of one person. Pairs are keyed `<provider>/<contract>`."""

    images: Mapping[str, Image]
    consents: tuple[Mapping[str, Any], ...]
    pairs: Mapping[str, Pair]
    particulars: Particulars = NOTHING_PARTICULAR

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
        return self._replace(particulars=NOTHING_PARTICULAR if known == NOTHING_PARTICULAR else known)

    @property
    def deleted(self) -> bool:
        """Whether every source that ever had the person has let go; a patch alone shows nobody."""
        had = [image for image in self.images.values() if image.version or image.deleted]
        return bool(had) and all(image.deleted for image in had)


NOBODY = Subject({}, (), {})

MAX_ALIKE = 8
"""How many decisions of one party, status, purpose and provider are kept, the latest by `at`.

The last word of each status decides; the rest are only there in case of dates still to come. Without a bound, whoever
writes decisions could make one person's state too large to be written at all.
"""


def fold(subject: Subject, change: Change | ToldChange) -> tuple[Subject, Folded]:
    """Take one change in; a change that is not newer than what is known alters nothing."""
    if not isinstance(change, ToldChange):
        change = told_by(change)
    known = subject.images.get(change.source)
    if known and known.id != change.id and (change.kind != "upsert" or change.version <= newest(known)):
        return subject, "superseded"
    match change.kind:
        case "upsert":
            image, folded = _upsert(known, change)
        case "patch":
            image, folded = _patch(known, change)
        case "delete":
            image, folded = _delete(known, change)
        case _:
            assert_never(change.kind)
    if image is None:
        return subject, folded
    images = {**subject.images, change.source: image}
    return Subject(images, subject.consents, subject.pairs, subject.particulars), folded


def newest(image: Image) -> str:
    """The latest version that said anything of it."""
    return max(image.version or "", image.deleted or "", *image.patched.values())


def _stale(known: Image, version: str) -> Folded | None:
    bound = max(known.version or "", known.deleted or "")
    if version == bound:
        return "duplicate"
    return "superseded" if version < bound else None


def _upsert(known: Image | None, change: ToldChange) -> tuple[Image | None, Folded]:
    if known is None:
        return Image(change.id, change.category, change.version, None, change.said, {}), "changed"
    if stale := _stale(known, change.version):
        return None, stale
    later = {name: version for name, version in known.patched.items() if version > change.version}
    attributes = {**change.said, **{name: known.attributes.get(name) for name in later}}
    return Image(change.id, change.category, change.version, None, attributes, later), "changed"


def _patch(known: Image | None, change: ToldChange) -> tuple[Image | None, Folded]:
    known = known or Image(change.id, change.category, None, None, {}, {})
    if stale := _stale(known, change.version):
        return None, stale
    said = {name: value for name, value in change.said.items() if known.patched.get(name, "") < change.version}
    if not said:
        repeated = change.version in known.patched.values()
        return None, "duplicate" if repeated else "superseded"
    patched = {**known.patched, **dict.fromkeys(said, change.version)}
    image = Image(known.id, known.category, known.version, known.deleted, {**known.attributes, **said}, patched)
    return image, "changed" if image.whole else "no-image"


def _delete(known: Image | None, change: ToldChange) -> tuple[Image | None, Folded]:
    if known is None:
        return Image(change.id, change.category, None, change.version, {}, {}), "changed"
    if stale := _stale(known, change.version):
        return None, stale
    later = {name: version for name, version in known.patched.items() if version > change.version}
    kept = {name: known.attributes.get(name) for name in later}
    return Image(change.id, change.category, None, change.version, kept, later), "changed"


def take(subject: Subject, decision: ConsentDecision) -> tuple[Subject, Folded]:
    """Take one consent in; which of them counts is for the rules to say."""
    return take_said(subject, orjson.loads(decision.model_dump_json(exclude={"subject"})))


def take_said(subject: Subject, record: Mapping[str, Any]) -> tuple[Subject, Folded]:
    """The same of one consent as the state keeps it."""
    if record in subject.consents:
        return subject, "duplicate"
    alike = [known for known in (*subject.consents, record) if _topic(known) == _topic(record)]
    if len(alike) <= MAX_ALIKE:
        return subject._replace(consents=(*subject.consents, record)), "changed"
    oldest = min(alike, key=_age)
    if oldest is record:
        return subject, "superseded"
    kept = [known for known in subject.consents if known is not oldest]
    return subject._replace(consents=(*kept, record)), "changed"


def _topic(record: Mapping[str, Any]) -> tuple[str, ...]:
    return record["party"], record["status"], record["purpose"], record["provider"]


def _age(record: Mapping[str, Any]) -> tuple[datetime, bytes]:
    return datetime.fromisoformat(record["at"]), orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


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

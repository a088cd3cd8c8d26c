"""From one record to the person that it tells of, with it taken in; whose word counts is for the rules to say. Pure.

Any replay ends in the same state: order comes from versions and dates, never from arrival.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

import orjson

from services.contract.changes import MAX_CHANGE_BYTES, Change
from services.contract.consents import ConsentDecision
from services.contract.decisions import Decision, read_decision
from services.contract.errors import KeyMismatch
from services.contract.identifiers import canonical_ine
from services.contract.links import MAX_LINK_BYTES, Link
from services.contract.objections import ObjectionDecision
from services.contract.parsing import parse_payload
from services.contract.restrictions import RestrictionDecision
from services.contract.told_changes import ToldChange, read_change, told_by
from services.contract.topology import CONSENTS, LINKS, UNLINKS
from services.filtering.particulars import Folded, object_to, restrict, tie
from services.filtering.subject import Image, Subject


def fold_in(topic: str, key: str, raw: bytes, known: Subject) -> tuple[Subject | None, Folded]:
    """Take in what a record of one of the filter's inputs says: the person as she is known after it.

    Null where it tells of no person.

    Raises:
        Unreadable: it cannot be read, says too much, or lies under the key of another.
    """
    if topic == CONSENTS:
        decision = read_decision(raw, MAX_CHANGE_BYTES)
        if decision.subject != key:
            raise KeyMismatch("key: not the subject of the decision")
        return _decided(known, decision)
    if topic in {LINKS, UNLINKS}:
        link = parse_payload(Link, raw, MAX_LINK_BYTES)
        if link.guardian != key:
            raise KeyMismatch("key: not the guardian of the link")
        particulars, folded = tie(known.particulars, link)
        return known.knowing(particulars), folded
    change = read_change(raw)
    if change.entity != "person":
        return None, "changed"
    _check_key(key, change, known)
    return fold(known, change)


def _decided(known: Subject, decision: Decision) -> tuple[Subject, Folded]:
    match decision:
        case ConsentDecision():
            return take(known, decision)
        case ObjectionDecision():
            particulars, folded = object_to(known.particulars, decision)
        case RestrictionDecision():
            particulars, folded = restrict(known.particulars, decision)
        case _:
            assert_never(decision)
    return known.knowing(particulars), folded


def _check_key(key: str, change: ToldChange, known: Subject) -> None:
    """A person's key is her INE, or the id that this source gives her, or what an image of hers came under."""
    if key == f"{change.source}:{change.id}":
        return
    image = known.images.get(change.source)
    if image is not None and image.id == change.id:
        return
    ine = canonical_ine(change.said.get("ine"))
    if change.kind == "upsert" and ine != key:
        raise KeyMismatch("key: neither the INE nor the id of the change")
    if ine != key and canonical_ine(key) != key:
        raise KeyMismatch("key: of another person")


MAX_ALIKE = 8
"""How many decisions of one party, status, purpose and provider are kept, the latest by `at`.

The last word of each status decides; the rest are only there in case of dates still to come.
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
    return subject.shown(images), folded


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
    # What a source says in one breath as there and as gone is gone, whichever comes first.
    if change.version != known.version and (stale := _stale(known, change.version)):
        return None, stale
    later = {name: version for name, version in known.patched.items() if version > change.version}
    kept = {name: known.attributes.get(name) for name in later}
    return Image(change.id, change.category, None, change.version, kept, later), "changed"


MAX_CONSENTS = 160
"""How many decisions are kept of one person, whatever they are about: the largest of them leave room for an image.

Beyond it a yes goes before any no, the earliest first. So a no is always heard, and what goes is missed by nobody but
whoever wants to release.
"""


def take(subject: Subject, decision: ConsentDecision) -> tuple[Subject, Folded]:
    """Take one consent in; which of them counts is for the rules to say."""
    return take_said(subject, orjson.loads(decision.model_dump_json(exclude={"subject"})))


def take_said(subject: Subject, record: Mapping[str, Any]) -> tuple[Subject, Folded]:
    """The same of one consent as the state keeps it."""
    if record in subject.consents:
        return subject, "duplicate"
    records = (*subject.consents, record)
    alike = [known for known in records if _topic(known) == _topic(record)]
    if len(alike) > MAX_ALIKE:
        least = min(alike, key=_age)
    elif len(records) > MAX_CONSENTS:
        least = min(records, key=lambda known: (known["status"] != "given", *_age(known)))
    else:
        return subject.consenting(records), "changed"
    if least is record:
        return subject, "superseded"
    return subject.consenting(tuple([known for known in records if known is not least])), "changed"


def _topic(record: Mapping[str, Any]) -> tuple[str, ...]:
    return record["party"], record["status"], record["purpose"], record["provider"]


def _age(record: Mapping[str, Any]) -> tuple[datetime, bytes]:
    return datetime.fromisoformat(record["at"]), orjson.dumps(record, option=orjson.OPT_SORT_KEYS)

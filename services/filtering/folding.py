"""From one record to the person that it tells of, with it taken in; whose word counts is for the rules to say. Pure."""

from typing import NamedTuple, assert_never

from services.contract.changes import MAX_CHANGE_BYTES
from services.contract.consents import ConsentDecision
from services.contract.decisions import Decision, read_decision
from services.contract.errors import KeyMismatch
from services.contract.identifiers import canonical_ine
from services.contract.links import MAX_LINK_BYTES, Link
from services.contract.objections import ObjectionDecision
from services.contract.parsing import parse_payload
from services.contract.restrictions import RestrictionDecision
from services.contract.told_changes import ToldChange, read_change
from services.contract.topology import CONSENTS, LINKS, UNLINKS
from services.filtering.particulars import Folded, object_to, restrict, tie
from services.filtering.subject import Subject, fold, take


class Folding(NamedTuple):
    """The person as she is known after a record; null where it tells of no person."""

    subject: Subject | None
    folded: Folded


def fold_in(topic: str, key: str, raw: bytes, known: Subject) -> Folding:
    """Take in what a record of one of the filter's inputs says.

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
        return Folding(known.knowing(particulars), folded)
    change = read_change(raw)
    if change.entity != "person":
        return Folding(None, "changed")
    _check_key(key, change, known)
    return Folding(*fold(known, change))


def _decided(known: Subject, decision: Decision) -> Folding:
    match decision:
        case ConsentDecision():
            return Folding(*take(known, decision))
        case ObjectionDecision():
            particulars, folded = object_to(known.particulars, decision)
        case RestrictionDecision():
            particulars, folded = restrict(known.particulars, decision)
        case _:
            assert_never(decision)
    return Folding(known.knowing(particulars), folded)


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

"""Every way in which what is posted can be refused: a closed list, and problem details (RFC 9457) made from it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from services.contract.errors import Payload
from services.ingress.guard import Code as GuardCode

Code = (
    GuardCode
    | Literal[
        "unknown-token", "not-found", "method-not-allowed", "slow-body", "not-this-media-type",
        "not-json", "not-this-schema", "too-large", "too-many", "nothing-said",
        "unreachable", "busy", "no-register", "unexpected",
    ]
)  # fmt: skip


class Meaning(NamedTuple):
    """What is answered, and what whoever posts should do."""

    status: int
    title: str
    action: str


MEANINGS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "unknown-token": Meaning(401, "No platform has this token.", "Send `Authorization: Bearer` with your token; "
                                 "an operator makes one with `sanctuaire ingress token`."),
        "foreign-subject": Meaning(403, "The subject is not of this platform.", "Speak of your own subjects only; "
                                   "an operator grants sources and the INE."),
        "foreign-guardian": Meaning(403, "The guardian is not of this platform.", "Name your own guardians only."),
        "foreign-source": Meaning(403, "The source is not of this platform.", "Send changes of your own sources only; "
                                  "an operator grants sources."),
        "not-found": Meaning(404, "There is nothing here.", "See schemas/openapi.json for what there is."),
        "method-not-allowed": Meaning(405, "This is only for POST.", "Post."),
        "slow-body": Meaning(408, "The body did not come in time.", "Post again, in smaller bodies."),
        "too-large": Meaning(413, "More bytes than are taken.", "Post smaller bodies; one that is too large alone "
                             "cannot be taken at all."),
        "too-many": Meaning(413, "More at once than is taken.", "Post them in several bodies."),
        "not-this-media-type": Meaning(415, "Not a media type that is read here.", "Send application/json or "
                                       "application/x-ndjson, in UTF-8 and not compressed."),
        "not-json": Meaning(422, "Not JSON that can be read in one way only.", "Correct the JSON: UTF-8, no key twice, "
                            "no NaN."),
        "not-this-schema": Meaning(422, "Not what the schema describes.", "Correct the field that is named; the "
                                   "schemas are in schemas/."),
        "nothing-said": Meaning(422, "Nothing was said.", "Post at least one."),
        "not-a-subject": Meaning(422, "Neither an INE nor `<source>:<id>`.", "Name the person by the routing key, in "
                                 "its canonical form."),
        "dated-ahead": Meaning(422, "A yes, or a change, that is dated ahead.", "Set the clock right; post it once "
                               "it was given, or under the day of its export."),
        "unexpected": Meaning(500, "A defect of the program.", "Post again; if it stays, tell the operators when."),
        "unreachable": Meaning(503, "Kafka has not said that it has it all.", "Post all of it again: what was taken "
                               "twice counts once."),
        "busy": Meaning(503, "As much is being taken as can be.", "Post again after the time given."),
        "no-register": Meaning(503, "Who may post cannot be read.", "An operator must mend the register of platforms."),
    }
)  # fmt: skip


class RefusedItem(Payload, use_attribute_docstrings=True):
    """One that was not taken."""

    position: int
    """Its line, or its place in the list, counted from 1."""
    status: int
    code: str
    detail: str
    """Which declared field, and what kind of fault; never a value."""


class Problem(Payload, use_attribute_docstrings=True):
    """Problem details (RFC 9457): nothing was taken."""

    type: str
    title: str
    status: int
    code: str
    """Stable, unlike the title."""
    action: str
    """What whoever posts should do."""
    refused: tuple[RefusedItem, ...]


class NotTaken(Exception):
    """Ends a request: nothing of it was taken, as far as is known."""

    def __init__(self, code: str, refused: tuple[RefusedItem, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.refused = refused


def problem_of(code: str, refused: tuple[RefusedItem, ...] = ()) -> Problem:
    meaning = MEANINGS[code]
    return Problem(
        type=f"urn:sanctuaire:problem:{code}", title=meaning.title, status=meaning.status, code=code,
        action=meaning.action, refused=refused,
    )  # fmt: skip


def refused_item(position: int, code: str, detail: str) -> RefusedItem:
    return RefusedItem(position=position, status=MEANINGS[code].status, code=code, detail=detail)

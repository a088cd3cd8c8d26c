"""What one body leads to: which of its payloads may be taken, and the answer that is given once they are durable.

Pure: it is told the platform, the bytes and the time, and hands back what is to be written.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Generic, TypeVar

from pydantic import BaseModel

from services.contract.errors import Payload, Unreadable
from services.ingress.guard import Refusal
from services.ingress.platforms import Platform
from services.ingress.reading import Item, Refused, read_body, read_lines
from services.ingress.refusals import NotTaken, RefusedItem, refused_item

MAX_ITEMS = 1000
JSON, LINES = "application/json", "application/x-ndjson"
MEDIA_TYPES = (JSON, LINES)

PayloadType = TypeVar("PayloadType", bound=BaseModel)


class Receipt(Payload, use_attribute_docstrings=True):
    """One that was taken."""

    position: int
    """Its line, or its place in the list, counted from 1."""
    receipt: str
    """Digest of its content: posted again, it is the same again. For a decision, it names the consent record."""


class Answer(Payload):
    """What was taken, which Kafka then has on all its replicas, and what was not."""

    receipts: tuple[Receipt, ...]
    refused: tuple[RefusedItem, ...]


@dataclass(frozen=True, slots=True)
class Intake(Generic[PayloadType]):
    """One kind of payload that may be posted."""

    payload: str
    """A schema's name: `consent-decision`."""
    model: type[PayloadType]
    limit_bytes: int
    """Of one payload."""
    body_bytes: int
    """Of one body."""
    refuse: Callable[[Platform, PayloadType, datetime], Refusal | None]
    reference: Callable[[PayloadType], str]


@dataclass(frozen=True, slots=True)
class Taken(Generic[PayloadType]):
    """What is to be written, and the answer for when it is."""

    payloads: Sequence[PayloadType]
    answer: Answer

    @property
    def codes(self) -> list[str]:
        """How each ended, for whoever counts."""
        return ["accepted"] * len(self.payloads) + [one.code for one in self.answer.refused]


def take(  # noqa: PLR0913, PLR0917  # a body, whose it is, and who is who
    intake: Intake[PayloadType], platform: Platform, media_type: str, raw: bytes, now: datetime,
    addressed: Callable[[PayloadType], PayloadType | None],
) -> Taken[PayloadType]:  # fmt: skip
    """Read a body and ask the guard of each payload; a bad one never keeps a withdrawal beside it from being heard.

    `addressed` gives what may be taken under the key of whom it is about; null while that key is not known.

    Raises:
        NotTaken: nothing in it may be taken.
    """
    items = _read(intake, media_type, raw)
    if len(items) > MAX_ITEMS:
        raise NotTaken("too-many")
    taken: list[Item[PayloadType]] = []
    refused: list[RefusedItem] = []
    for item in items:
        if isinstance(item, Refused):
            refused.append(refused_item(item.position, item.code, item.why))
        elif refusal := intake.refuse(platform, item.payload, now):
            refused.append(refused_item(item.position, refusal.code, refusal.where))
        elif (payload := addressed(item.payload)) is None:
            refused.append(refused_item(item.position, "unreachable", "subject"))
        else:
            taken.append(Item(item.position, payload))
    if not taken:
        raise NotTaken(refused[0].code if refused else "nothing-said", tuple(refused))
    receipts = tuple(Receipt(position=one.position, receipt=intake.reference(one.payload)) for one in taken)
    return Taken([one.payload for one in taken], Answer(receipts=receipts, refused=tuple(refused)))


def _read(intake: Intake[PayloadType], media_type: str, raw: bytes) -> list[Item[PayloadType] | Refused]:
    """As many as may be taken, and one more: to look at a million would hold up everybody else's withdrawals."""
    if media_type == LINES:
        items = read_lines(io.BytesIO(raw), intake.model, intake.limit_bytes)
    else:
        items = read_body(raw, intake.model, intake.limit_bytes)
    try:
        return list(islice(items, MAX_ITEMS + 1))
    except Unreadable as error:
        raise NotTaken(error.code, (refused_item(1, error.code, str(error)),)) from None

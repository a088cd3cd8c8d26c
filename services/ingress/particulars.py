"""What a record and a receipt say and no policy holds: who can be reached where, and a purpose in plain words."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import StringConstraints

from services.contract.consent_records import PurposeTerm, Text
from services.contract.errors import Payload
from services.contract.policies import Slug

Language = Literal["fr", "en"]

MAX_PARTICULARS_BYTES = 256 * 1024


class InWords(Payload):
    """The same in each language that a receipt can be written in."""

    fr: Text
    en: Text

    def of(self, language: Language) -> str:
        return self.fr if language == "fr" else self.en


class Reach(Payload):
    """How an organisation is reached (GDPR art. 13(1)(a)); the name of a provider is its policy's."""

    name: Text | None = None
    address: Text
    contact: Text


class Exercise(Payload):
    """Where something is asked for, and how, in a sentence."""

    at: Text
    how: InWords


class PurposePlainly(Payload):
    """`term` is the closest purpose of DPV, null where none fits."""

    term: PurposeTerm | None
    says: InWords


class Particulars(Payload):
    """Kept by the authority beside its policies, in `receipts/particulars.yaml`."""

    notice_language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
    controllers: Mapping[Slug, Reach]
    providers: Mapping[Slug, Reach]
    purposes: Mapping[Slug, PurposePlainly]
    withdrawal: Exercise
    rights: Exercise
    complaint: Exercise

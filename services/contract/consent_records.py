"""A consent decision as ISO/IEC TS 27560:2023 records it, in the terms of the W3C's Data Privacy Vocabulary (JSON-LD).

The structure follows the community group's guide (https://w3id.org/dpv/guides/consent-27560), which maps the fields of
TS 27560 to DPV; the terms are those of DPV 2.3. A record holds identifiers in clear: it is for the family and the
controller, and travels on no topic.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, WithJsonSchema

from services.contract.errors import Payload

_IRI: Final = {"@type": "@id"}
_INSTANT: Final = {"@type": "xsd:dateTime"}
CONTEXT: Final[Mapping[str, Any]] = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "legal-eu": "https://w3id.org/dpv/legal/eu#",
    "loc": "https://w3id.org/dpv/loc#",
    "pd": "https://w3id.org/dpv/pd#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "sector-education": "https://w3id.org/dpv/sector/education#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dct:conformsTo": _IRI,
    "dct:created": _INSTANT,
    "dpv:hasApplicableLaw": _IRI,
    "dpv:hasDataController": _IRI,
    "dpv:hasJurisdiction": _IRI,
    "dpv:hasLegalBasis": _IRI,
    "dpv:hasLocation": _IRI,
    "dpv:hasNecessity": _IRI,
    "dpv:hasRecipient": _IRI,
    "dpv:isIndicatedAtTime": _INSTANT,
    "schema:recipient": _IRI,
    "skos:broader": _IRI,
}
"""What the prefixes stand for, and which texts are names of things: with it, the record needs no other document."""


def _ours(context: Mapping[str, Any]) -> Mapping[str, Any]:
    if context != CONTEXT:
        raise ValueError("another context, under which the terms could mean something else")
    return context


Context = Annotated[Mapping[str, Any], AfterValidator(_ours), WithJsonSchema({"const": dict(CONTEXT)})]
Text = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Urn = Annotated[str, StringConstraints(pattern=r"^urn:sanctuaire:[a-z-]+:[a-z0-9.-]+$")]
Location = Annotated[str, StringConstraints(pattern=r"^loc:[A-Z]{2}$")]
"""A country of DPV's list, which has ISO 3166-1's codes."""

PurposeTerm = Literal[
    "dpv:ServiceProvision", "dpv:CommunicationManagement", "dpv:EnforceAccessControl",
    "sector-education:AccessManagement", "sector-education:EducationManagement", "sector-education:ServiceProvision",
    "sector-education:StudentContentDelivery", "sector-education:StudentPersonalisedContentDelivery",
    "sector-education:StudentResourceAccessManagement", "sector-education:StudentLearningOutcomeAssessment",
    "sector-education:StudentGuidanceManagement", "sector-education:StudentSocialActivitiesManagement",
]  # fmt: skip
"""The purposes of DPV that a directory's contract may have."""

DataTerm = Literal[
    "pd:Name", "pd:BirthDate", "pd:Age", "pd:EmailAddress", "pd:TelephoneNumber", "pd:PhysicalAddress",
    "pd:PostalCode", "pd:Country", "pd:Location", "pd:School", "pd:Education", "pd:Professional",
]  # fmt: skip
PersonTerm = Literal["dpv:DataSubject", "dpv:Child", "dpv:GuardianOfDataSubject"]
EntityTerm = Literal["dpv:DataController", "dpv:DataProcessor", "dpv:GovernmentalOrganisation", "dpv:Organisation"]
RightTerm = Literal[
    "eu-gdpr:A7-3", "eu-gdpr:A15", "eu-gdpr:A16", "eu-gdpr:A17", "eu-gdpr:A18", "eu-gdpr:A20", "eu-gdpr:A77"
]
StatusTerm = Literal["dpv:ConsentGiven", "dpv:ExpressedConsent", "dpv:ConsentRefused", "dpv:ConsentWithdrawn"]


class Person(Payload):
    """The person concerned (`pii_principal_id`), or the guardian who acts for them."""

    types: tuple[PersonTerm, ...] = Field(alias="@type")
    identifier: Text = Field(alias="dpv:hasIdentifier", repr=False)
    """Routing key, as in the decision."""


class Organisation(Payload):
    """Who decides or who receives (the party section)."""

    iri: Urn = Field(alias="@id")
    types: tuple[EntityTerm, ...] = Field(alias="@type")
    identifier: Urn = Field(alias="dpv:hasIdentifier")
    name: Text = Field(alias="dpv:hasName")
    address: Text | None = Field(alias="dpv:hasAddress")
    contact: Text | None = Field(alias="dpv:hasContact")


class Phrase(Payload):
    """A text in one language."""

    value: Text = Field(alias="@value")
    language: Literal["fr", "en"] = Field(alias="@language")


class Purpose(Payload):
    type: Literal["dpv:Purpose"] = Field(alias="@type")
    identifier: Text = Field(alias="dct:identifier")
    broader: PurposeTerm | None = Field(alias="skos:broader")
    description: tuple[Phrase, ...] = Field(alias="dct:description")


class DataCategory(Payload):
    """One field of the contract (`pii_information`)."""

    type: Literal["dpv:PersonalData"] = Field(alias="@type")
    identifier: Text = Field(alias="dct:identifier")
    broader: DataTerm = Field(alias="skos:broader")
    necessity: Literal["dpv:Required", "dpv:Optional"] = Field(alias="dpv:hasNecessity")


class Duration(Payload):
    """Until an instant or a day (ISO 8601), until an event, or without an end."""

    type: Literal["dpv:UntilTimeDuration", "dpv:UntilEventDuration", "dpv:EndlessDuration"] = Field(alias="@type")
    value: Text | None = Field(alias="rdf:value")


class StorageLocation(Payload):
    type: Literal["dpv:StorageLocation"] = Field(alias="@type")
    locations: tuple[Location, ...] = Field(alias="dpv:hasLocation")


class StorageDuration(Payload):
    type: Literal["dpv:StorageDuration"] = Field(alias="@type")
    duration: Duration = Field(alias="dpv:hasDuration")


class ProcessingLocation(Payload):
    type: Literal["dpv:ProcessingLocation"] = Field(alias="@type")
    locations: tuple[Location, ...] = Field(alias="dpv:hasLocation")


class Withdrawing(Payload):
    """How consent is taken back (`withdrawal_method`, GDPR art. 7(3))."""

    type: Literal["dpv:WithdrawConsent"] = Field(alias="@type")
    exercised_at: Text = Field(alias="dpv:isExercisedAt")


class Right(Payload):
    types: tuple[Literal["dpv:DataSubjectRight"], RightTerm] = Field(alias="@type")
    exercised_at: Text = Field(alias="dpv:isExercisedAt")


class Process(Payload):
    """What the decision is about (the processing section)."""

    type: Literal["dpv:Process"] = Field(alias="@type")
    purpose: Purpose = Field(alias="dpv:hasPurpose")
    legal_basis: tuple[Literal["dpv:Consent"], Literal["eu-gdpr:A6-1-a"]] = Field(alias="dpv:hasLegalBasis")
    controllers: tuple[Urn, ...] = Field(alias="dpv:hasDataController")
    recipients: tuple[Urn, ...] = Field(alias="dpv:hasRecipient")
    personal_data: tuple[DataCategory, ...] = Field(alias="dpv:hasPersonalData")
    storage: tuple[StorageLocation, StorageDuration, StorageDuration] = Field(alias="dpv:hasStorageCondition")
    processing: ProcessingLocation = Field(alias="dpv:hasProcessingCondition")
    jurisdiction: Location = Field(alias="dpv:hasJurisdiction")
    law: Literal["legal-eu:law-GDPR"] = Field(alias="dpv:hasApplicableLaw")
    control: Withdrawing = Field(alias="dpv:hasConsentControl")
    rights: tuple[Right, ...] = Field(alias="dpv:hasRight")


class Notice(Payload):
    """The version of the information that the party was given; null where the decision names none."""

    type: Literal["dpv:ConsentNotice"] = Field(alias="@type")
    identifier: Text | None = Field(alias="dct:identifier")
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = Field(alias="dct:language")


class Event(Payload):
    """Who said what, when, for how long, and how it can be shown (the event section)."""

    types: tuple[StatusTerm, ...] = Field(alias="@type")
    by: Person = Field(alias="dpv:isIndicatedBy")
    at: AwareDatetime = Field(alias="dpv:isIndicatedAtTime")
    """In UTC, as TS 27560 asks."""
    duration: Duration = Field(alias="dpv:hasDuration")
    proof: Text | None = Field(alias="dct:source", repr=False)


class ConsentRecord(Payload):
    """One decision, recorded after ISO/IEC TS 27560:2023 in DPV's terms; `dct:identifier` is the receipt reference."""

    context: Context = Field(alias="@context")
    iri: Urn = Field(alias="@id")
    type: Literal["dpv:ConsentRecord"] = Field(alias="@type")
    conforms_to: Literal["https://w3id.org/dpv/schema/dpv-27560#record"] = Field(alias="dct:conformsTo")
    identifier: Text = Field(alias="dct:identifier")
    subject: Person = Field(alias="dpv:hasDataSubject")
    notice: Notice = Field(alias="dpv:hasNotice")
    process: Process = Field(alias="dpv:hasProcess")
    parties: tuple[Organisation, ...] = Field(alias="dpv:hasEntity")
    event: Event = Field(alias="dpv:hasConsentStatus")


class ConsentReceipt(Payload):
    """What a family is given: a copy of the record (TS 27560, consent receipt)."""

    context: Context = Field(alias="@context")
    iri: Urn = Field(alias="@id")
    type: Literal["dpv:ConsentReceipt"] = Field(alias="@type")
    conforms_to: Literal["https://w3id.org/dpv/schema/dpv-27560#receipt"] = Field(alias="dct:conformsTo")
    identifier: Text = Field(alias="dct:identifier")
    created: AwareDatetime = Field(alias="dct:created")
    recipient: Literal["dpv:DataSubject", "dpv:GuardianOfDataSubject"] = Field(alias="schema:recipient")
    record: ConsentRecord = Field(alias="dpv:hasRecordOfActivity")

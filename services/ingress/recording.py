"""From a decision and the contract it is about to its record and receipt (ISO/IEC TS 27560:2023, DPV).

Pure. What no policy and no particulars say stays null in the record; nothing is guessed.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, assert_never

import orjson

from services.contract.consent_records import CONTEXT, ConsentReceipt, ConsentRecord, DataTerm
from services.contract.consents import ConsentDecision
from services.contract.errors import NotThisSchema
from services.contract.policies import Contract, Place, ProviderPolicy, day_in_paris, releasable
from services.ingress.events import event_id
from services.ingress.particulars import Exercise, Particulars, Reach

GUARDIAN: Final = "guardian:"

DATA_TERMS: Final[Mapping[str, DataTerm]] = MappingProxyType(
    {
        **dict.fromkeys(("family_name", "birth_name", "given_name", "other_given_names", "title"), "pd:Name"),
        "birth_date": "pd:BirthDate",
        "birth_year": "pd:Age",
        **dict.fromkeys(("email", "email_relay"), "pd:EmailAddress"),
        **dict.fromkeys(("home_phone", "work_phone", "mobile_phones"), "pd:TelephoneNumber"),
        "address_lines": "pd:PhysicalAddress",
        "postcode": "pd:PostalCode",
        "country": "pd:Country",
        **dict.fromkeys(("town", "commune", "departement", "region"), "pd:Location"),
        **dict.fromkeys(("school", "divisions", "groups"), "pd:School"),
        **dict.fromkeys(("mef", "level", "subjects"), "pd:Education"),
        **dict.fromkeys(("functions", "teaches_divisions", "teaches_groups"), "pd:Professional"),
    }
)
"""Every field that may leave, and its category in DPV; one that R16 always drops has none."""

_RIGHTS: Final = ("A15", "A16", "A17", "A18", "A20")
"""Of access, rectification, erasure, restriction and portability, which consent carries too (GDPR art. 20(1)(a))."""


def reference_of(decision: ConsentDecision) -> str:
    """The receipt reference: the id of the decision's event, the same whoever computes it and whenever."""
    return event_id(decision.model_dump_json().encode())


def contract_for(decision: ConsentDecision, policy: ProviderPolicy) -> Contract:
    """The contract that a decision is about: the provider's, for its purpose, that rests on consent.

    Raises:
        NotThisSchema: there is none, so that a record would say something that is not so.
    """
    serving = [contract for contract in policy.contracts if contract.purpose == decision.purpose]
    if not serving:
        raise NotThisSchema("purpose: no contract of this provider has it")
    for contract in serving:
        if contract.legal_basis.article == "6(1)(a)":
            return contract
    raise NotThisSchema("purpose: it does not rest on consent, so that there is none to give a receipt of")


def record_of(decision: ConsentDecision, policy: ProviderPolicy, particulars: Particulars) -> ConsentRecord:
    """The record of one decision.

    Raises:
        NotThisSchema: see `contract_for`; or the policy is another provider's.
    """
    if policy.provider != decision.provider:
        raise NotThisSchema("provider: the policy is another's")
    contract, reference = contract_for(decision, policy), reference_of(decision)
    return _checked(
        ConsentRecord,
        {
            "@context": CONTEXT,
            "@id": f"urn:sanctuaire:consent:{reference}",
            "@type": "dpv:ConsentRecord",
            "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#record",
            "dct:identifier": reference,
            "dpv:hasDataSubject": _subject(decision),
            "dpv:hasNotice": {
                "@type": "dpv:ConsentNotice",
                "dct:identifier": decision.notice,
                "dct:language": particulars.notice_language,
            },
            "dpv:hasProcess": _process(decision, policy, contract, particulars),
            "dpv:hasEntity": [_controller(policy, particulars), _provider(policy, particulars)],
            "dpv:hasConsentStatus": _event(decision),
        },
    )


def receipt_of(record: ConsentRecord, now: datetime) -> ConsentReceipt:
    """The receipt for whoever decided, made at `now`."""
    by_guardian = "dpv:GuardianOfDataSubject" in record.event.by.types
    return ConsentReceipt.model_validate(
        {
            "@context": CONTEXT,
            "@id": f"urn:sanctuaire:consent-receipt:{record.identifier}",
            "@type": "dpv:ConsentReceipt",
            "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#receipt",
            "dct:identifier": record.identifier,
            "dct:created": now.astimezone(UTC),
            "schema:recipient": "dpv:GuardianOfDataSubject" if by_guardian else "dpv:DataSubject",
            "dpv:hasRecordOfActivity": record,
        }
    )


def _checked(model: type[ConsentRecord], content: dict[str, Any]) -> ConsentRecord:
    """Through JSON, as the schema is: lists for tuples, texts for instants."""
    return model.model_validate_json(orjson.dumps(content))


def _subject(decision: ConsentDecision) -> dict[str, Any]:
    """Who decides as `subject` may be of age; who is a child, or has a guardian speak, is not."""
    child = [] if decision.party == "subject" else ["dpv:Child"]
    return {"@type": ["dpv:DataSubject", *child], "dpv:hasIdentifier": decision.subject}


def _event(decision: ConsentDecision) -> dict[str, Any]:
    if decision.party.startswith(GUARDIAN):
        guardian = decision.party.removeprefix(GUARDIAN)
        by: dict[str, Any] = {"@type": ["dpv:GuardianOfDataSubject"], "dpv:hasIdentifier": guardian}
    else:
        by = _subject(decision)
    types, duration = _state(decision)
    return {
        "@type": types,
        "dpv:isIndicatedBy": by,
        "dpv:isIndicatedAtTime": decision.at.astimezone(UTC),
        "dpv:hasDuration": duration,
        "dct:source": decision.proof,
    }


def _state(decision: ConsentDecision) -> tuple[list[str], dict[str, Any]]:
    """What was said, and for how long: a yes to its expiry, a no until the same party says otherwise."""
    until_told = {"@type": "dpv:UntilEventDuration", "rdf:value": "the same party decides otherwise"}
    match decision.status:
        case "given":
            return ["dpv:ConsentGiven", "dpv:ExpressedConsent"], _until(decision.until)
        case "refused":
            return ["dpv:ConsentRefused"], until_told
        case "withdrawn":
            return ["dpv:ConsentWithdrawn"], until_told
        case _:
            assert_never(decision.status)


def _until(end: datetime | None) -> dict[str, Any]:
    if end is None:
        return {"@type": "dpv:EndlessDuration", "rdf:value": None}
    return {"@type": "dpv:UntilTimeDuration", "rdf:value": end.astimezone(UTC).isoformat()}


def _process(
    decision: ConsentDecision, policy: ProviderPolicy, contract: Contract, particulars: Particulars
) -> dict[str, Any]:
    plainly = particulars.purposes.get(contract.purpose)
    says = [] if plainly is None else [("fr", plainly.says.fr), ("en", plainly.says.en)]
    controllers = [_controller_iri(policy)] + ([_provider_iri(policy)] if policy.role == "controller" else [])
    allowed = releasable(policy, contract)
    stored = [place for place in policy.places if place.kind in {"storage", "backup"}]
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": {
            "@type": "dpv:Purpose",
            "dct:identifier": contract.purpose,
            "skos:broader": plainly and plainly.term,
            "dct:description": [{"@value": text, "@language": language} for language, text in says],
        },
        "dpv:hasLegalBasis": ["dpv:Consent", "eu-gdpr:A6-1-a"],
        "dpv:hasDataController": controllers,
        "dpv:hasRecipient": [_provider_iri(policy)],
        "dpv:hasPersonalData": [
            {
                "@type": "dpv:PersonalData",
                "dct:identifier": field,
                "skos:broader": DATA_TERMS[field],
                "dpv:hasNecessity": "dpv:Required" if field in contract.required else "dpv:Optional",
            }
            for field in contract.fields
            if field in allowed and field in DATA_TERMS
        ],
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": _countries(stored)},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": _kept(decision, contract)},
            {
                "@type": "dpv:StorageDuration",
                "dpv:hasDuration": {"@type": "dpv:UntilEventDuration", "rdf:value": "consent is withdrawn"},
            },
        ],
        "dpv:hasProcessingCondition": {
            "@type": "dpv:ProcessingLocation",
            "dpv:hasLocation": _countries(policy.places),
        },
        "dpv:hasJurisdiction": f"loc:{policy.perimeter.storage_country}",
        "dpv:hasApplicableLaw": "legal-eu:law-GDPR",
        "dpv:hasConsentControl": {"@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": particulars.withdrawal.at},
        "dpv:hasRight": [
            _right("A7-3", particulars.withdrawal),
            *(_right(article, particulars.rights) for article in _RIGHTS),
            _right("A77", particulars.complaint),
        ],
    }


def _kept(decision: ConsentDecision, contract: Contract) -> dict[str, Any]:
    """To the last day of the contract, or until the consent expires where that is earlier."""
    end = decision.until if decision.status == "given" else None
    if contract.until is not None and (end is None or day_in_paris(end) > contract.until):
        return {"@type": "dpv:UntilTimeDuration", "rdf:value": contract.until.isoformat()}
    return _until(end)


def _countries(places: Iterable[Place]) -> list[str]:
    return [f"loc:{country}" for country in sorted({place.country for place in places})]


def _right(article: str, exercise: Exercise) -> dict[str, Any]:
    return {"@type": ["dpv:DataSubjectRight", f"eu-gdpr:{article}"], "dpv:isExercisedAt": exercise.at}


def _controller_iri(policy: ProviderPolicy) -> str:
    return f"urn:sanctuaire:controller:{policy.controller.id}"


def _provider_iri(policy: ProviderPolicy) -> str:
    return f"urn:sanctuaire:provider:{policy.provider}"


def _controller(policy: ProviderPolicy, particulars: Particulars) -> dict[str, Any]:
    kind = "dpv:GovernmentalOrganisation" if policy.controller.public_authority else "dpv:Organisation"
    reach = particulars.controllers.get(policy.controller.id)
    name = (reach and reach.name) or policy.controller.id
    return _organisation(_controller_iri(policy), ["dpv:DataController", kind], name, reach)


def _provider(policy: ProviderPolicy, particulars: Particulars) -> dict[str, Any]:
    role = "dpv:DataController" if policy.role == "controller" else "dpv:DataProcessor"
    reach = particulars.providers.get(policy.provider)
    return _organisation(_provider_iri(policy), [role, "dpv:Organisation"], policy.name, reach)


def _organisation(iri: str, types: list[str], name: str, reach: Reach | None) -> dict[str, Any]:
    return {
        "@id": iri,
        "@type": types,
        "dpv:hasIdentifier": iri,
        "dpv:hasName": name,
        "dpv:hasAddress": reach and reach.address,
        "dpv:hasContact": reach and reach.contact,
    }

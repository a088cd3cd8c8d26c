"""The processing and the parties of a consent record: what the contract says, in the terms of DPV. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from services.contract.consent_records import DataTerm
from services.contract.consents import ConsentDecision
from services.contract.policies import Contract, Place, ProviderPolicy, day_in_paris, releasable
from services.ingress.particulars import Exercise, Particulars, Reach

DATA_TERMS: Final[Mapping[str, DataTerm]] = MappingProxyType(
    {
        **dict.fromkeys(("family_name", "birth_name", "given_name", "other_given_names", "title"), "pd:Name"),
        "birth_date": "pd:BirthDate",
        **dict.fromkeys(("birth_year", "age_13", "age_15", "age_16", "age_18"), "pd:Age"),
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


def until(end: datetime | None) -> dict[str, Any]:
    if end is None:
        return {"@type": "dpv:EndlessDuration", "rdf:value": None}
    return {"@type": "dpv:UntilTimeDuration", "rdf:value": end.astimezone(UTC).isoformat()}


def process_of(
    decision: ConsentDecision, policy: ProviderPolicy, contract: Contract, particulars: Particulars
) -> dict[str, Any]:
    controllers = [_controller_iri(policy)] + ([_provider_iri(policy)] if policy.role == "controller" else [])
    stored = [place for place in policy.places if place.kind in {"storage", "backup"}]
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": _purpose(contract, particulars),
        "dpv:hasLegalBasis": ["dpv:Consent", "eu-gdpr:A6-1-a"],
        "dpv:hasDataController": controllers,
        "dpv:hasRecipient": [_provider_iri(policy)],
        "dpv:hasPersonalData": list(_fields(policy, contract)),
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


def _purpose(contract: Contract, particulars: Particulars) -> dict[str, Any]:
    plainly = particulars.purposes.get(contract.purpose)
    says = [] if plainly is None else [("fr", plainly.says.fr), ("en", plainly.says.en)]
    return {
        "@type": "dpv:Purpose",
        "dct:identifier": contract.purpose,
        "skos:broader": plainly and plainly.term,
        "dct:description": [{"@value": text, "@language": language} for language, text in says],
    }


def _fields(policy: ProviderPolicy, contract: Contract) -> Iterator[dict[str, Any]]:
    allowed = releasable(policy, contract)
    for field in contract.fields:
        if field in allowed and field in DATA_TERMS:
            yield {
                "@type": "dpv:PersonalData",
                "dct:identifier": field,
                "skos:broader": DATA_TERMS[field],
                "dpv:hasNecessity": "dpv:Required" if field in contract.required else "dpv:Optional",
            }


def _kept(decision: ConsentDecision, contract: Contract) -> dict[str, Any]:
    """To the last day of the contract, or until the consent expires where that is earlier."""
    end = decision.until if decision.status == "given" else None
    if contract.until is not None and (end is None or day_in_paris(end) > contract.until):
        return {"@type": "dpv:UntilTimeDuration", "rdf:value": contract.until.isoformat()}
    return until(end)


def _countries(places: Iterable[Place]) -> list[str]:
    return [f"loc:{country}" for country in sorted({place.country for place in places})]


def _right(article: str, exercise: Exercise) -> dict[str, Any]:
    return {"@type": ["dpv:DataSubjectRight", f"eu-gdpr:{article}"], "dpv:isExercisedAt": exercise.at}


def _controller_iri(policy: ProviderPolicy) -> str:
    return f"urn:sanctuaire:controller:{policy.controller.id}"


def _provider_iri(policy: ProviderPolicy) -> str:
    return f"urn:sanctuaire:provider:{policy.provider}"


def controller_of(policy: ProviderPolicy, particulars: Particulars) -> dict[str, Any]:
    kind = "dpv:GovernmentalOrganisation" if policy.controller.public_authority else "dpv:Organisation"
    reach = particulars.controllers.get(policy.controller.id)
    name = (reach and reach.name) or policy.controller.id
    return _organisation(_controller_iri(policy), ["dpv:DataController", kind], name, reach)


def provider_of(policy: ProviderPolicy, particulars: Particulars) -> dict[str, Any]:
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

"""From a decision and the contract it is about to its record and receipt (ISO/IEC TS 27560:2023, DPV).

Pure. What no policy and no particulars say stays null in the record; nothing is guessed.
"""

from datetime import UTC, datetime
from typing import Any, Final, assert_never

import orjson

from services.contract.consent_records import CONTEXT, ConsentReceipt, ConsentRecord
from services.contract.consents import ConsentDecision
from services.contract.errors import NotThisSchema
from services.contract.policies import Contract, ProviderPolicy
from services.ingress.events import event_id
from services.ingress.particulars import Particulars
from services.ingress.processing import controller_of, process_of, provider_of, until

GUARDIAN: Final = "guardian:"


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
            "dpv:hasProcess": process_of(decision, policy, contract, particulars),
            "dpv:hasEntity": [controller_of(policy, particulars), provider_of(policy, particulars)],
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
            return ["dpv:ConsentGiven", "dpv:ExpressedConsent"], until(decision.until)
        case "refused":
            return ["dpv:ConsentRefused"], until_told
        case "withdrawn":
            return ["dpv:ConsentWithdrawn"], until_told
        case _:
            assert_never(decision.status)

"""From what is known of a person to the request that the rules decide (design: rules.md, the request)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from services.contract.changes import ATTRIBUTE_CATEGORY
from services.contract.policies import Contract, Kind, ProviderPolicy
from services.filtering.likeness import Offer, offer_of
from services.filtering.parsing import read_policy
from services.filtering.precedents import Facts, Precedents
from services.filtering.subject import Image, Subject, kind_of

OutOfScope = Literal["school-not-subscribed", "kind-not-in-contract"]

Consents = tuple[Mapping[str, Any], ...]

FIRST = frozenset({"1"})
HOLDERS = frozenset({"1", "2"})
"""AAF `legal`: 1 holds parental authority, 2 may oppose and counts among "all holders".

First-degree files do not say: whoever is unknown here may oppose as well, and cannot consent.
"""


class Person(NamedTuple):
    """One person as every contract sees her; built once a change, whatever the number of contracts."""

    key: str
    kind: Kind
    source: str
    id: str
    ine: str | None
    school: str | None
    request: Mapping[str, Any]
    """The `subject` of the request, but for `delivered`."""
    values: Mapping[str, Any]
    consents: Consents
    """As they count for a usual act, which the first holders may consent to."""
    all_holders: Consents
    """As they count where all holders must agree."""

    def facts(self, day: date) -> tuple[Facts, Facts]:
        """Her part of every request on this day: for a usual act, and where all holders must agree."""
        offer = _offer(tuple(self.values))
        usual = Facts(self.request, offer, self.consents, day)
        if self.all_holders == self.consents:
            return usual, usual
        return usual, Facts(self.request, offer, self.all_holders, day)


def person_of(key: str, subject: Subject) -> Person | None:
    """The person that the subject's images show; null where no source has given a whole image.

    A deleted person is still somebody: what was released of her is to be erased.
    """
    picked = subject.picked
    deleted = picked is None and subject.deleted  # who has a whole image is there
    if picked is None:
        if not deleted:
            return None
        picked = min((name, image) for name, image in subject.images.items() if image.deleted)
    source, image = picked
    guardians, kind = _guardians(source, image), kind_of(image)
    usual, all_holders = _consents(subject.consents, guardians) if subject.consents else ((), ())
    return Person(
        key=key,
        kind=kind,
        source=source,
        id=image.id,
        ine=image.attributes.get("ine"),
        school=image.attributes.get("school"),
        request={
            "kind": kind,
            "birth_date": image.attributes.get("birth_date"),
            "emancipated": False,
            "guardians": [name for name, legal in guardians.items() if legal is None or legal in HOLDERS],
            "restrictions": ["no-diffusion"] if image.attributes.get("diffusion") is False else [],
            "gone_since": None,
            "deleted": deleted,
        },
        values=field_values(image),
        consents=usual,
        all_holders=all_holders,
    )


_CATEGORY: Mapping[str, str] = {
    **{name: category for name, category in ATTRIBUTE_CATEGORY.items() if category is not None},
    "birth_year": "identity",
    "email_relay": "contact",
}


_NOTHING: tuple[object, ...] = (None, "", [])


@lru_cache(maxsize=4096)
def _offer(names: tuple[str, ...]) -> Offer:
    return offer_of(tuple((name, _CATEGORY[name]) for name in names))


def field_values(image: Image) -> dict[str, Any]:
    """Every field that the image could yield, said or derived; links and restrictions are none.

    Commune, département and region need the census table (rules.md, Address): without one there is no such field.
    """
    attributes = image.attributes
    values = {
        name: value for name, value in attributes.items() if (value or value not in _NOTHING) and name in _CATEGORY
    }
    if birth_date := attributes.get("birth_date"):
        values["birth_year"] = int(birth_date[:4])
    if image.whole:
        values["email_relay"] = True
    return values


def _guardians(source: str, image: Image) -> dict[str, str | None]:
    links = image.attributes.get("guardians") or ()
    return {f"{source}:{link['id']}": link.get("legal") for link in links}


def _consents(records: Consents, guardians: Mapping[str, str | None]) -> tuple[Consents, Consents]:
    """Leave out what a guardian gave without being such a holder; what she refused or took back stays.

    As they count for a usual act, and where all holders must agree.
    """
    usual, all_holders = [], []
    for record in records:
        party, legal = record["party"], None
        if record["status"] == "given" and party.startswith("guardian:"):
            legal = guardians.get(party.removeprefix("guardian:"))
            if legal not in HOLDERS:
                continue
        all_holders.append(record)
        if legal is None or legal in FIRST:
            usual.append(record)
    return tuple(usual), tuple(all_holders)


def out_of_scope(contract: Contract, person: Person) -> OutOfScope | None:
    """Why this contract does not speak of this person at all."""
    if person.kind not in contract.kinds:
        return "kind-not-in-contract"
    return None if contract.covers_school(person.school) else "school-not-subscribed"


class Named(NamedTuple):
    """Which policy an emission names."""

    digest: str
    version: int


@dataclass(frozen=True, slots=True)
class Terms:
    """One contract as the rules read it, prepared once a policy and not once a person."""

    policy: ProviderPolicy
    contract: Contract
    named: Named
    pair: str
    usual: bool
    """Whether the first holders may consent to it."""
    family: str
    under: Precedents
    """The policy as the decision reads it."""
    without_contract: Precedents
    """The same for a person whom the contract does not speak of: rule R2, or R1 where it was delivered."""


def terms_of(policy: ProviderPolicy, digest: str) -> tuple[Terms, ...]:
    """Every contract of a policy, ready to be asked about."""
    return tuple(_terms(policy, contract, digest) for contract in policy.contracts)


def _terms(policy: ProviderPolicy, contract: Contract, digest: str) -> Terms:
    request = policy_request(policy, contract)
    nothing = {**request, "provider": {**request["provider"], "contract": None}}
    return Terms(
        policy=policy,
        contract=contract,
        named=Named(digest, policy.version),
        pair=f"{policy.provider}/{contract.id}",
        usual=contract.legal_basis.usual_act,
        family=contract.family,
        under=Precedents(read_policy(request)),
        without_contract=Precedents(read_policy(nothing)),
    )


def policy_request(policy: ProviderPolicy, contract: Contract) -> dict[str, Any]:
    """The part of a request that does not depend on the person."""
    whole = policy.model_dump(mode="json", by_alias=True)
    terms = contract.model_dump(mode="json", by_alias=True)
    # An optional key that is null would say "known to list nobody"; one that was never declared is left out.
    perimeter = {
        name: value
        for name, value in whole["perimeter"].items()
        if value is not None or name not in {"providers", "joint_consent_from", "require_secnumcloud"}
    }
    return {
        "perimeter": perimeter,
        "controller": whole["controller"],
        "provider": {
            "id": policy.provider,
            "role": policy.role,
            "contract": {
                "id": contract.id,
                "from": terms["from"],
                "until": terms["until"],
                "purposes": [contract.purpose],
                "fields": {contract.purpose: list(contract.fields)},
                "required": {contract.purpose: list(contract.required)},
            },
            "places": whole["places"],
        },
        "purpose": contract.purpose,
        "legal_basis": terms["legal_basis"],
        "notice": contract.notice,
    }

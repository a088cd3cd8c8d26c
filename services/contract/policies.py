"""What one provider may receive, and of whom; and the checks that every stage repeats for itself.

A `ProviderPolicy` is whole: perimeter, register, controller, places and contracts travel together, so that no stage can
ever combine the halves of two sets. Reads no clock: the day is an argument.
"""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

import orjson
from pydantic import Field, StringConstraints

from services.contract.errors import Payload
from services.contract.register import ASSIGNED, Country, Period, Register, Scope

PARIS: Final = ZoneInfo("Europe/Paris")
"""A day of the rules is a day there (rules.md, Dates)."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
ContractId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,40}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Kind = Literal["pupil", "guardian", "teacher", "staff"]

Refusal = Literal["contract-not-in-force", "place-not-allowed"]


class Perimeter(Payload):
    """The authority whose directory this is, and what it allows at most (rules.md, R2, R10, R17–R20)."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    consent_age: int
    sovereign: bool
    storage_country: Country
    allow_dpf: bool
    allow_article_46: bool
    allowed_fields: tuple[str, ...]
    providers: tuple[Slug, ...] | None = None
    joint_consent_from: int | None = None
    require_secnumcloud: bool | None = None


class Controller(Payload):
    """Who decides why and how (GDPR art. 4(7))."""

    id: Slug
    public_authority: bool
    in_its_task: bool


class Instrument(Payload):
    """Appropriate safeguards for a transfer (GDPR art. 46)."""

    type: Literal["scc", "bcr"]
    assessment: str | None


class Place(Payload):
    """One place where the provider, or somebody for it, holds or sees the data."""

    kind: Literal["storage", "processing", "support", "backup", "subprocessor"]
    country: Country
    operator: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    control_country: Country
    secnumcloud: Period | None
    scope: tuple[Scope, ...]
    dpf: Period | None
    instrument: Instrument | None


class Act(Period):
    """The text that founds a public task or a legal obligation, and the kinds of person it covers."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    kinds: tuple[Kind, ...]


class LegalBasis(Payload):
    """On what ground (GDPR art. 6(1)); exactly one a contract."""

    article: Literal["6(1)(a)", "6(1)(b)", "6(1)(c)", "6(1)(e)", "6(1)(f)"]
    act: Act | None
    register_entry: str | None
    balancing: str | None
    signatory: str | None
    optional_service: bool
    information_society_service: bool
    usual_act: bool


class Contract(Period):
    """One purpose, one legal basis, and the fields, kinds of person and schools they cover."""

    id: ContractId
    purpose: Slug
    purpose_family: Slug | None = None
    """Under which name the key is derived (pseudonyms.md); the purpose where it is null."""
    legal_basis: LegalBasis
    notice: str | None
    fields: tuple[str, ...]
    required: tuple[str, ...]
    kinds: tuple[Kind, ...]
    schools: Literal["all"] | tuple[Annotated[str, StringConstraints(pattern=r"^[0-9]{7}[A-Z]$")], ...]
    release_window_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300
    """Upserts leave together when such a window ends, so that no two providers can be linked by the instant; 0 where
    the contract shows that it needs them live. Erasures never wait."""

    @property
    def family(self) -> str:
        return self.purpose_family or self.purpose

    def covers_school(self, uai: str | None) -> bool:
        return self.schools == "all" or (uai is not None and uai in self.schools)


class ProviderPolicy(Payload):
    """Everything that decides what one provider may know. Key on `policies.v1`: the provider's id."""

    provider: Slug
    name: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    role: Literal["processor", "controller"]
    connector: Literal["topic"]
    """Which kind of connector tells it."""
    relay_domain: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]{3,120}$")] | None = None
    """Where e-mail aliases live; without it, no contract of this provider can release `email_relay`."""
    version: Annotated[int, Field(ge=1)]
    """Grows with every change of content; what was decided under a higher one must wait for it."""
    in_force_from: date | None = None
    """The day on which this version was put in force; null where that is not known. A contract that was over by then
    was ended by the change, and not by its own date."""
    staged: bool = False
    """Whether this version was put in force as one by which the provider loses more people than may go unasked: until
    an operator approves, nobody is erased by it."""
    perimeter: Perimeter
    register_: Register = Field(alias="register")
    controller: Controller
    places: tuple[Place, ...]
    contracts: tuple[Contract, ...]

    def contract(self, contract_id: str) -> Contract | None:
        return next((c for c in self.contracts if c.id == contract_id), None)


def policy_digest(policy: ProviderPolicy) -> str:
    """Name the content, whatever its version and since when: `sha256:` and 64 hexadecimal digits of canonical JSON."""
    content = policy.model_dump(mode="json", by_alias=True, exclude={"version", "in_force_from", "staged"})
    return "sha256:" + hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def change_set(digests: Mapping[str, str]) -> str:
    """Name a whole set by the digest of each provider's policy: it is another as soon as one of them is."""
    content = "".join(f"{provider}={digests[provider]}\n" for provider in sorted(digests))
    return "sha256:" + hashlib.sha256(content.encode()).hexdigest()


def ambiguities(policies: Mapping[str, ProviderPolicy]) -> list[str]:
    """Say what would let two readers decide differently; an empty list is a set that may be applied."""
    found = []
    for name, policy in policies.items():
        if name != policy.provider:
            found.append(f"{name}: names another provider")
        for what, values in (
            ("contract id", [c.id for c in policy.contracts]),
            # One pseudonym, one contract: else the end of one would erase what the other still owes.
            ("purpose family", [c.family for c in policy.contracts]),
        ):
            if len(set(values)) != len(values):
                found.append(f"{name}: the same {what} twice")
        found += [
            f"{name}: contract {c.id}: a required field that it does not list"
            for c in policy.contracts
            if not set(c.required) <= set(c.fields)
        ]
    if len({policy.perimeter for policy in policies.values()}) > 1:
        found.append("the policies do not share one perimeter")
    registers = {policy.register_.digest: policy.register_ for policy in policies.values()}
    if len(registers) > 1:
        found.append("the policies do not share one register")
    return found + [said for register in registers.values() for said in register.contradictions()]


def day_in_paris(now: datetime) -> date:
    return now.astimezone(PARIS).date()


def place_allowed(perimeter: Perimeter, register: Register, place: Place, day: date) -> bool:
    """Whether a place is known to be allowed (rules.md, R18 to R20); what would be `hold` there is no here.

    The filter decides with all its reasons; a later stage only needs to know that nothing may go.
    """
    if place.country not in ASSIGNED or (perimeter.sovereign and not _sovereign(perimeter, register, place, day)):
        return False
    return register.in_eea(place.country, day) or _transfer_allowed(perimeter, register, place, day)


def _transfer_allowed(perimeter: Perimeter, register: Register, place: Place, day: date) -> bool:
    """R18 and R19, for a place outside the EEA."""
    if place.country in register.overseas:
        rule = register.overseas[place.country]
        if rule is None or not rule.covers(day):
            return False
        if rule.treated_as == "eea":
            return True
    article_46 = bool(place.instrument and place.instrument.assessment and perimeter.allow_article_46)
    if place.country == "US":
        listed = bool(place.dpf and place.dpf.covers(day)) and perimeter.allow_dpf
        return listed and _adequate(register, place, day, "dpf") and article_46
    return _adequate(register, place, day, None, *place.scope) or article_46


def _adequate(register: Register, place: Place, day: date, *scopes: str | None) -> bool:
    decisions = register.adequacy.get(place.country, ())
    return any(decision.covers(day) and decision.scope in scopes for decision in decisions)


def _sovereign(perimeter: Perimeter, register: Register, place: Place, day: date) -> bool:
    if place.kind in {"storage", "backup"} and place.country not in register.home(perimeter.storage_country):
        return False
    qualified = bool(place.secnumcloud and place.secnumcloud.covers(day))
    return register.in_eea(place.control_country, day) and (qualified or not perimeter.require_secnumcloud)


def refusal(policy: ProviderPolicy, contract_id: str, day: date) -> Refusal | None:
    """Why nothing may go to this provider under this contract on this day, whoever it is about."""
    contract = policy.contract(contract_id)
    listed = policy.perimeter.providers is None or policy.provider in policy.perimeter.providers
    if contract is None or not contract.covers(day) or not listed:
        return "contract-not-in-force"
    perimeter, register = policy.perimeter, policy.register_
    if not policy.places or not all(place_allowed(perimeter, register, place, day) for place in policy.places):
        return "place-not-allowed"
    return None


def releasable(policy: ProviderPolicy, contract: Contract) -> frozenset[str]:
    """The closed list: what the contract names and the perimeter allows (GDPR art. 25(2))."""
    return frozenset(contract.fields) & frozenset(policy.perimeter.allowed_fields)

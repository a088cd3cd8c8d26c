"""One decision request as frozen values; every part may be none or unknown (rules.md, "Nulls").

None is kept where a rule can take it as "known to be none". Enumerations, identifiers, instants, country codes and
what happened to the subject (`deleted`, `delivered`) cannot be none: there, null is unknown.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from services.contract.reasons import ReasonCode
from services.contract.register import Register
from services.filtering.unknown import Maybe, Names, Period

Kind = Literal["pupil", "guardian", "teacher", "staff"]
Article = Literal["6(1)(a)", "6(1)(b)", "6(1)(c)", "6(1)(e)", "6(1)(f)"]
Status = Literal["given", "refused", "withdrawn"]
Category = Literal["identity", "schooling", "contact", "address", "special", "free-text", "national-id"]

SUBJECT: Final = "subject"
GUARDIAN: Final = "guardian:"


@dataclass(frozen=True, slots=True)
class Perimeter:
    """What the authority allows at most; `providers` is none where it keeps no such list."""

    consent_age: Maybe[int | None]
    joint_consent_from: Maybe[int | None]
    sovereign: Maybe[bool | None]
    storage_country: Maybe[str | None]
    require_secnumcloud: Maybe[bool | None]
    allow_dpf: Maybe[bool | None]
    allow_article_46: Maybe[bool | None]
    allowed_fields: Names
    providers: Names | None


@dataclass(frozen=True, slots=True)
class Controller:
    """Who decides why and how (GDPR art. 4(7))."""

    public_authority: Maybe[bool | None]
    in_its_task: Maybe[bool | None]


@dataclass(frozen=True, slots=True)
class Contract:
    """What was agreed; `fields` and `required` are those of the purpose of the request."""

    period: Period
    purposes: Names
    fields: Names
    required: Names


@dataclass(frozen=True, slots=True)
class Instrument:
    """Appropriate safeguards for a transfer (GDPR art. 46)."""

    assessment: Maybe[str | None]


@dataclass(frozen=True, slots=True)
class Place:
    """One place where the provider, or somebody for it, holds or sees the data."""

    kind: Maybe[str]
    country: Maybe[str]
    control_country: Maybe[str | None]
    secnumcloud: Maybe[Period | None]
    scope: Names
    dpf: Maybe[Period | None]
    instrument: Maybe[Instrument | None]


@dataclass(frozen=True, slots=True)
class Act:
    """The text that founds a task or an obligation."""

    kinds: Names
    period: Period


@dataclass(frozen=True, slots=True)
class Basis:
    """On what ground (GDPR art. 6(1)); `signatory` reads `subject` or `guardian:<id>`."""

    article: Maybe[Article]
    act: Maybe[Act | None]
    register_entry: Maybe[str | None]
    balancing: Maybe[str | None]
    signatory: Maybe[str | None]
    optional_service: Maybe[bool | None]
    information_society_service: Maybe[bool | None]
    usual_act: Maybe[bool | None]


@dataclass(frozen=True, slots=True)
class Policy:
    """All that does not depend on the person: read once, used for everyone; `digest` names its content."""

    perimeter: Perimeter
    register: Register
    controller: Controller
    provider: Maybe[str]
    role: Maybe[str]
    contract: Maybe[Contract | None]
    places: tuple[Place, ...]
    purpose: Maybe[str | None]
    basis: Basis
    notice: Maybe[str | None]
    problems: tuple[ReasonCode, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Subject:
    """The person; `guardians` are the holders of parental authority (AAF `legal`), by identifier."""

    kind: Maybe[Kind]
    birth_date: Maybe[date | None]
    emancipated: Maybe[bool | None]
    guardians: Names
    opposing: Names
    """Others whose no counts where a guardian's would, and of whom nothing is asked."""
    restrictions: Names
    gone_since: Maybe[date | None]
    deleted: Maybe[bool]
    delivered: Maybe[bool]


@dataclass(frozen=True, slots=True)
class Field:
    """One field that is offered; `name` and `category` unknown where it is unmapped."""

    name: Maybe[str]
    category: Maybe[Category]


@dataclass(frozen=True, slots=True)
class Consent:
    """One word of one party, about one purpose and provider; `child` is read as `subject`."""

    party: Maybe[str]
    status: Maybe[Status]
    at: Maybe[datetime]
    until: Maybe[datetime | None]
    purpose: Maybe[str | None]
    provider: Maybe[str | None]
    notice: Maybe[str | None]
    proof: Maybe[str | None]


@dataclass(frozen=True, slots=True)
class Objection:
    """One objection under GDPR art. 21."""

    status: Maybe[str]
    grounds: Maybe[str | None]


@dataclass(frozen=True, slots=True)
class Request:
    """May this provider know this, now? `today` is the day in Europe/Paris."""

    policy: Policy
    now: Maybe[datetime]
    today: Maybe[date]
    subject: Subject
    fields: tuple[Field, ...]
    all_fields_known: bool
    consents: tuple[Consent, ...]
    all_consents_known: bool
    objections: tuple[Objection, ...]
    problems: tuple[ReasonCode, ...]

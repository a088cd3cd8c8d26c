"""Reads one decision request from its JSON, strictly, once; judges nothing, and never raises."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

import orjson

from services.contract.policies import day_in_paris
from services.contract.register import Register
from services.filtering.reading import Section
from services.filtering.request import (
    GUARDIAN,
    SUBJECT,
    Act,
    Article,
    Basis,
    Category,
    Consent,
    Contract,
    Controller,
    Field,
    Instrument,
    Kind,
    Objection,
    Perimeter,
    Place,
    Policy,
    Request,
    Status,
    Subject,
)
from services.filtering.unknown import UNKNOWN, Maybe, Names

if TYPE_CHECKING:
    from services.contract.reasons import ReasonCode

POLICY_KEYS: Final = ("perimeter", "controller", "provider", "purpose", "legal_basis", "notice")
KINDS: Final[frozenset[Kind]] = frozenset({"pupil", "guardian", "teacher", "staff"})
ARTICLES: Final[frozenset[Article]] = frozenset({"6(1)(a)", "6(1)(b)", "6(1)(c)", "6(1)(e)", "6(1)(f)"})
STATUSES: Final[frozenset[Status]] = frozenset({"given", "refused", "withdrawn"})
CATEGORIES: Final[frozenset[Category]] = frozenset(
    {"identity", "schooling", "contact", "address", "special", "free-text", "national-id"}
)
OBJECTIONS: Final = frozenset({"open", "upheld", "rejected"})
PLACES: Final = frozenset({"storage", "processing", "support", "backup", "subprocessor"})
SCOPES: Final = frozenset({"pipeda-commercial", "appi"})
RESTRICTIONS: Final = frozenset({"protected-address", "no-diffusion", "court-order", "article-18"})


def read_policy(source: Mapping[str, object], register: Register) -> Policy:
    """Read the part that does not depend on the person; the rest of `source` is not looked at.

    Places are judged by `register`, and the digest names it too.
    """
    problems: list[ReasonCode] = []
    root = Section(source, problems)
    perimeter = _read_perimeter(root.section("perimeter"))
    controller = root.section("controller")
    controller.identifier("id")
    provider = root.section("provider")
    purpose = root.text("purpose")
    return Policy(
        perimeter=perimeter,
        register=register,
        controller=Controller(controller.flag("public_authority"), controller.flag("in_its_task")),
        provider=provider.identifier("id"),
        role=provider.choice("role", frozenset({"processor", "controller"})),
        contract=_read_contract(provider.section("contract"), purpose),
        places=_read_places(provider),
        purpose=purpose,
        basis=_read_basis(root.section("legal_basis")),
        notice=root.text("notice"),
        problems=tuple(problems),
        digest=_digest({"register": register.digest} | {key: source[key] for key in POLICY_KEYS if key in source}),
    )


def read_request(policy: Policy, source: Mapping[str, object]) -> Request:
    """Read the part about the person and the moment; the policy part of `source` is not looked at."""
    problems = list(policy.problems)
    root = Section(source, problems)
    if root.declares("version") and root.years("version") != 1:
        root.problem("unknown-version")
    now = root.instant("now")
    subject = _read_subject(root.section("subject"))
    fields, all_fields_known = root.sections("fields")
    consents, all_consents_known = root.sections("consents")
    objections, _ = root.sections("objections")
    return Request(
        policy=policy,
        now=now,
        today=UNKNOWN if now is UNKNOWN else _paris_day(now, root),
        subject=subject,
        fields=tuple(_read_field(field) for field in fields),
        all_fields_known=all_fields_known,
        consents=tuple(_read_consent(consent) for consent in consents),
        all_consents_known=all_consents_known,
        objections=tuple(_read_objection(objection) for objection in objections),
        problems=tuple(problems),
    )


def _digest(content: Mapping[str, object]) -> str:
    try:
        canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # what orjson does not carry: great integers, lone surrogates, depth
        try:
            canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
        except (RecursionError, TypeError, ValueError):
            canonical = b"null"
    return "sha256:" + hashlib.sha256(canonical).hexdigest()


def _paris_day(now: datetime, root: Section) -> Maybe[date]:
    try:
        return day_in_paris(now)
    except OverflowError:
        return root.problem()


def _read_perimeter(perimeter: Section) -> Perimeter:
    perimeter.identifier("id")
    joint, secnumcloud = "joint_consent_from", "require_secnumcloud"
    return Perimeter(
        consent_age=perimeter.years("consent_age"),
        joint_consent_from=perimeter.years(joint) if perimeter.declares(joint) else None,
        sovereign=perimeter.flag("sovereign"),
        storage_country=perimeter.text("storage_country"),
        require_secnumcloud=perimeter.flag(secnumcloud) if perimeter.declares(secnumcloud) else None,
        allow_dpf=perimeter.flag("allow_dpf"),
        allow_article_46=perimeter.flag("allow_article_46"),
        allowed_fields=perimeter.names("allowed_fields"),
        providers=perimeter.names("providers") if perimeter.declares("providers") else None,
    )


def _read_contract(contract: Section, purpose: Maybe[str | None]) -> Maybe[Contract | None]:
    if contract.exists is not True:
        return None if contract.exists is False else UNKNOWN
    contract.identifier("id")
    period, purposes = contract.period(), contract.names("purposes")
    fields, required = contract.section("fields"), contract.section("required")
    if not isinstance(purpose, str):
        return Contract(period, purposes, Names((), complete=False), Names((), complete=False))
    return Contract(period, purposes, fields.names(purpose), required.names(purpose))


def _read_places(provider: Section) -> tuple[Place, ...]:
    places, complete = provider.sections("places")
    if complete and not places:
        provider.problem("no-place")
    return tuple(_read_place(place) for place in places)


def _read_place(place: Section) -> Place:
    place.identifier("operator")
    return Place(
        kind=place.choice("kind", PLACES),
        country=place.identifier("country"),
        control_country=place.text("control_country"),
        secnumcloud=place.entry("secnumcloud"),
        scope=place.names("scope", SCOPES),
        dpf=place.entry("dpf"),
        instrument=_read_instrument(place.section("instrument")),
    )


def _read_instrument(instrument: Section) -> Maybe[Instrument | None]:
    if instrument.exists is not True:
        return None if instrument.exists is False else UNKNOWN
    if instrument.choice("type", frozenset({"scc", "bcr"})) is UNKNOWN:
        return UNKNOWN
    return Instrument(instrument.text("assessment"))


def _read_basis(basis: Section) -> Basis:
    act = basis.section("act")
    return Basis(
        article=basis.choice("article", ARTICLES),
        act=_read_act(act) if act.exists is True else (None if act.exists is False else UNKNOWN),
        register_entry=basis.text("register_entry"),
        balancing=basis.text("balancing"),
        signatory=_read_party(basis, "signatory"),
        optional_service=basis.flag("optional_service"),
        information_society_service=basis.flag("information_society_service"),
        usual_act=basis.flag("usual_act"),
    )


def _read_act(act: Section) -> Act:
    act.identifier("id")
    return Act(act.names("kinds", KINDS), act.period())


def _read_party(section: Section, key: str) -> Maybe[str | None]:
    party = section.text(key)
    if party is None or party is UNKNOWN:
        return party
    if party in {"child", SUBJECT}:
        return SUBJECT
    return party if party.startswith(GUARDIAN) and party != GUARDIAN else section.problem()


def _read_subject(subject: Section) -> Subject:
    return Subject(
        kind=subject.choice("kind", KINDS),
        birth_date=subject.day("birth_date"),
        emancipated=subject.flag("emancipated"),
        guardians=subject.names("guardians"),
        opposing=subject.names("opposing") if subject.declares("opposing") else Names(()),
        restrictions=subject.names("restrictions", RESTRICTIONS),
        gone_since=subject.day("gone_since"),
        deleted=subject.fact("deleted"),
        delivered=subject.fact("delivered"),
    )


def _read_field(field: Section) -> Field:
    name = field.identifier("name")
    if not field.declares("category"):
        field.problem("unmapped-field")
        return Field(name, UNKNOWN)
    return Field(name, field.choice("category", CATEGORIES, otherwise="unmapped-field"))


def _read_consent(consent: Section) -> Consent:
    party = _read_party(consent, "party")
    return Consent(
        party=consent.problem() if party is None else party,
        status=consent.choice("status", STATUSES),
        at=consent.instant("at"),
        until=consent.end("until"),
        purpose=consent.text("purpose"),
        provider=consent.text("provider"),
        notice=consent.text("notice"),
        proof=consent.text("proof"),
    )


def _read_objection(objection: Section) -> Objection:
    objection.instant("at")
    return Objection(
        status=objection.choice("status", OBJECTIONS),
        grounds=objection.text("grounds") if objection.declares("grounds") else None,
    )

"""What is on a receipt: who decided, what for, which data, who receives them, where, until when, how to go back on it.

Pure. An identifier is shown by its ending only: whoever finds the sheet should not learn an INE from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ops.receipts.words import Words
from services.contract.consent_records import ConsentRecord
from services.contract.consents import ConsentDecision
from services.contract.policies import Contract, ProviderPolicy, day_in_paris
from services.ingress.particulars import Exercise, Particulars
from services.ingress.recording import GUARDIAN, contract_for, record_of

SHOWN_CHARACTERS = 3


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences, and a list, either of which may be empty."""

    heading: str
    sentences: tuple[str, ...]
    listed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One receipt, as plain texts: whoever writes it down escapes them."""

    language: str
    title: str
    lead: str
    sections: tuple[Section, ...]


def page_of(
    decision: ConsentDecision, policy: ProviderPolicy, particulars: Particulars, words: Words, now: datetime
) -> Page:
    """The receipt of one decision.

    Raises:
        NotThisSchema: no contract of this policy rests on the consent that the decision is about.
    """
    contract, record = contract_for(decision, policy), record_of(decision, policy, particulars)
    party = "guardian" if decision.party.startswith(GUARDIAN) else decision.party
    who, whose = words.say(f"party.{party}"), words.say(f"whose.{party}")
    return Page(
        language=words.language,
        title=words.say(f"title.{decision.status}"),
        lead=words.say(f"lead.{decision.status}", who=who, service=policy.name, whose=whose),
        sections=(
            Section(words.say("who"), (*_by(decision, record, who, words), *_rules(party, policy, contract, words))),
            Section(words.say("why"), tuple(_why(contract, particulars, words))),
            _what(decision, record, words),
            Section(words.say("recipient"), tuple(_recipients(policy, record, words))),
            _where(policy, words),
            Section(words.say("until"), (_until(decision, contract, words),)),
            Section(words.say("change"), (_exercise(particulars.withdrawal, words),)),
            Section(
                words.say("rights"),
                (_exercise(particulars.rights, words), _exercise(particulars.complaint, words)),
            ),
            Section(words.say("reference"), tuple(_references(decision, contract, record, words, now))),
        ),
    )


def _by(decision: ConsentDecision, record: ConsentRecord, who: str, words: Words) -> Iterator[str]:
    ending = record.event.by.identifier[-SHOWN_CHARACTERS:]
    yield words.say("who.by", who=who, ending=ending, when=words.moment(decision.at))
    if decision.party.startswith(GUARDIAN):
        yield words.say("who.about", ending=decision.subject[-SHOWN_CHARACTERS:])


def _rules(party: str, policy: ProviderPolicy, contract: Contract, words: Words) -> Iterator[str]:
    """Who else must agree (rules.md, R10 and R11)."""
    if party == "subject":
        return
    age, alone_below = str(policy.perimeter.consent_age), policy.perimeter.joint_consent_from
    if alone_below is None:
        yield words.say("who.both", age=age)
    else:
        yield words.say("who.holders", **{"from": str(alone_below), "age": age})
    if not contract.legal_basis.usual_act:
        yield words.say("who.all")
    yield words.say("who.alone" if contract.legal_basis.information_society_service else "who.with_holder", age=age)


def _why(contract: Contract, particulars: Particulars, words: Words) -> Iterator[str]:
    plainly = particulars.purposes.get(contract.purpose)
    if plainly is None:
        yield words.say("why.slug", purpose=contract.purpose)
    else:
        said = plainly.says.of(words.language)
        yield words.say("why.plain", purpose=said if words.language == "fr" else said[:1].upper() + said[1:])
    if contract.legal_basis.optional_service:
        yield words.say("why.optional")


def _what(decision: ConsentDecision, record: ConsentRecord, words: Words) -> Section:
    listed = tuple(
        words.say(
            "what.required" if one.necessity == "dpv:Required" else "what.optional", field=words.field(one.identifier)
        )
        for one in record.process.personal_data
    )
    said = words.say("what.pseudonym" if decision.status == "given" else "what.nothing")
    return Section(words.say("what"), (said,), listed)


def _recipients(policy: ProviderPolicy, record: ConsentRecord, words: Words) -> Iterator[str]:
    controller, provider = record.parties
    yield words.say(f"recipient.{policy.role}", provider=provider.name, controller=controller.name)
    for one in (provider, controller):
        if one.address and one.contact:
            yield words.say("recipient.reach", name=one.name, address=one.address, contact=one.contact)


def _where(policy: ProviderPolicy, words: Words) -> Section:
    listed = [
        words.say(f"where.{place.kind}", operator=place.operator, country=words.country(place.country))
        for place in policy.places
    ]
    return Section(words.say("where"), (), tuple(dict.fromkeys(listed)))


def _until(decision: ConsentDecision, contract: Contract, words: Words) -> str:
    end = decision.until
    if decision.status != "given":
        return words.say("until.otherwise")
    if contract.until is not None and (end is None or day_in_paris(end) > contract.until):
        return words.say("until.contract", when=words.day(contract.until))
    return words.say("until.endless") if end is None else words.say("until.consent", when=words.moment(end))


def _exercise(exercise: Exercise, words: Words) -> str:
    return words.say("exercise", how=exercise.how.of(words.language), at=exercise.at)


def _references(
    decision: ConsentDecision, contract: Contract, record: ConsentRecord, words: Words, now: datetime
) -> Iterator[str]:
    yield words.say("reference.receipt", reference=record.identifier)
    yield words.say("reference.basis")
    if decision.notice is None:
        yield words.say("reference.no_notice")
    else:
        yield words.say("reference.notice", notice=decision.notice)
    if decision.proof is not None:
        yield words.say("reference.proof", proof=decision.proof)
    if contract.legal_basis.register_entry is not None:
        yield words.say("reference.register", entry=contract.legal_basis.register_entry)
    yield words.say("reference.made", when=words.moment(now))

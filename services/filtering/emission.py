"""From a verdict to what is sent: a release, a withdrawal, a restriction, or nothing where nothing changed. Pure."""

from collections.abc import Container, Mapping
from datetime import datetime
from types import MappingProxyType

from services.filtering.asking import Asked, policy_of
from services.filtering.case import Person, person_of
from services.filtering.docket import Decided, Docket
from services.filtering.freshness import Staleness
from services.filtering.likeness import moment_of
from services.filtering.merging import Doubt
from services.filtering.renaming import rename_rest
from services.filtering.subject import Subject
from services.filtering.terms import Named, Terms


class Decisions:
    """The subject with its pairs moved on, whom it shows, the ends, and the last `seq` issued."""

    def __init__(self, subject: Subject, person: Person, decided: tuple[Decided, ...], seq: int) -> None:
        self.subject, self.person, self.decided, self.seq = subject, person, decided, seq


def decide_pairs(  # noqa: PLR0913  # the last three concern only what is not as usual
    key: str, subject: Subject, terms: Mapping[str, Terms], now: datetime, seq: int, *,
    bare: Mapping[str, Named] = MappingProxyType({}), approved: Container[str] = frozenset(),
    stale: Staleness | Doubt | None = None, rotating: bool = False,
) -> Decisions | None:  # fmt: skip
    """Decide a subject for every contract; null where no image has shown who it is.

    `seq` is the last one issued in this partition: every emission takes a higher one than it and than the pair's
    own, and than the wall clock's microseconds, so that it is unique here and grows across a move to another partition.
    `bare` holds the providers whose policy names no contract, and so none of `terms`. What a change erases of everybody
    at once is held, but of the contracts that are `approved` (guard.py); where what it rests on is `stale`, so is what
    would be released. When `rotating`, whom a provider has under other names than today's is released again, or where
    nothing may go out named anew.

    Raises:
        NotThisSchema: something is to go out about a subject whose key is longer than any that may travel.
    """
    moment = moment_of(now)
    person = person_of(key, subject, moment)
    if person is None:
        return None
    docket = terms if isinstance(terms, Docket) else Docket(terms)
    asked = Asked(person, subject, moment, docket, approved=approved, stale=stale, rotating=rotating)
    if asked.sheet.silent is not None and not subject.pairs:
        return Decisions(subject, person, asked.sheet.silent, seq)
    pairs, decided = dict(subject.pairs), []
    fresh, had = asked.sheet.fresh, asked.sheet.had
    for place, term in enumerate(docket.terms):
        known = pairs.get(term.pair)
        ruling = (had if known else fresh)[place] or asked.rule(place, delivered=known is not None)
        if not ruling.may_emit or asked.is_said(term, ruling, known):
            decided.append(ruling.quiet)
            continue
        outcome, moved = asked.decide(term, ruling, known, seq)
        if moved is not None:
            pairs[term.pair] = moved
            seq = moved.seq
        decided.append(outcome)
    if not pairs:
        asked.sheet.settle()
    if not pairs.keys() <= docket.keys():
        orphaned, seq = asked.orphans(subject, pairs, bare, seq)
        decided += orphaned
    if rotating:
        decided, seq = rename_rest(
            asked.home, decided, pairs,
            policy_of=lambda pair: policy_of(pair, docket, bare), moment=moment, issued=seq,
        )  # fmt: skip
    return Decisions(subject.told(pairs), person, tuple(decided), seq)

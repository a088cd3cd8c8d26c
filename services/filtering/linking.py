"""Which guardians a pupil lets be known, and what is said of it to the partitions that remember them. Pure.

A guardian is known on her own legal basis, and falls with the last pupil that links her to a provider (rules.md).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from services.contract.releases import MAX_SUBJECT
from services.filtering.case import Person
from services.filtering.likeness import Moment
from services.filtering.subject import Pair, Subject
from services.filtering.terms import Terms

Linked = Mapping[str, tuple[str, ...]]
"""Guardian → the pairs for which she was last said to be linked."""


class Word(NamedTuple):
    """One link that goes out; `value` is what the payload's own model would write."""

    guardian: str
    on: bool
    seq: int
    value: bytes


class Words(NamedTuple):
    """The pupil, who remembers what was said, the words, and the last `seq` issued."""

    subject: Subject
    words: tuple[Word, ...]
    seq: int


def relink(subject: Subject, person: Person, linking: Mapping[str, Terms], moment: Moment, seq: int) -> Words:
    """Say what differs from what was last said; `linking` are the contracts that cover guardians.

    `seq` is the last one issued in this partition: each word takes a higher one, and higher than the clock.
    """
    said, now = subject.particulars.linked, _linked(subject.pairs, person, linking)
    if said == now:
        return Words(subject, (), seq)
    words = []
    for on, guardian, pair in _differences(said, now):
        seq = max(seq + 1, moment.microseconds)
        words.append(Word(guardian, on, seq, link_value(guardian, person.key, pair, seq, on=on)))
    return Words(subject.knowing(subject.particulars._replace(linked=now)), tuple(words), seq)


def _linked(pairs: Mapping[str, Pair], person: Person, linking: Mapping[str, Terms]) -> Linked:
    if person.kind != "pupil":
        return {}
    open_to = tuple(sorted(pair for pair, term in linking.items() if _links(term, pairs, person)))
    # Nothing could be said of a guardian whose key is longer than any that may travel.
    return {name: open_to for name in person.request["guardians"] if open_to and len(name) <= MAX_SUBJECT}


def _links(term: Terms, pairs: Mapping[str, Pair], person: Person) -> bool:
    """Whether her provider knows the pupil: under the same contract or, where that is for adults alone, under any."""
    if "pupil" in term.contract.kinds:
        return _is_known(pairs.get(term.pair))
    here = f"{term.policy.provider}/"
    return term.contract.covers_school(person.school) and any(
        _is_known(pair) for name, pair in pairs.items() if name.startswith(here)
    )


def _is_known(pair: Pair | None) -> bool:
    return pair is not None and pair.last != "erase"


def _differences(said: Linked, now: Linked) -> Iterable[tuple[bool, str, str]]:
    """What is no longer so comes first."""
    for on, former, latter in ((False, said, now), (True, now, said)):
        for guardian, pairs in former.items():
            yield from [(on, guardian, pair) for pair in pairs if pair not in latter.get(guardian, ())]


def link_value(guardian: str, pupil: str, pair: str, seq: int, *, on: bool) -> bytes:
    provider, _, contract = pair.partition("/")
    link = {"guardian": guardian, "pupil": pupil, "provider": provider, "contract": contract, "on": on, "seq": seq}
    return orjson.dumps(link)

"""The linter: all notes on a set of policies, on one day. Reads no clock and no file."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from ops.linting.needs import Needs, need_on
from ops.linting.notes import NOTES, Level, Note, NoteCode
from ops.linting.personas import (
    FIELDS_OF,
    WITHOUT_CENSUS,
    Obstacle,
    Persona,
    explained,
    is_of_places,
    obstacles,
    obstacles_of_places,
)
from services.contract.policies import Contract, ProviderPolicy
from services.contract.reasons import REASONS, Rule
from services.filtering.case import FIELD_CATEGORY
from services.filtering.explanation import Explanation

SOON_DAYS = 90
GROUPS_OF_PUPILS = ("divisions", "groups")

_DROPPED: Mapping[Rule, NoteCode] = {"R16": "field-never-leaves", "R17": "field-not-allowed", "R23": "field-too-fine"}
_OF_CONSENT: frozenset[Rule] = frozenset({"R10", "R11", "R12", "R13"})
_ORDER: Mapping[Level, int] = {"blocks": 0, "misses": 1, "soon": 2, "needless": 3, "know": 4}


class _Asked(NamedTuple):
    """One contract of one provider, on one day."""

    policy: ProviderPolicy
    contract: Contract
    day: date

    def note(self, code: NoteCode, where: str) -> Note:
        level, sentence, action = NOTES[code]
        return Note(code, level, self.policy.provider, self.contract.id, where, sentence, action)

    def of_rule(self, obstacle: Obstacle, where: str, level: Level = "blocks") -> Note:
        rule, code = obstacle
        meaning = REASONS[code]
        return Note(
            f"{rule}/{code}", level, self.policy.provider, self.contract.id, where, meaning.sentence, meaning.action
        )

    def place(self, number: int) -> str:
        place = self.policy.places[number]
        return f"places[{number}] ({place.kind}, {place.country}, {place.operator})"


def lint(policies: Iterable[ProviderPolicy], needs: Needs, day: date) -> list[Note]:
    """What an operator should look at, what matters most first within each contract."""
    found: list[Note] = []
    everybody = list(policies)
    for policy in everybody:
        others = [other for other in everybody if other.provider != policy.provider]
        for contract in policy.contracts:
            asked = _Asked(policy, contract, day)
            notes = dict.fromkeys([*_notes(asked, needs), *_told_elsewhere(asked, others)])
            found += sorted(notes, key=lambda note: _ORDER[note.level])
    return found


def _notes(asked: _Asked, needs: Needs) -> Iterator[Note]:
    today = explained(asked.policy, asked.contract, asked.day)
    yield from _scope(asked)
    yield from _obstacles(asked, today)
    yield from _places(asked)
    yield from _coming(asked, set(obstacles(today)))
    yield from _fields(asked, today)
    yield from _needs(asked, needs)
    yield from _consent(asked)
    if asked.contract.legal_basis.register_entry is None and asked.contract.legal_basis.article != "6(1)(e)":
        yield asked.note("no-register-entry", "legal_basis.register_entry")


def _scope(asked: _Asked) -> Iterator[Note]:
    if not asked.contract.kinds:
        yield asked.note("no-kind", "kinds")
    if asked.contract.schools == ():
        yield asked.note("no-school", "schools")
    if not any(place.kind == "storage" for place in asked.policy.places):
        yield asked.note("no-storage-place", "places")


def _obstacles(asked: _Asked, today: Mapping[Persona, Explanation]) -> Iterator[Note]:
    """What the rules have against people for whom all is in order; places come one by one."""
    for obstacle, names in obstacles(today).items():
        rule, code = obstacle
        whom = "everybody" if len(names) == len(today) else ", ".join(names)
        if is_of_places(obstacle) or (_is_without_notice(asked) and rule in _OF_CONSENT and code != "no-consent-age"):
            continue
        if code == "required-field-absent":
            yield asked.note("kind-lacks-required-field", f"required: {whom}")
        else:
            yield asked.of_rule(obstacle, whom)


def _is_without_notice(asked: _Asked) -> bool:
    return asked.contract.legal_basis.article == "6(1)(a)" and asked.contract.notice is None


def _places(asked: _Asked) -> Iterator[Note]:
    for number, obstacle in obstacles_of_places(asked.policy, asked.contract, asked.day):
        yield asked.of_rule(obstacle, asked.place(number))


def _coming(asked: _Asked, today: set[Obstacle]) -> Iterator[Note]:
    """What will be in the way within the next weeks and is not today: whatever ends, it is the rules that say so."""

    def on(days: int) -> set[Obstacle]:
        return set(obstacles(explained(asked.policy, asked.contract, asked.day + timedelta(days=days))))

    for obstacle in sorted(on(SOON_DAYS) - today):
        first, last = 1, SOON_DAYS
        while first < last:
            middle = (first + last) // 2
            first, last = (first, middle) if obstacle in on(middle) else (middle + 1, last)
        yield asked.of_rule(obstacle, f"from {asked.day + timedelta(days=last)}", "soon")


def _fields(asked: _Asked, today: Mapping[Persona, Explanation]) -> Iterator[Note]:
    fields = asked.contract.fields
    had = frozenset().union(*(FIELDS_OF[kind] for kind in asked.contract.kinds))
    dropped = {line.name: line.rules[0] for each in today.values() for line in each.fields if line.rules}
    for name in dict.fromkeys(fields):
        where = f"fields.{name}"
        if name in dropped:
            yield asked.note(_DROPPED[dropped[name]], where)
        elif name in WITHOUT_CENSUS:
            yield asked.note("field-without-census", where)
        elif name not in FIELD_CATEGORY:
            yield asked.note("field-unknown", where)
        elif name == "email_relay" and asked.policy.relay_domain is None:
            yield asked.note("field-without-relay", where)
        elif asked.contract.kinds and name not in had:
            yield asked.note("field-nobody-has", where)
        if fields.count(name) > 1:
            yield asked.note("field-twice", where)


def _needs(asked: _Asked, needs: Needs) -> Iterator[Note]:
    need = need_on(needs, asked.contract.purpose, asked.day)
    if need is None:
        yield asked.note("purpose-without-needs", f"purpose: {asked.contract.purpose}")
        return
    for name in dict.fromkeys(asked.contract.fields):
        if name not in need.fields:
            yield asked.note("field-without-need", f"fields.{name}")
    if asked.contract.release_window_seconds == 0 and not need.live:
        yield asked.note("live-without-need", "release_window_seconds")


def _told_elsewhere(asked: _Asked, others: Iterable[ProviderPolicy]) -> Iterator[Note]:
    told = {name for other in others for each in other.contracts for name in _groups_of_pupils(each)}
    for name in _groups_of_pupils(asked.contract):
        if name in told:
            yield asked.note("groups-at-two-providers", f"fields.{name}")


def _groups_of_pupils(contract: Contract) -> list[str]:
    return [name for name in GROUPS_OF_PUPILS if name in contract.fields and "pupil" in contract.kinds]


def _consent(asked: _Asked) -> Iterator[Note]:
    basis = asked.contract.legal_basis
    if basis.article != "6(1)(a)":
        return
    if asked.contract.notice is None:
        yield asked.note("notice-missing", "notice")
    if "pupil" in asked.contract.kinds:
        yield asked.note("joint-consent" if basis.usual_act else "unanimous-consent", "legal_basis.article")

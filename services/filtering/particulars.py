"""What the filter remembers of few people: links, objections, restrictions, other keys, what time alone will change.

Folding is a pure function of state and input, as in `subject`: the same end whatever the order of arrival.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import orjson

from services.contract.errors import TooLarge
from services.contract.links import Link
from services.contract.objections import ObjectionDecision
from services.contract.restrictions import RestrictionDecision
from services.filtering import identity
from services.filtering.identity import SOLE, Identity

Folded = Literal["changed", "no-image", "superseded", "duplicate"]
Records = tuple[Mapping[str, Any], ...]

MAX_MATTERS = 64
"""How many objections, or restrictions, one person may have; one more is put aside, for none may be forgotten."""

OBJECTION: Final = ("provider", "purpose", "objection")
RESTRICTION: Final = ("restriction", "reference")
"""What tells one matter from another."""

_RANK: Final[Mapping[str, int]] = {"rejected": 0, "open": 1, "upheld": 2, "lifted": 0, "standing": 1}
"""Of two words of one instant the more restrictive counts."""


class Particulars(NamedTuple):
    """Everything that most people have nothing of. Pairs are keyed `<provider>/<contract>`."""

    links: Mapping[str, Mapping[str, int]] = {}
    """Of a guardian, by pair: the last `seq` of each pupil, negative where her word is that she is no longer linked.

    The negative ones stay: else an older word that comes late would link the guardian again.
    """
    linked: Mapping[str, tuple[str, ...]] = {}
    """Of a pupil: her guardians by routing key, and the pairs for which each was last said to be linked."""
    objections: Records = ()
    """The last word on each."""
    restrictions: Records = ()
    """The last word on each."""
    due_us: int | None = None
    """The next instant, in microseconds, at which the passing of time alone changes what may be known."""
    identity: Identity = SOLE

    @property
    def linking(self) -> frozenset[str]:
        """The pairs under which at least one pupil links this guardian."""
        return frozenset(pair for pair, pupils in self.links.items() if any(seq > 0 for seq in pupils.values()))


NOTHING_PARTICULAR: Final = Particulars()
_BESIDE: Final = Particulars._fields[:-1]
"""All but who she is elsewhere, which is the last."""


def tie(known: Particulars, link: Link) -> tuple[Particulars, Folded]:
    """Take one link in: the highest `seq` of one pupil and pair counts."""
    pair = f"{link.provider}/{link.contract}"
    pupils = known.links.get(pair, {})
    last = abs(pupils.get(link.pupil, 0))
    if link.seq <= last:
        return known, "duplicate" if link.seq == last else "superseded"
    pupils = {**pupils, link.pupil: link.seq if link.on else -link.seq}
    return known._replace(links={**known.links, pair: pupils}), "changed"


def object_to(known: Particulars, decision: ObjectionDecision) -> tuple[Particulars, Folded]:
    """Take one step of an objection in.

    Raises:
        TooLarge: the person has as many objections as may be.
    """
    record = orjson.loads(decision.model_dump_json(exclude={"subject"}))
    kept, folded = _latest(known.objections, record, OBJECTION)
    return known._replace(objections=kept), folded


def restrict(known: Particulars, decision: RestrictionDecision) -> tuple[Particulars, Folded]:
    """Take one step of a restriction in.

    Raises:
        TooLarge: the person has as many restrictions as may be.
    """
    record = orjson.loads(decision.model_dump_json(exclude={"subject"}))
    kept, folded = _latest(known.restrictions, record, RESTRICTION)
    return known._replace(restrictions=kept), folded


def _latest(records: Records, record: Mapping[str, Any], matter: tuple[str, ...]) -> tuple[Records, Folded]:
    kept, folded = _with_latest(records, record, matter)
    if len(kept) > max(len(records), MAX_MATTERS):
        raise TooLarge(f"payload: the person has {MAX_MATTERS} of these already")
    return kept, folded


def _with_latest(records: Records, record: Mapping[str, Any], matter: tuple[str, ...]) -> tuple[Records, Folded]:
    """Keep the last word on each matter, whatever the order of arrival."""
    before = next((one for one in records if all(one[part] == record[part] for part in matter)), None)
    if before is None:
        return (*records, record), "changed"
    if before == record:
        return records, "duplicate"
    if _weight(record) < _weight(before):
        return records, "superseded"
    return (*[one for one in records if one is not before], record), "changed"


def _weight(record: Mapping[str, Any]) -> tuple[datetime, int, bool, bytes]:
    answered = record.get("grounds") is not None
    ordered = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    return datetime.fromisoformat(record["at"]), _RANK[record["status"]], not answered, ordered


def standing(restrictions: Records, now: datetime) -> list[str]:
    """The kinds of restriction that stand at this instant, each once."""
    return sorted(
        {
            one["restriction"]
            for one in restrictions
            if one["status"] == "standing" and (one["until"] is None or now < datetime.fromisoformat(one["until"]))
        }
    )


def joined(known: Particulars, other: Particulars) -> Particulars:
    """What is known of one person under two keys. None of it may be lost, however much it is."""
    objections, restrictions = known.objections, known.restrictions
    for record in other.objections:
        objections = _with_latest(objections, record, OBJECTION)[0]
    for record in other.restrictions:
        restrictions = _with_latest(restrictions, record, RESTRICTION)[0]
    links = {pair: dict(pupils) for pair, pupils in known.links.items()}
    for pair, pupils in other.links.items():
        of_pair = links.setdefault(pair, {})
        for pupil, seq in pupils.items():
            of_pair[pupil] = max(of_pair.get(pupil, 0), seq, key=abs)
    return known._replace(links=links, objections=objections, restrictions=restrictions)


def dump(known: Particulars) -> dict[str, Any]:
    """What there is, as JSON."""
    kept = {name: value for name, value in zip(_BESIDE, known, strict=False) if value}
    if known.identity is not SOLE and known.identity != SOLE:
        kept["identity"] = identity.dump(known.identity)
    return kept


def load(kept: Mapping[str, Any]) -> Particulars:
    return Particulars(
        links=kept.get("links", {}),
        linked={guardian: tuple(pairs) for guardian, pairs in kept.get("linked", {}).items()},
        objections=tuple(kept.get("objections", ())),
        restrictions=tuple(kept.get("restrictions", ())),
        due_us=kept.get("due_us"),
        identity=identity.load(kept["identity"]) if "identity" in kept else SOLE,
    )

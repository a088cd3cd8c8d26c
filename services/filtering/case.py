"""From what is known of a person to the request that the rules decide (design: rules.md, the request)."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from services.contract.changes import ATTRIBUTE_CATEGORY
from services.contract.policies import Kind
from services.filtering.age_gate import GATES
from services.filtering.detector import Traces, worst_category
from services.filtering.holders import HOLDERS, Consents, counted, guardians_of, opposing
from services.filtering.likeness import Moment, Offer, offer_of
from services.filtering.particulars import Records, standing
from services.filtering.precedents import Facts
from services.filtering.request import Category
from services.filtering.subject import Image, Subject, kind_of
from services.filtering.terms import Terms

OutOfScope = Literal["school-not-subscribed", "kind-not-in-contract", "no-linked-pupil"]

NOBODY_LINKS: frozenset[str] = frozenset()


class Person:
    """One person as every contract sees her; built once a change, whatever the number of contracts."""

    def __init__(  # noqa: PLR0913  # the parts of a person
        self, *, key: str, kind: Kind, source: str, id: str, ine: str | None, school: str | None,  # noqa: A002
        request: Mapping[str, Any], values: Mapping[str, Any], consents: Consents, all_holders: Consents,
        linked: frozenset[str], objections: Records,
    ) -> None:  # fmt: skip
        self.key, self.kind, self.source, self.id = key, kind, source, id
        self.ine, self.school = ine, school
        self.request = request
        """The `subject` of the request, but for `delivered`."""
        self.values = values
        self.consents = consents
        """As they count for a usual act, which the first holders may consent to."""
        self.all_holders = all_holders
        """As they count where all holders must agree."""
        self.linked = linked
        """Of a guardian: the pairs under which a pupil links her."""
        self.objections = objections
        """To any provider, under any ground."""

    def facts(self, day: date) -> tuple[Facts, Facts]:
        """Her part of every request on this day: for a usual act, and where all holders must agree."""
        offer = _offer(tuple(self.values))
        usual = Facts(self.request, offer, self.consents, self.objections, day)
        if self.all_holders == self.consents:
            return usual, usual
        return usual, Facts(self.request, offer, self.all_holders, self.objections, day)

    def shown(self, term: Terms, day: date) -> Mapping[str, Any]:
        """Her fields as one contract may see them."""
        return self.values if term.view is None else term.view.shown(self.kind, self.source, self.values, day)


def person_of(key: str, subject: Subject, moment: Moment) -> Person | None:
    """The person that the subject's images show at this moment; null where no source has given a whole image.

    A deleted person is still somebody: what was released of her is to be erased.
    """
    picked = subject.picked
    deleted = picked is None and subject.deleted  # who has a whole image is there
    if picked is None:
        if not deleted:
            return None
        picked = min((name, image) for name, image in subject.images.items() if image.deleted)
    source, image = picked
    (legal, since), kind = guardians_of(source, image, moment.day), kind_of(image)
    usual, all_holders = counted(subject.consents, legal, since, moment.now) if subject.consents else ((), ())
    attributes, particulars = image.attributes, subject.particulars
    guardians = [name for name, word in legal.items() if word is None or word in HOLDERS]
    against = opposing(source, subject.images, usual, moment.day) if usual and len(subject.images) > 1 else []
    may_diffuse = attributes.get("diffusion") if len(subject.images) == 1 else _diffusion(subject.images)
    restrictions = ["no-diffusion"] if may_diffuse is False else []
    if particulars.restrictions:
        restrictions += standing(particulars.restrictions, moment.now)
    return Person(
        key=key,
        kind=kind,
        source=source,
        id=image.id,
        ine=attributes.get("ine"),
        school=attributes.get("school"),
        request={
            "kind": kind,
            "birth_date": attributes.get("birth_date"),
            "emancipated": attributes.get("emancipated") is True,
            "guardians": guardians,
            "restrictions": restrictions,
            "gone_since": _come(attributes["gone_since"], moment.day) if "gone_since" in attributes else None,
            "deleted": deleted,
            **({"opposing": against} if against else {}),
        },
        values=field_values(image),
        consents=usual,
        all_holders=all_holders,
        linked=particulars.linking if particulars.links else NOBODY_LINKS,
        objections=particulars.objections,
    )


def _diffusion(images: Mapping[str, Image]) -> bool | None:
    """The last word of all directories that say it, no before yes: which of them is shown may not make it forgotten."""
    said = [
        (image.patched.get("diffusion") or image.version or "", image.attributes["diffusion"])
        for image in images.values()
        if image.whole and image.attributes.get("diffusion") is not None
    ]
    return max(said, key=lambda word: (word[0], not word[1]))[1] if said else None


def _come(day: str | None, today: date) -> str | None:
    """A day, once it has come."""
    return day if day is not None and day <= today.isoformat() else None


FIELD_CATEGORY: Mapping[str, Category] = {
    **{name: category for name, category in ATTRIBUTE_CATEGORY.items() if category is not None},
    "birth_year": "identity",
    **dict.fromkeys(GATES, "identity"),
    "email_relay": "contact",
    "commune": "address",
    "departement": "address",
    "region": "address",
}


def offer_with(values: Mapping[str, Any], traces: Mapping[str, Traces]) -> Offer:
    """These fields, those with traces under the category of what was found in them."""
    found = [(name, worst_category(kinds)) for name, kinds in traces.items()]
    return _offer(tuple(values), tuple(found))


_NOTHING: tuple[object, ...] = (None, "", [])


@lru_cache(maxsize=4096)
def _offer(names: tuple[str, ...], found: tuple[tuple[str, Category], ...] = ()) -> Offer:
    """`found` names the fields whose value is of another category than their name."""
    category = {**FIELD_CATEGORY, **dict(found)}
    return offer_of(tuple((name, category[name]) for name in names))


def field_values(image: Image) -> dict[str, Any]:
    """Every field that the image could yield, said or derived; links and restrictions are none.

    Commune, département and region need the census table (rules.md, Address): without one there is no such field.
    """
    attributes = image.attributes
    values = {
        name: value for name, value in attributes.items() if (value or value not in _NOTHING) and name in FIELD_CATEGORY
    }
    if birth_date := attributes.get("birth_date"):
        values["birth_year"] = int(birth_date[:4])
    if image.whole:
        values["email_relay"] = True
    return values


def out_of_scope(term: Terms, person: Person) -> OutOfScope | None:
    """Why this contract does not speak of this person at all; a guardian is of the schools of who links her."""
    if person.kind not in term.contract.kinds:
        return "kind-not-in-contract"
    if person.kind == "guardian":
        return None if term.pair in person.linked else "no-linked-pupil"
    return None if term.contract.covers_school(person.school) else "school-not-subscribed"

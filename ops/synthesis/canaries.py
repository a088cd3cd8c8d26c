"""The values of an invented set that may appear outside only where a contract releases that very attribute."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from ops.synthesis.night import invent_night
from ops.synthesis.people import Guardian, Member, Pupil
from ops.synthesis.school import invent_school


@dataclass(frozen=True, slots=True)
class Canaries:
    """Distinctive values by the name a contract gives the attribute (`family_name`, `ine`, `address_lines`…)."""

    by_attribute: Mapping[str, frozenset[str]]

    def forbidden(self, released: frozenset[str]) -> frozenset[str]:
        """What may not appear before someone to whom only these attributes are released.

        A relay or a pseudonym is no canary; postcodes and towns are public and generalised, so neither are they.
        """
        return frozenset(
            value for name, values in self.by_attribute.items() if name not in released for value in values
        ) - frozenset(value for name in released for value in self.by_attribute.get(name, ()))


def canaries(schools: int, seed: int, *, delta: bool, pupils_per_school: int = 300) -> Canaries:
    """Invent the same set again, and keep its values: about 1 kB of memory a pupil."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for number in range(schools):
        school = invent_school(number, seed, pupils_per_school)
        for pupil in school.pupils:
            _of_pupil(pupil, found)
        for member in school.staff:
            _of_member(member, found)
        if delta:
            night = invent_night(school, seed)
            for pupil in night.joiners:
                _of_pupil(pupil, found)
            found["mobile_phones"].update(mobile for _, mobile in night.new_mobiles)
    return Canaries({name: frozenset(values) for name, values in found.items()})


def _of_pupil(pupil: Pupil, found: defaultdict[str, set[str]]) -> None:
    found["ine"].add(pupil.ine)
    found["family_name"].add(pupil.family)
    found["birth_name"].add(pupil.family)
    found["given_name"].add(pupil.given)
    found["other_given_names"].add(pupil.given)
    if pupil.email is not None:
        found["email"].add(pupil.email)
    for guardian in pupil.guardians:
        _of_guardian(guardian, found)


def _of_guardian(guardian: Guardian, found: defaultdict[str, set[str]]) -> None:
    found["family_name"].add(guardian.family)
    found["birth_name"].add(guardian.family)
    found["given_name"].add(guardian.given)
    found["email"].add(guardian.email)
    found["mobile_phones"].add(guardian.mobile)
    found["home_phone"].add(guardian.home.phone)
    found["address_lines"].add(guardian.home.street)


def _of_member(member: Member, found: defaultdict[str, set[str]]) -> None:
    found["family_name"].add(member.family)
    found["birth_name"].add(member.family)
    found["given_name"].add(member.given)
    found["email"].add(member.email)

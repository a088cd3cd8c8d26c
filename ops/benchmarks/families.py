"""The invented input of filtering: what families said, and then a directory that grows and changes. Pure."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

import orjson
from pydantic import JsonValue

from ops.benchmarks.schools import DIVISIONS_PER_SCHOOL, REPEATED_EVERY, SOURCE, Emission, pupil
from services.contract.policies import ProviderPolicy

Party = Literal["child", "guardian"]
Band = Literal["child", "minor", "adult"]
Said = tuple[Party, str, int]
"""Who, what, and on which day of the month."""

BOTH: tuple[Said, ...] = (("child", "given", 2), ("guardian", "given", 3))
OLDER: frozenset[Band] = frozenset({"minor", "adult"})
EVERYBODY: frozenset[Band] = frozenset({"child", "minor", "adult"})


@dataclass(frozen=True, slots=True)
class Family:
    """What was said, and in which bands of age that is enough under a contract on consent (rules.md, R10 to R14)."""

    said: tuple[Said, ...]
    enough: frozenset[Band]


FAMILIES: tuple[Family, ...] = (
    *(Family(BOTH, EVERYBODY),) * 14,
    Family((("child", "refused", 2), ("guardian", "given", 3)), frozenset()),
    Family((("guardian", "given", 1), ("guardian", "withdrawn", 3), ("child", "given", 5)), OLDER),
    Family((*BOTH, ("guardian", "withdrawn", 5)), frozenset({"adult"})),
    Family((), frozenset()),
    Family((("child", "given", 2), ("guardian", "refused", 3)), OLDER),
    Family((("child", "given", 2),), OLDER),
)
"""In turn, one a pupil."""

BANDS: tuple[Band, ...] = (
    "child", "child", "child", "child", "child", "child", "minor", "minor", "minor", "adult",
)  # fmt: skip
AGES = {"child": 12, "minor": 17, "adult": 20}
"""At the end of the year; whatever the day, a year less is of the same band."""


def band_of(number: int) -> Band:
    return BANDS[number // len(FAMILIES) % len(BANDS)]


def family_of(number: int) -> Family:
    return FAMILIES[number % len(FAMILIES)]


def consents(policy: ProviderPolicy, pupils: int, partitions: int, today: date) -> Iterator[Emission]:
    """Every word on the one contract, pupil by pupil: the same notice, with proof, still valid."""
    contract = policy.contracts[0]
    for number in range(pupils):
        ine, _ = pupil(number)
        for place, (party, status, day) in enumerate(family_of(number).said):
            word = {
                "subject": ine,
                "party": party if party == "child" else f"guardian:{SOURCE}:{_guardian(number, 1)}",
                "status": status,
                "at": f"{today.year - 1}-09-{day:02d}T1{number % 10}:{number // 10 % 60:02d}:00+02:00",
                "until": f"{today.year + 1}-08-31T00:00:00+02:00",
                "purpose": contract.purpose,
                "provider": policy.provider,
                "notice": contract.notice,
                "proof": f"{number:09d}-{place}",
            }
            yield Emission(_partition(ine, partitions), ine.encode(), orjson.dumps(word), fresh=False)


def changes(pupils: int, partitions: int, today: date) -> Iterator[Emission]:
    """Everybody's image, a few of them twice, then what has changed of two in three; fresh is what is released."""
    for number in range(pupils):
        ine, fields = pupil(number)
        enough = band_of(number) in family_of(number).enough
        value = _change("upsert", number, "0", _attributes(number, ine, fields, today))
        yield Emission(_partition(ine, partitions), ine.encode(), value, enough)
        if number % REPEATED_EVERY == 1:
            yield Emission(_partition(ine, partitions), ine.encode(), value, fresh=False)
    for number in range(pupils):
        ine, fields = pupil(number)
        if (said := _patched(number, fields)) is not None:
            enough = band_of(number) in family_of(number).enough
            yield Emission(
                _partition(ine, partitions), ine.encode(), _change("patch", number, "1", said),
                fresh=enough and "divisions" in said and said != {"divisions": fields["divisions"]},
            )  # fmt: skip


def _patched(number: int, fields: dict[str, JsonValue]) -> dict[str, JsonValue] | None:
    """Of six pupils two change their class, one her telephone, which nobody may know, and one nothing."""
    match number // 7 % 6:
        case 0 | 1:
            code = f"{str(fields['level'])[0]}E {(number + 1) % DIVISIONS_PER_SCHOOL + 1:02d}"
            return {"divisions": [{"school": fields["school"], "code": code}]}
        case 2:
            return {"home_phone": "+33 6 39 98 00 00"}
        case 3:
            return {"divisions": fields["divisions"]}
        case _:
            return None


def _attributes(number: int, ine: str, fields: dict[str, JsonValue], today: date) -> dict[str, JsonValue]:
    """A full image, in the order in which our own reader writes one."""
    return {
        "ine": ine,
        "family_name": fields["family_name"],
        "given_name": fields["given_name"],
        "other_given_names": [],
        "birth_date": f"{today.year - AGES[band_of(number)]}-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        "address_lines": [f"{number % 90 + 1} rue des Écoles"],
        "postcode": "00000",
        "town": "Villeneuve",
        "country": "100",
        "diffusion": number % 10 != 0,
        "school": fields["school"],
        "mef": fields["mef"],
        "level": fields["level"],
        "divisions": fields["divisions"],
        "groups": fields["groups"],
        "guardians": [
            {"id": _guardian(number, place), "relation": str(place), "financial": "1", "legal": "1", "contact": "1"}
            for place in (1, 2)
        ],
        "regime": "DP",
    }


def _change(kind: str, number: int, delta: str, attributes: dict[str, JsonValue]) -> bytes:
    return orjson.dumps(
        {
            "kind": kind,
            "entity": "person",
            "category": "pupil",
            "source": SOURCE,
            "id": f"e{number}",
            "version": f"20260901.{delta}.{number:09d}",
            "attributes": attributes,
        }
    )


def _guardian(number: int, place: int) -> str:
    return f"r{number}-{place}"


def _partition(key: str, partitions: int) -> int:
    return zlib.crc32(key.encode()) % partitions

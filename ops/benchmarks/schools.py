"""The invented input: releases of pupils who do not exist, school by school, as the filter would emit them. Pure."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from services.contract.identifiers import uai_check_letter
from services.contract.naming import name_of_person
from services.contract.policies import ProviderPolicy, policy_digest
from services.contract.releases import Release

SOURCE = "aaf-banc"
FIRST_SEQ = 1_789_545_600_000_000
PUPILS_PER_SCHOOL = 500
DIVISIONS_PER_SCHOOL = 20
REPEATED_EVERY = 997
"""One emission in so many comes a second time, and one in twice as many is followed by an older one of its pair."""

FAMILY_NAMES = ("Martin-Dupré", "Lefèvre", "Nguyen", "Benali", "Le Goff", "D'Almeida", "Ozturk", "Sauvage", "Ferry")
GIVEN_NAMES = ("Zoé", "Maëlys", "Ibrahim", "Louise", "Jean-Noël", "Anaïs", "Théo", "Inès", "Noé", "Aminata", "Hugo")
LEVELS = (("6EME", "10010012110"), ("5EME", "10110001110"), ("4EME", "10210001110"), ("3EME", "10310019110"))
LANGUAGES = ("ANGLAIS LV1", "ESPAGNOL LV2", "ALLEMAND LV2", "LATIN", "CHORALE", "OCCITAN")


@dataclass(frozen=True, slots=True)
class Emission:
    """One record of the input, and whether anything must come of it."""

    partition: int
    key: bytes
    value: bytes
    fresh: bool


def emissions(policies: Mapping[str, ProviderPolicy], pupils: int, partitions: int) -> Iterator[Emission]:
    """For every pupil one release a contract; the same arguments give the same bytes."""
    templates = [_template(policy) for policy in policies.values()]
    seq = FIRST_SEQ
    for number in range(pupils):
        ine, fields = pupil(number)
        partition = zlib.crc32(ine.encode()) % partitions
        for template in templates:
            seq += 2
            value = _release(template, ine, fields, seq)
            yield Emission(partition, ine.encode(), value, fresh=True)
            if (seq // 2) % REPEATED_EVERY == 0:
                yield Emission(partition, ine.encode(), value, fresh=False)
            if (seq // 2) % (2 * REPEATED_EVERY) == 0:
                yield Emission(partition, ine.encode(), _release(template, ine, fields, seq - 1), fresh=False)


def pupil(number: int) -> tuple[str, dict[str, JsonValue]]:
    """INE and fields of the n-th pupil."""
    school = number // PUPILS_PER_SCHOOL
    uai = f"{school + 1:07d}{uai_check_letter(school + 1)}"
    level, mef = LEVELS[number % len(LEVELS)]
    return f"{number:09d}{chr(65 + number % 26)}{chr(65 + number // 26 % 26)}", {
        "given_name": GIVEN_NAMES[number % len(GIVEN_NAMES)],
        "family_name": f"{FAMILY_NAMES[number % len(FAMILY_NAMES)]} {FAMILY_NAMES[number // 11 % len(FAMILY_NAMES)]}",
        "level": level,
        "mef": mef,
        "school": uai,
        "divisions": [{"school": uai, "code": f"{level[0]}E {number % DIVISIONS_PER_SCHOOL + 1:02d}"}],
        "groups": [
            {"school": uai, "code": f"{level[0]} {LANGUAGES[(number + nth) % len(LANGUAGES)]}"} for nth in (0, 3)
        ],
    }


@dataclass(frozen=True, slots=True)
class _Template:
    """What all releases of one contract share; pydantic would spend 10 µs a record on proving it again."""

    release: Release
    fields: tuple[str, ...]


def _template(policy: ProviderPolicy) -> _Template:
    contract = policy.contracts[0]
    ine, fields = pupil(0)
    release = Release(
        subject=ine, provider=policy.provider, contract=contract.id, purpose_family=contract.family, seq=FIRST_SEQ,
        named_by=name_of_person(policy.perimeter.id, SOURCE, "1", ine), policy=policy_digest(policy),
        policy_version=policy.version, kind="pupil", source=SOURCE, fields=fields,
    )  # fmt: skip
    return _Template(release, contract.fields)


def _release(template: _Template, ine: str, fields: Mapping[str, JsonValue], seq: int) -> bytes:
    named_by = template.release.named_by.model_copy(update={"value": ine})
    seen = {name: fields[name] for name in template.fields}
    return (
        template.release.model_copy(update={"subject": ine, "seq": seq, "named_by": named_by, "fields": seen})
        .model_dump_json()
        .encode()
    )

"""Invented pupils with their families: what is published of them, and what the filter then remembers. Pure."""

import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from ops.benchmarks.schools import FIRST_SEQ, SOURCE, pupil
from services.contract.envelope import binary
from services.contract.naming import name_of_person
from services.contract.policies import ProviderPolicy
from services.filtering.subject import Image, Pair, Subject, dump

COMPLETE = "20260915.0.000000001"
DELTA = "20260916.1.000000001"
GIVEN_AT = datetime.fromisoformat("2026-09-01T10:00:00+02:00")


class Message(NamedTuple):
    """One record of the input."""

    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, str | bytes | None]]


def joins(number: int, partitions: int) -> Message:
    """The n-th pupil's first image."""
    return _change("upsert", COMPLETE, number, attributes(number), partitions)


def is_renamed(number: int, partitions: int) -> Message:
    """A patch that every provider hears of."""
    return _change("patch", DELTA, number, {"given_name": "Maïa"}, partitions)


def _change(kind: str, version: str, number: int, said: dict[str, Any], partitions: int) -> Message:
    ine, _ = pupil(number)
    change = {"kind": kind, "entity": "person", "category": "pupil", "source": SOURCE, "id": _id(number),
              "version": version, "attributes": said}  # fmt: skip
    return _message("change", ine, change, partitions)


def decides(number: int, policy: ProviderPolicy, status: str, at: datetime, partitions: int) -> list[Message]:
    """What the pupil and one who holds parental authority say about this provider."""
    ine, _ = pupil(number)
    words = _words(number, policy, status, at)
    return [_message("consent-decision", ine, {"subject": ine, **word}, partitions) for word in words]


def _words(number: int, policy: ProviderPolicy, status: str, at: datetime) -> list[dict[str, Any]]:
    common = {"status": status, "at": at.isoformat(), "until": None, "purpose": policy.contracts[0].purpose,
              "provider": policy.provider, "notice": policy.contracts[0].notice, "proof": f"banc-{number}"}  # fmt: skip
    return [{"party": party, **common} for party in ("child", f"guardian:{SOURCE}:{_guardian(number, 1)}")]


def _message(payload: str, ine: str, content: dict[str, Any], partitions: int) -> Message:
    headers = binary("ingress", payload, ine)
    return Message(partition_of(ine, partitions), ine.encode(), orjson.dumps(content), [*headers])


def partition_of(ine: str, partitions: int) -> int:
    return zlib.crc32(ine.encode()) % partitions


def number_of(value: bytes) -> int:
    """Which pupil a provider's record speaks of: her course of study is her number."""
    return int(orjson.loads(value)["fields"]["mef"])


def attributes(number: int) -> dict[str, Any]:
    """In the order of the model, as a platform's reader writes them; her course of study tells her number."""
    ine, fields = pupil(number)
    return {
        "ine": ine, "family_name": fields["family_name"], "given_name": fields["given_name"],
        "other_given_names": ["Line"], "title": "Mme",
        "birth_date": f"2014-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        "address_lines": [f"{number % 90 + 1} rue imaginaire"], "postcode": "99000", "town": "VILLE TEST",
        "country": "FRANCE", "school": fields["school"], "mef": f"{number:011d}", "level": fields["level"],
        "divisions": fields["divisions"], "groups": fields["groups"], "subjects": ["020700", "030201"],
        "guardians": [
            {"id": _guardian(number, nth), "relation": str(nth), "financial": "1", "legal": "1", "contact": "1",
             "payment": "0"}
            for nth in (1, 2)
        ],
        "scholarship": "N", "regime": "EXTERNE LIBRE", "transport": "N",
    }  # fmt: skip


def _id(number: int) -> str:
    return f"{80_000_000 + number}"


def _guardian(number: int, nth: int) -> str:
    return f"{100_000_000 + 2 * number + nth}"


def remembered(
    numbers: Iterable[int], policies: Iterable[ProviderPolicy], partitions: int
) -> Iterator[tuple[int, bytes, bytes]]:
    """Partition, INE and state of pupils with an image, both consents, and a release to every provider."""
    policies = tuple(policies)
    seq = FIRST_SEQ
    for number in numbers:
        seq += 1
        ine, _ = pupil(number)
        name = name_of_person(policies[0].perimeter.id, SOURCE, _id(number), ine)
        named_by = (name.entity_class, name.namespace, name.type, name.value)
        digest = blake2b(ine.encode(), digest_size=16).hexdigest()
        subject = Subject(
            {SOURCE: Image(_id(number), "pupil", COMPLETE, None, attributes(number), {})},
            tuple(_words(number, policies[0], "given", GIVEN_AT)),
            {
                f"{policy.provider}/{policy.contracts[0].id}": Pair(
                    seq, "release", digest, named_by, policy.contracts[0].family
                )
                for policy in policies
            },
        )
        yield partition_of(ine, partitions), ine.encode(), dump(subject)

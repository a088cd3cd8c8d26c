"""What goes out of the filter about one pair, byte for byte as its model writes it, and under which number. Pure."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import orjson

from services.contract.errors import NotThisSchema
from services.contract.releases import MAX_SUBJECT
from services.filtering.case import Person
from services.filtering.likeness import Moment
from services.filtering.subject import Pair
from services.filtering.terms import Named

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Emission(NamedTuple):
    """One record that goes out; `value` is what the payload's own model would write."""

    payload: Literal["release", "withdrawal", "restriction", "renaming"]
    contract: str
    seq: int
    value: bytes


def released(  # noqa: PLR0913, PLR0917  # the parts of a release
    home: str, person: Person, pair: str, moved: Pair, policy: Named, fields: bytes
) -> Emission:
    """A release of these fields, which are JSON, under the key that the later stages know the pair by.

    Raises:
        NotThisSchema: the person's key is longer than any that may travel.
    """
    value = _payload(
        home, pair, moved, policy,
        {"kind": person.kind, "source": person.source}, {"fields": orjson.Fragment(fields)},
    )  # fmt: skip
    return Emission("release", pair.partition("/")[2], moved.seq, value)


def taken_back(key: str, pair: str, moved: Pair, policy: Named, reasons: Sequence[str]) -> Emission:
    """The withdrawal, or the restriction, that brings the provider to where the pair now is; raises as `released`."""
    contract = pair.partition("/")[2]
    if moved.last == "restrict":
        value = _payload(key, pair, moved, policy, {"reasons": reasons, "restricted": True})
        return Emission("restriction", contract, moved.seq, value)
    return Emission("withdrawal", contract, moved.seq, _payload(key, pair, moved, policy, {"reasons": reasons}))


def renamed(key: str, pair: str, moved: Pair, policy: Named) -> Emission:
    """What tells the provider nothing but another name; raises as `released`."""
    value = _payload(key, pair, moved, policy, {"renamed": True})
    return Emission("renaming", pair.partition("/")[2], moved.seq, value)


def _payload(  # noqa: PLR0913, PLR0917  # the parts of a payload, in its order
    key: str, name: str, pair: Pair, policy: Named, shared: Mapping[str, Any], own: Mapping[str, Any] = _NOTHING
) -> bytes:
    """A release, withdrawal or restriction, byte for byte as its model writes it: what many share comes first.

    Every part was checked when it came in, with the policy, the change or the state; only a key may be too long.
    """
    if len(key) > MAX_SUBJECT:
        raise NotThisSchema("subject: string_too_long")
    provider, _, contract = name.partition("/")
    entity_class, namespace, id_type, value = pair.named_by
    return orjson.dumps(
        {
            "provider": provider,
            "contract": contract,
            "purpose_family": pair.purpose_family,
            "policy": policy.digest,
            "policy_version": policy.version,
            "key_serial": policy.key_serial,
            **shared,
            "named_by": {"entity_class": entity_class, "namespace": namespace, "type": id_type, "value": value},
            "subject": key,
            "seq": pair.seq,
            **own,
        }
    )


def next_seq(issued: int, known: Pair | None, moment: Moment) -> int:
    return max(issued + 1, known.seq + 1 if known else 0, moment.microseconds)

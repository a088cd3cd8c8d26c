"""Under which names of before a provider may still know somebody, while her names change. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from services.pseudonymisation.terms import Former, Terms


class Before(NamedTuple):
    """One of them, and where the state keeps the last `seq` under it."""

    former: Former
    pseudonym: bytes
    place: bytes


def seq_kept(raw: bytes | None) -> int | None:
    """The last `seq` under a name as the state keeps it: below nought where nothing lives there."""
    return None if raw is None else int(raw)


def of_before(terms: Terms, emission: Mapping[str, Any], prefix: bytes) -> Iterator[Before]:
    """Oldest first."""
    for former in terms.former:
        pseudonym = former.pseudonym(emission)
        yield Before(former, pseudonym, prefix + terms.place + pseudonym)


def parked_anew(raw: bytes, renaming: Mapping[str, Any]) -> bytes:
    """A release that was refused, to leave under the names of now once it may, as the last word of them."""
    return orjson.dumps({**orjson.loads(raw), "key_serial": renaming["key_serial"], "seq": renaming["seq"]})

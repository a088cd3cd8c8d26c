"""What a provider was told of each pair, whether a word may still be told, and what is entered of it. Pure."""

from datetime import datetime
from typing import NamedTuple

import orjson

from services.connectors.words import Word
from services.contract.outcomes import OUTCOME_OF, OutcomeCode
from services.contract.reasons import StageCode

STANDING = b"s/"
"""Where the state keeps a pair's standing, by `<contract>/<pseudonym>`."""


class Standing(NamedTuple):
    """One pair at one provider: the highest `seq` seen, and whether the provider may have it."""

    seq: int
    attempted: bool
    until: str = ""
    """Until when the last word waits (waiting.py); empty where it does not."""


def judge(word: Word, standing: Standing | None) -> StageCode | None:
    """Why a word is not to be told: an older one, the same again, or one that takes back what never left.

    Who may be known by a name of before was told of in another partition: what takes her back is told all the same.
    """
    if standing is not None and word.seq <= standing.seq:
        return "duplicate" if word.seq == standing.seq else "superseded"
    if word.kind is None and not word.renamed_from and (standing is None or not standing.attempted):
        return "never-attempted"
    return None


def told(word: Word, code: OutcomeCode) -> Standing:
    """The standing after the provider was told. An erasure and another name leave a marker: nothing old comes back.

    Unless it acknowledged an erasure, it may still have the person.
    """
    ends = word.operation in {"delete", "rotate"}
    return Standing(word.seq, attempted=not ends or OUTCOME_OF[code] != "delivered")


def dump(standing: Standing) -> bytes:
    return orjson.dumps(tuple(standing))


def load(raw: bytes | None) -> Standing | None:
    return None if raw is None else Standing(*orjson.loads(raw))


def key_of(word: Word) -> bytes:
    """The ledger's key."""
    return f"{word.provider}/{word.contract}/{word.pseudonym}".encode()


def value_of(word: Word, code: OutcomeCode, at: datetime) -> bytes:
    """The ledger's value: the bytes of an `Outcome`."""
    outcome = {
        "provider": word.provider, "contract": word.contract, "pseudonym": word.pseudonym, "seq": word.seq,
        "operation": word.operation, "at": at, "outcome": OUTCOME_OF[code], "code": code,
    }  # fmt: skip
    return orjson.dumps(outcome, option=orjson.OPT_UTC_Z)

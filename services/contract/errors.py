"""Every error that the services raise on purpose, as one tree.

A message says where and what kind, never the value: it may be logged, shown and quarantined.

SanctuaireError
├── Unreadable            bytes that cannot be taken as what they claim to be: quarantine, or refuse the file
│   ├── NotJson
│   ├── NotThisSchema
│   ├── TooLarge
│   ├── KeyMismatch       a record whose key is not that of whom it speaks
│   └── NotThisFormat     a platform's export that breaks its own grammar
├── Unusable              understood, but policy, key or setting cannot apply: stop
│   ├── AmbiguousPolicy
│   ├── NotSigned         a set of policies that nobody who may has signed
│   ├── NotThisSet        another set of policies than the one that is in force
│   ├── NotAnIdentifier   a placeholder or a malformed identifier: never a pseudonym
│   ├── WeakKey
│   ├── NoKey
│   ├── WrongSettings
│   ├── StoreInUse        a partition's folder that another worker has
│   └── StoreFailed       a partition's store that the disk refuses to read or write
│       └── StoreCorrupt  or that RocksDB finds damaged: it is rebuilt
└── Unreachable           the broker or a provider did not answer: try again
"""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError


class SanctuaireError(Exception):
    """The root. `code` is stable: it is the reason in a quarantine, a log and a metric."""

    code: ClassVar[str] = "error"


class Unreadable(SanctuaireError):
    code = "unreadable"


class NotJson(Unreadable):
    code = "not-json"


class NotThisSchema(Unreadable):
    code = "not-this-schema"


class TooLarge(Unreadable):
    code = "too-large"


class KeyMismatch(Unreadable):
    """It would reach another's state."""

    code = "key-mismatch"


class NotThisFormat(Unreadable):
    code = "not-this-format"


class Unusable(SanctuaireError):
    code = "unusable"


class AmbiguousPolicy(Unusable):
    code = "ambiguous-policy"


class NotSigned(Unusable):
    code = "not-signed"


class NotThisSet(Unusable):
    code = "not-this-set"


class NotAnIdentifier(Unusable):
    code = "not-an-identifier"


class WeakKey(Unusable):
    code = "weak-key"


class NoKey(Unusable):
    code = "no-key"


class WrongSettings(Unusable):
    code = "wrong-settings"


class StoreInUse(Unusable):
    code = "store-in-use"


class StoreFailed(Unusable):
    code = "store-failed"


class StoreCorrupt(StoreFailed):
    code = "store-corrupt"


class Unreachable(SanctuaireError):
    code = "unreachable"


class Payload(BaseModel):
    """Base of everything that flows: frozen, strict, with no field that is not declared."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


def explain_invalid(error: ValidationError, declared: frozenset[str]) -> str:
    """Say where and why a payload was refused, without a value and without an undeclared name.

    pydantic's own text may quote the input, and the path may hold a key chosen by whoever wrote the payload:
    only names in `declared` and positions are kept, anything else reads `?`.
    """
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    where = ".".join(str(step) if isinstance(step, int) or step in declared else "?" for step in first["loc"])
    return f"{where or 'payload'}: {first['type']} ({error.error_count()} in all)"

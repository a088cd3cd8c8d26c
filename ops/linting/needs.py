"""The table of needs, dated: which fields a purpose typically needs, as an authority writes it down."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import StringConstraints

from ops.policy_yaml import parse_yaml
from services.contract.errors import NotThisFormat, NotThisSchema, Payload, SanctuaireError
from services.contract.parsing import parse_payload
from services.contract.policies import Slug
from services.contract.register import Period

NEEDS_FILE = Path("needs", "purposes.yaml")
"""In a folder of policies."""
MAX_NEEDS_BYTES = 512 * 1024


class Need(Period):
    """What one purpose needs between two days, and which text says so."""

    source: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    live: bool
    """Whether its changes may leave at once."""
    fields: tuple[str, ...]


class _Table(Payload):
    purposes: Mapping[Slug, tuple[Need, ...]]


Needs = Mapping[str, tuple[Need, ...]]


def read_needs(path: Path) -> Needs:
    """The table in a file.

    Raises:
        NotThisFormat, NotThisSchema, TooLarge: where in it, what kind of fault.
    """
    try:
        purposes = parse_yaml(path.read_text("utf-8"))
        return parse_payload(_Table, orjson.dumps({"purposes": purposes}), MAX_NEEDS_BYTES).purposes
    except OSError as error:
        raise NotThisFormat(f"{path.name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise NotThisFormat(f"{path.name}: not UTF-8") from None
    except orjson.JSONEncodeError:
        raise NotThisSchema(f"{path.name}: a key that is not text") from None
    except SanctuaireError as error:
        raise type(error)(f"{path.name}: {error}") from None


def need_on(needs: Needs, purpose: str, day: date) -> Need | None:
    return next((need for need in needs.get(purpose, ()) if need.covers(day)), None)

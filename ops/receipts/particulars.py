"""The authority's particulars as it writes them: `receipts/particulars.yaml` beside its policies."""

from pathlib import Path

import orjson

from ops.policy_yaml import parse_yaml
from services.contract.errors import NotThisFormat, SanctuaireError
from services.contract.parsing import parse_payload
from services.ingress.particulars import MAX_PARTICULARS_BYTES, Particulars

FILE = Path("receipts/particulars.yaml")


def read_particulars(policies: Path) -> Particulars:
    """What lies in a folder of policies.

    Raises:
        NotThisFormat, NotThisSchema, TooLarge: where in it, what kind of fault.
    """
    try:
        text = (policies / FILE).read_text("utf-8")
        return parse_payload(Particulars, orjson.dumps(parse_yaml(text)), MAX_PARTICULARS_BYTES)
    except OSError as error:
        raise NotThisFormat(f"{FILE}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, orjson.JSONEncodeError):
        raise NotThisFormat(f"{FILE}: not text throughout") from None
    except SanctuaireError as error:
        raise type(error)(f"{FILE}: {error}") from None

"""The authority's particulars in the tests; everybody in them is invented."""

from datetime import UTC, datetime
from typing import Any

import orjson

from services.contract.consents import ConsentDecision
from services.contract.policies import ProviderPolicy
from services.ingress.particulars import Particulars
from tests.replay.invented import contract_with, example, merged, policy

NOW = datetime(2026, 9, 7, 7, 30, tzinfo=UTC)
LECTURE = policy("consent-service")
_CONTENT: dict[str, Any] = {
    "notice_language": "fr",
    "controllers": {
        "men": {
            "name": "Ministère des Écoles", "address": "1 place de l'École, 99000 Exemple",
            "contact": "dpd@men.example.test",
        }
    },
    "providers": {},
    "purposes": {
        "reading-at-home": {
            "term": "sector-education:StudentContentDelivery",
            "says": {"fr": "lire chez soi", "en": "to read at home"},
        }
    },
    "withdrawal": {
        "at": "https://consentements.men.example.test/",
        "how": {"fr": "Dites-le à l'école.", "en": "Tell the school."},
    },
    "rights": {"at": "dpd@men.example.test", "how": {"fr": "Écrivez.", "en": "Write."}},
    "complaint": {"at": "https://www.cnil.fr/fr/plaintes", "how": {"fr": "Saisissez la CNIL.", "en": "Ask the CNIL."}},
}  # fmt: skip


def particulars(**differences: Any) -> Particulars:
    return Particulars.model_validate_json(orjson.dumps(merged(_CONTENT, differences)))


def decision(case: str, **differences: Any) -> ConsentDecision:
    return ConsentDecision.model_validate_json(orjson.dumps(example(f"consent-decision/1/{case}", **differences)))


def lecture(contract: dict[str, Any] | None = None, **differences: Any) -> ProviderPolicy:
    """The reading service, with differences in its one contract and in the rest of its policy."""
    return policy("consent-service", contracts=contract_with("consent-service", **(contract or {})), **differences)

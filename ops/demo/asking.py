"""Which families are asked, of an installation: whoever rests on consent. Opens nothing."""

from ops.demo.scenario import Asked
from ops.installation import Installation

CONSENT = "6(1)(a)"
FIRST_ASKED = "lecture"
"""The optional service; the others that rest on consent are asked about beside it."""


def asked(installation: Installation) -> tuple[tuple[Asked, ...], frozenset[str] | None]:
    """Whoever rests on consent, the optional service first; and the schools that subscribe to it, null for all."""
    on_consent = [
        (provider, contract)
        for provider in sorted(installation.providers, key=lambda name: name != FIRST_ASKED)
        for contract in installation.policies[provider].contracts
        if contract.legal_basis.article == CONSENT
    ]
    schools = on_consent[0][1].schools
    each = tuple(Asked(provider, contract.purpose, contract.notice) for provider, contract in on_consent)
    return each, None if schools == "all" else frozenset(schools)

"""Which fields may leave: rules R16 and R17, and what is left once all that drops a field has spoken.

Every rule looks at every field; a field that cannot be read is neither kept nor dropped (R0 holds).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.contract.reasons import Rule
from services.filtering.policy import Finding
from services.filtering.request import Category, Request
from services.filtering.unknown import UNKNOWN

NEVER: Final[frozenset[Category]] = frozenset({"special", "free-text", "national-id"})


@dataclass(frozen=True, slots=True)
class Minimised:
    """`kept` in the order of the request; `dropped` names each with all rules that drop it, lowest first."""

    kept: tuple[str, ...]
    dropped: Mapping[str, tuple[Rule, ...]]

    def lowest(self) -> dict[str, Rule]:
        return {name: rules[0] for name, rules in self.dropped.items()}


def minimise(request: Request, restricted: frozenset[str], too_fine: frozenset[str]) -> Minimised:
    """Keep what neither R16, R17, R22 (`restricted`) nor R23 (`too_fine`) drops.

    A name that is offered twice is dropped if either one is.
    """
    names = dict.fromkeys([field.name for field in request.fields if field.name is not UNKNOWN])
    by_rule: tuple[tuple[Rule, Collection[str]], ...] = (
        ("R16", _never(request)),
        ("R17", _outside(request)),
        ("R22", restricted),
        ("R23", too_fine),
    )
    dropped = {name: rules for name in names if (rules := tuple(r for r, those in by_rule if name in those))}
    return Minimised(tuple(name for name in names if name not in dropped), dropped)


def _never(request: Request) -> set[str]:
    """R16, GDPR art. 9, 87; LIL art. 30."""
    return {field.name for field in request.fields if field.name is not UNKNOWN and field.category in NEVER}


def _outside(request: Request) -> set[str]:
    """R17, GDPR art. 5(1)(c), 25(2): an unmapped field is not judged here, R0 holds it."""
    return {
        field.name
        for field in request.fields
        if field.name is not UNKNOWN and field.category is not UNKNOWN and _is_outside(request, field.name)
    }


def _is_outside(request: Request, name: str) -> bool:
    """Say whether contract or allow-list is known not to name a field; a contract that there is not names none."""
    contract = request.policy.contract
    if contract is None or request.policy.perimeter.allowed_fields.has(name) is False:
        return True
    return contract is not UNKNOWN and contract.fields.has(name) is False


def field_findings(request: Request, minimised: Minimised) -> Iterator[Finding]:
    """R0, R16, R17, R22, R23: what is required must be there, and something must be left."""
    contract = request.policy.contract
    if contract is None or contract is UNKNOWN:
        return  # R2 or R0 says so already
    if not minimised.kept and request.all_fields_known and not _has_unnamed(request):
        yield Finding("R17", "nothing-left")
    for name in contract.required.known:
        rules = minimised.dropped.get(name, ())
        if not rules and name not in minimised.kept and request.all_fields_known:
            yield Finding("R0", "required-field-absent", "hold")
        for rule in rules:
            if rule == "R22":
                yield Finding("R22", "required-field-restricted", "hold")
            else:
                yield Finding(rule, "required-field-dropped")


def _has_unnamed(request: Request) -> bool:
    return any(field.name is UNKNOWN for field in request.fields)

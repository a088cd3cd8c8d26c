"""The register as an operator writes it: `register.yaml`, the law of places and what is known of operators.

A provider's places name the entries that cover them; what an entry says is written once, with its days and its source.
"""

from collections.abc import Mapping
from typing import Any

from services.contract.errors import NotThisSchema
from services.contract.policies import Instrument, Slug
from services.contract.register import Period, Register, Source

REGISTER_FILE = "register.yaml"


class OperatorEntry(Period):
    """A qualification or a listing of one operator."""

    operator: Slug
    source: Source


class SignedInstrument(Instrument):
    """Clauses or rules between one provider and one operator (GDPR art. 46)."""

    provider: Slug
    operator: Slug


class RegisterFile(Register):
    """What the file holds."""

    secnumcloud: Mapping[Slug, OperatorEntry]
    dpf: Mapping[Slug, OperatorEntry]
    instruments: Mapping[Slug, SignedInstrument]

    def law(self) -> Register:
        """The part that travels as it is."""
        return Register(eea=self.eea, adequacy=self.adequacy, overseas=self.overseas)


def with_entries(places: object, provider: str, register: RegisterFile) -> object:
    """A provider's places with what the register says in the place of each name.

    What is no list of places is left for the schema to refuse.

    Raises:
        NotThisSchema: a name that the register does not have, or the entry of another operator or provider.
    """
    if not isinstance(places, list):
        return places
    return [
        {**place, **_entries(place, f"places.{number}", provider, register)} if isinstance(place, dict) else place
        for number, place in enumerate(places)
    ]


def _entries(place: Mapping[str, Any], where: str, provider: str, register: RegisterFile) -> dict[str, object]:
    found: dict[str, object] = {}
    listed: dict[str, Mapping[str, OperatorEntry] | Mapping[str, SignedInstrument]] = {
        "secnumcloud": register.secnumcloud, "dpf": register.dpf, "instrument": register.instruments,
    }  # fmt: skip
    for kind, entries in listed.items():
        name = place.get(kind)
        if name is None:
            continue
        entry = entries.get(name) if isinstance(name, str) else None
        if entry is None:
            raise NotThisSchema(f"{where}.{kind}: {REGISTER_FILE} has no such entry")
        if entry.operator != place.get("operator"):
            raise NotThisSchema(f"{where}.{kind}: the entry is another operator's")
        if isinstance(entry, SignedInstrument):
            if entry.provider != provider:
                raise NotThisSchema(f"{where}.{kind}: the entry is another provider's")
            found[kind] = {"type": entry.type, "assessment": entry.assessment}
        else:
            found[kind] = Period(**{"from": entry.from_}, until=entry.until).model_dump(mode="json", by_alias=True)
    return found

"""The values of one AAF attribute to the shape of one of ours, structures resolved on the way."""

from collections.abc import Callable

from services.ingress.formats.aaf import values
from services.ingress.formats.aaf.reads import BadRecord

Resolve = Callable[[str], str]
"""A structure's jointure id to its UAI, or to itself where nothing explains it."""

Shape = Callable[[list[str], Resolve], object]


def text(found: list[str], _resolve: Resolve) -> object:
    return values.text(found)


def texts(found: list[str], _resolve: Resolve) -> object:
    return tuple(found)


def date(found: list[str], _resolve: Resolve) -> object:
    return values.birth_date(found)


def flag(found: list[str], _resolve: Resolve) -> object:
    return values.flag(found)


def lines(found: list[str], _resolve: Resolve) -> object:
    return values.lines(found)


def school(found: list[str], resolve: Resolve) -> object:
    school = values.text(found)
    return None if school is None else resolve(school)


def in_school(*names: str, least: int) -> Shape:
    """`S$…`: a structure, then parts under these names, of which `least` (with the structure) are never empty."""

    def shape(found: list[str], resolve: Resolve) -> object:
        rows = []
        for value in found:
            school, *rest = values.parts(value, least, 1 + len(names))
            rows.append({"school": resolve(school or ""), **dict(zip(names, rest, strict=True))})
        return tuple(rows)

    return shape


def class_of_first_degree(found: list[str], resolve: Resolve) -> object:
    """`S$?$?$id$label`."""
    rows = []
    for value in found:
        school, _, _, code, _ = values.parts(value, 1, 5)
        if code is None:
            raise BadRecord("fields")
        rows.append({"school": resolve(school or ""), "code": code})
    return tuple(rows)


def guardians(found: list[str], _resolve: Resolve) -> object:
    """`idResp$lien$financier$legal$contact$paiement`; what is not said, as in the first degree, is null."""
    names = ("id", "relation", "financial", "legal", "contact", "payment")
    rows = [dict(zip(names, values.parts(value, 1, 6), strict=True)) for value in found]
    # Trimmed as her own id is: else she would be another.
    return tuple({**row, "id": (row["id"] or "").strip()} for row in rows)

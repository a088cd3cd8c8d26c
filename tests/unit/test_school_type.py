import pytest

from services.contract.audit import SchoolType
from services.filtering.school_type import school_type_of


@pytest.mark.parametrize(
    ("level", "kind"),
    [
        *((level, "primary") for level in ("PS", "GS", "CP", "CE2", "CM1", "cm2")),
        *((level, "lower-secondary") for level in ("6EME", "6ème", "5EME", "4EME SEGPA", "3EME", "3E PREPA-METIERS")),
        *(
            (level, "upper-secondary")
            for level in (
                *("2NDE GENERALE ET TECHNOLOGIQUE", "2DE", "SECONDE", "1ERE GENERALE", "1RE", "Première"),
                *("TERMINALE GENERALE", "TLE", "TALE", "CAP 1 AN", "BAC PRO"),
            )
        ),
        *((level, "higher") for level in ("BTS 1ERE ANNEE", "CPGE", "DCG")),
        *((level, None) for level in ("", " ", "MLDS", "CPX", "2EME", "7EME", "1ER", "33EME", "TERRAIN")),
    ],
)
def test_first_word_of_a_level_says_which_type_of_school(level: str, kind: SchoolType | None) -> None:
    assert school_type_of(level) == kind

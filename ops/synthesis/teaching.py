"""What is taught where: invented codes under real-looking labels."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """A year of school; `birth_year` of those who are there in September 2026."""

    name: str
    prefix: str
    mef: str
    stat11: str
    birth_year: int


COLLEGE = (
    Level("6EME", "6", "99910012110", "21110010012", 2015),
    Level("5EME", "5", "99910112110", "21110010013", 2014),
    Level("4EME", "4", "99910212110", "21110010014", 2013),
    Level("3EME", "3", "99910312110", "21110010015", 2012),
)
LYCEE = (
    Level("2NDE GENERALE ET TECHNOLOGIQUE", "2", "99920010018", "22110010018", 2011),
    Level("1ERE GENERALE", "1", "99920111018", "22110010019", 2010),
    Level("TERMINALE GENERALE", "T", "99920211018", "22110010020", 2009),
)

SUBJECTS = tuple(
    (str(999701 + index), label)
    for index, label in enumerate(
        (
            *("FRANCAIS", "MATHEMATIQUES", "HISTOIRE-GEOGRAPHIE", "EDUCATION PHYSIQUE ET SPORTIVE", "ANGLAIS LV1"),
            *("ESPAGNOL LV2", "ALLEMAND LV2", "ITALIEN LV2", "PHYSIQUE-CHIMIE", "SCIENCES VIE ET TERRE"),
            *("TECHNOLOGIE", "ARTS PLASTIQUES", "EDUCATION MUSICALE", "ENSEIGN. MORAL ET CIVIQUE", "LATIN", "GREC"),
            *("PHILOSOPHIE", "SC. ECONOMIQUES ET SOCIALES", "NUMERIQUE ET SC. INFORMATIQUES", "VIE DE CLASSE"),
        )
    )
)
"""Code and label."""

POSTS = {
    "DIR": ("DIRECTION", "D0010", "PERSONNEL DE DIRECTION"),
    "DOC": ("DOCUMENTATION", "L0080", "DOCUMENTATION"),
    "EDU": ("EDUCATION", "E0030", "EDUCATION"),
    "ADF": ("PERSONNELS ADMINISTRATIFS", "A0010", "ADMINISTRATION"),
    "ENS": ("ENSEIGNEMENT", "L1300", "MATHEMATIQUES"),
}
"""Function code to its label, post and post label."""

"""What kind of school a pupil goes to, by her level: all that the account of a batch says of a school. Pure."""

import re
from functools import lru_cache
from typing import Final

from services.contract.audit import SchoolType

_LEVELS: Final[tuple[tuple[SchoolType, str], ...]] = (
    ("primary", r"TPS|PS|MS|GS|CP|CE1|CE2|CM1|CM2"),
    ("lower-secondary", r"[3-6]E?(ME)?"),
    ("upper-secondary", r"2N?DE?|SECONDE|1E?RE|PREMIERE|T(A?LE|ERMINALE)|CAP|BAC"),
    ("higher", r"BTS|STS|CPGE|DCG|DSCG|DNMADE"),
)
"""How the first word of `ENTEleveNivFormation` reads."""
_READ: Final[tuple[tuple[SchoolType, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(rf"({words})\b")) for kind, words in _LEVELS
)


@lru_cache(maxsize=1024)
def school_type_of(level: str) -> SchoolType | None:
    """Null for a level of which it is not known: it counts apart, as whoever has none does."""
    first = level.strip().upper().replace("È", "E").replace("É", "E")
    return next((kind for kind, reads in _READ if reads.match(first)), None)

"""Invented people: no syllable is anybody's name, every INE begins with 999, every e-mail is at example.test."""

import unicodedata
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from ops.synthesis.places import COMMUNES

_SYLLABLES = (
    *("ZOR", "VEL", "QUI", "MUR", "KHA", "TRY", "OBE", "LUX", "WEN", "GAR", "DRI", "PHO"),
    *("NAZ", "IVO", "SKE", "BRU", "JAL", "XAN", "FEU", "TOL", "CYM", "HEB", "PLO", "YRD"),
)
_STEMS = (
    *("Amél", "Béor", "Cæli", "Dovr", "Esth", "Fœdr", "Gwil", "Hést", "Ilv", "Jorv", "Kéal", "Lumb"),
    *("Mœn", "Nérv", "Orsk", "Pélag", "Quév", "Rhod", "Sylg", "Tœvr", "Ulv", "Vœlk", "Wén", "Zéph"),
)
_VOWELS = ("a", "é", "i", "o", "u", "œ")
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


def family_name(random: Random) -> str:
    """Four invented syllables: nothing that could occur by chance in what is searched for it."""
    return "".join(random.choices(_SYLLABLES, k=4))


def given_name(random: Random) -> str:
    """Ends in `yx`, as no given name of the country does."""
    return random.choice(_STEMS) + random.choice(_VOWELS) + "yx"


def email(given: str, family: str, number: int) -> str:
    return f"{_plain(given)}.{_plain(family)}.{number}@example.test"


def _plain(text: str) -> str:
    spelt_out = text.lower().replace("œ", "oe").replace("æ", "ae")
    return unicodedata.normalize("NFD", spelt_out).encode("ascii", "ignore").decode()


def ine(number: int) -> str:
    """The n-th invented INE: 999, six digits and two letters, each given once."""
    block, digits = divmod(number, 1_000_000)
    first, second = divmod(block + 23 * 7, 23)
    return f"999{digits:06d}{_LETTERS[first % 23]}{_LETTERS[second]}"


def landline(random: Random) -> str:
    """ARCEP's numbers for fiction: +33 1 99 00 xx xx."""
    return f"+33 1 99 00 {random.randrange(100):02d} {random.randrange(100):02d}"


def mobile(random: Random) -> str:
    """ARCEP's numbers for fiction: +33 6 39 98 xx xx."""
    return f"+33 6 39 98 {random.randrange(100):02d} {random.randrange(100):02d}"


def day_between(random: Random, first: date, last: date) -> date:
    return first + timedelta(days=random.randrange((last - first).days + 1))


@dataclass(frozen=True, slots=True)
class Home:
    street: str
    postcode: str
    town: str
    phone: str


def home(random: Random) -> Home:
    street = f"{random.randrange(1, 200)} RUE IMAGINAIRE {family_name(random)}"
    postcode, town = random.choice(COMMUNES)
    return Home(street, postcode, town, landline(random))


@dataclass(frozen=True, slots=True)
class Guardian:
    id: str
    family: str
    given: str
    title: str
    relation: str
    legal: str
    home: Home
    mobile: str
    email: str
    may_pass_address_on: bool
    pupils: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pupil:
    id: str
    ine: str
    family: str
    given: str
    title: str
    birth: date
    level: int
    division: str
    groups: tuple[str, ...]
    subjects: tuple[int, ...]
    guardians: tuple[Guardian, ...]
    email: str | None
    holds_scholarship: bool
    regime: str


@dataclass(frozen=True, slots=True)
class Member:
    """One of the staff."""

    id: str
    family: str
    given: str
    title: str
    birth: date
    email: str
    function: str
    divisions: tuple[tuple[str, int], ...] = ()
    groups: tuple[tuple[str, int], ...] = field(default=())

"""Where the law lets personal data lie: the dated register that every stage judges a place by (GDPR art. 44 to 49).

It is data (`ops/policies/register.yaml`) and travels inside every policy: a change of law is a change of policy. Reads
no clock: the day is an argument.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Final, Literal

import orjson
from pydantic import Field, StringConstraints

from services.contract.errors import Payload

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Source = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""The text that says so: a decision, a treaty, a list."""
Scope = Literal["pipeda-commercial", "appi"]
"""What an adequacy decision is limited to, and a place declares to be within."""

_CODES: Final = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
ASSIGNED: Final = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2: what is a country code at all, which no law decides."""


class Period(Payload):
    """Whole Europe/Paris days, both included; a null end has none."""

    from_: date = Field(alias="from")
    until: date | None

    def covers(self, day: date) -> bool:
        return self.from_ <= day and (self.until is None or day <= self.until)


class Membership(Period):
    """A country in which the GDPR applies as it does here, and the territories that are part of it for that."""

    source: Source
    territories: tuple[Country, ...] = ()


class Adequacy(Period):
    """One adequacy decision (GDPR art. 45), and the scope that it is limited to, if any."""

    source: Source
    scope: Scope | Literal["dpf"] | None
    """`dpf` covers who is on the list of the EU–US Data Privacy Framework (R19)."""


class DeclaredRule(Period):
    """What the perimeter has declared of an overseas territory."""

    source: Source
    treated_as: Literal["eea", "third-country"]
    """For where data may lie (R18); nobody is controlled from the EEA by it (R20)."""


class Register(Payload):
    """The law of places, whole: what is not in it is not allowed."""

    eea: Mapping[Country, Membership]
    adequacy: Mapping[Country, tuple[Adequacy, ...]]
    overseas: Mapping[Country, DeclaredRule | None]
    """Outside the EU, though of a member: null is not known yet, and holds."""

    @cached_property
    def digest(self) -> str:
        """Names the content: `sha256:` and 64 hexadecimal digits of its canonical JSON."""
        content = orjson.dumps(self.model_dump(mode="json", by_alias=True), option=orjson.OPT_SORT_KEYS)
        return "sha256:" + hashlib.sha256(content).hexdigest()

    def membership(self, country: str) -> Membership | None:
        """That of the country itself, or of the member that it is a territory of."""
        known = self.eea.get(country)
        return known or next((each for each in self.eea.values() if country in each.territories), None)

    def in_eea(self, country: str, day: date) -> bool:
        membership = self.membership(country)
        return membership is not None and membership.covers(day)

    def home(self, country: str) -> frozenset[str]:
        """A country with its territories."""
        known = self.eea.get(country)
        return frozenset((country, *known.territories)) if known else frozenset((country,))

    def contradictions(self) -> Iterator[str]:
        """What would let a country be judged in two ways, or by no code at all."""
        territories = [each for member in self.eea.values() for each in member.territories]
        listed = [*self.eea, *territories, *self.overseas]
        for country in sorted({*listed, *self.adequacy}):
            if listed.count(country) > 1:
                yield f"register: {country} is listed twice"
            if country not in ASSIGNED:
                yield f"register: {country} is no country code"

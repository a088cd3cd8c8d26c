"""Where the data would lie and who controls it: rules R18 to R20, and the dated register of adequacy.

A new adequacy decision, or the end of one, is a change of this table: an event that decides everyone again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, Literal

from services.filtering.policy import Finding
from services.filtering.request import Place, Request
from services.filtering.unknown import UNKNOWN, Maybe, Period, in_force, is_not


def _codes(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


FRANCE: Final = _codes("FR GP MQ GF RE YT MF")
"""Metropolitan France and its outermost regions, which are in the EU (TFEU art. 349)."""

EEA: Final = FRANCE | _codes("AT BE BG CY CZ DE DK EE ES FI GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO")
OVERSEAS: Final = _codes("NC PF WF PM BL TF")
"""French, and outside the EU: unknown until the perimeter declares a rule."""

ASSIGNED: Final = _codes(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """
)
"""ISO 3166-1 alpha-2."""


@dataclass(frozen=True, slots=True)
class Adequacy:
    """One adequacy decision (GDPR art. 45): its source, its days, and the scope it is limited to, if any."""

    source: str
    period: Period
    scope: str | None = None


def _since(source: str, first_day: date, last_day: date | None = None, scope: str | None = None) -> Adequacy:
    return Adequacy(source, Period(first_day, last_day), scope)


ADEQUACY: Final[Mapping[str, Adequacy]] = MappingProxyType(
    {
        "AD": _since("2010/625/EU", date(2010, 10, 19)),
        "AR": _since("2003/490/EC", date(2003, 6, 30)),
        "BR": _since("(EU) 2026/179", date(2026, 1, 26)),
        "CA": _since("2002/2/EC", date(2001, 12, 20), scope="pipeda-commercial"),
        "CH": _since("2000/518/EC", date(2000, 7, 26)),
        "FO": _since("2010/146/EU", date(2010, 3, 5)),
        "GB": _since("(EU) 2021/1772", date(2021, 6, 28), date(2031, 12, 27)),
        "GG": _since("2003/821/EC", date(2003, 11, 21)),
        "IL": _since("2011/61/EU", date(2011, 1, 31)),
        "IM": _since("2004/411/EC", date(2004, 4, 28)),
        "JE": _since("2008/393/EC", date(2008, 5, 8)),
        "JP": _since("(EU) 2019/419", date(2019, 1, 23), scope="appi"),
        "KR": _since("(EU) 2022/254", date(2021, 12, 17)),
        "NZ": _since("2013/65/EU", date(2012, 12, 19)),
        "UY": _since("2012/484/EU", date(2012, 8, 21)),
    }
)


def residency_findings(request: Request) -> Iterator[Finding]:
    """Apply R18 or R19 to every place, and R20 to all where the perimeter is sovereign."""
    perimeter = request.policy.perimeter
    if perimeter.sovereign is None:
        yield Finding("R20", "sovereignty-undeclared")
    for place in request.policy.places:
        if place.country == "US":
            yield from _united_states(request, place)
        elif place.country is not UNKNOWN and place.country not in EEA:
            yield from _third_country(request, place, place.country)
        if perimeter.sovereign is True:
            yield from _storage(request, place)
            yield from _control(request, place)


def _third_country(request: Request, place: Place, country: str) -> Iterator[Finding]:
    """R18, GDPR art. 44–49: adequate and in scope, or article 46; article 49 never."""
    if country in OVERSEAS:
        yield Finding("R18", "overseas-undeclared", "hold")
        return
    if country not in ASSIGNED:
        yield Finding("R18", "country-unknown", "hold")
        return
    adequacy = ADEQUACY.get(country)
    if _may_be_adequate(adequacy, place, request.today):
        return
    if place.instrument is not None:
        yield from _article_46(request, place, "R18")
    elif adequacy is None:
        yield Finding("R18", "place-not-adequate")
    elif adequacy.period.covers(request.today) is False:
        yield Finding("R18", "adequacy-not-in-force")
    else:
        yield Finding("R18", "adequacy-out-of-scope")


def _may_be_adequate(adequacy: Adequacy | None, place: Place, today: Maybe[date]) -> bool:
    """Say whether a place is not known to lack adequacy: what is unknown here holds by R0."""
    if adequacy is None or adequacy.period.covers(today) is False:
        return False
    return adequacy.scope is None or place.scope.has(adequacy.scope) is not False


def _united_states(request: Request, place: Place) -> Iterator[Finding]:
    """R19, Decision (EU) 2023/1795, and the perimeter's policy since 2026: the DPF and article 46, both."""
    if place.dpf is None:
        yield Finding("R19", "no-dpf-entry")
    elif in_force(place.dpf, request.today) is False:
        yield Finding("R19", "dpf-not-in-force")
    if is_not(request.policy.perimeter.allow_dpf):
        yield Finding("R19", "dpf-not-allowed")
    if place.instrument is None:
        yield Finding("R19", "no-instrument")
    yield from _article_46(request, place, "R19")


def _article_46(request: Request, place: Place, rule: Literal["R18", "R19"]) -> Iterator[Finding]:
    """R18, R19: an instrument needs an assessment, and a perimeter that accepts it (GDPR art. 46)."""
    if place.instrument is not None and place.instrument is not UNKNOWN and place.instrument.assessment is None:
        yield Finding(rule, "no-transfer-assessment")
    if is_not(request.policy.perimeter.allow_article_46):
        yield Finding(rule, "article-46-not-allowed")


def _storage(request: Request, place: Place) -> Iterator[Finding]:
    """R20: what a sovereign perimeter stores and backs up lies in its storage country."""
    home = request.policy.perimeter.storage_country
    if place.kind not in {"storage", "backup"} or place.country not in ASSIGNED or home is UNKNOWN:
        return
    if home is not None and home not in ASSIGNED:
        yield Finding("R0", "unknown-value", "hold")
    elif home is None or place.country not in (FRANCE if home == "FR" else {home}):
        yield Finding("R20", "storage-abroad")


def _control(request: Request, place: Place) -> Iterator[Finding]:
    """R20, SecNumCloud 3.2 §19.6, SREN art. 31: whoever controls the operator of any place is in the EEA."""
    control, qualified = place.control_country, in_force(place.secnumcloud, request.today)
    if control is UNKNOWN:
        return
    if control is None:
        yield Finding("R20", "control-unknown")
    elif control in EEA:
        if request.policy.perimeter.require_secnumcloud is True and qualified is False:
            yield Finding("R20", "no-secnumcloud")
    elif control in OVERSEAS or control not in ASSIGNED:
        yield Finding("R20", "control-unknown", "hold")
    elif qualified is True:
        yield Finding("R0", "secnumcloud-contradiction", "hold")
    elif qualified is False:
        yield Finding("R20", "control-abroad")

"""Where the law lets personal data lie: the dated register that every stage judges a place by (GDPR art. 44 to 49).

A new adequacy decision, or the end of one, is a change of this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final


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
    first_day: date
    last_day: date | None = None
    scope: str | None = None

    def covers(self, day: date) -> bool:
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)


ADEQUACY: Final[Mapping[str, Adequacy]] = MappingProxyType(
    {
        "AD": Adequacy("2010/625/EU", date(2010, 10, 19)),
        "AR": Adequacy("2003/490/EC", date(2003, 6, 30)),
        "BR": Adequacy("(EU) 2026/179", date(2026, 1, 26)),
        "CA": Adequacy("2002/2/EC", date(2001, 12, 20), scope="pipeda-commercial"),
        "CH": Adequacy("2000/518/EC", date(2000, 7, 26)),
        "FO": Adequacy("2010/146/EU", date(2010, 3, 5)),
        "GB": Adequacy("(EU) 2021/1772", date(2021, 6, 28), date(2031, 12, 27)),
        "GG": Adequacy("2003/821/EC", date(2003, 11, 21)),
        "IL": Adequacy("2011/61/EU", date(2011, 1, 31)),
        "IM": Adequacy("2004/411/EC", date(2004, 4, 28)),
        "JE": Adequacy("2008/393/EC", date(2008, 5, 8)),
        "JP": Adequacy("(EU) 2019/419", date(2019, 1, 23), scope="appi"),
        "KR": Adequacy("(EU) 2022/254", date(2021, 12, 17)),
        "NZ": Adequacy("2013/65/EU", date(2012, 12, 19)),
        "UY": Adequacy("2012/484/EU", date(2012, 8, 21)),
    }
)

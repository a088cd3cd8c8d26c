"""Invented people and schools as AAF attributes, in the order and with the marks of a real export."""

from collections.abc import Mapping

from ops.synthesis.people import Guardian, Member, Pupil
from ops.synthesis.school import School
from ops.synthesis.teaching import POSTS, SUBJECTS, Level

Attributes = Mapping[str, str | list[str] | None]

EXPORT_DATE = "15/09/2026"


def _flag(value: bool) -> str:
    return "O" if value else "N"


def pupil(one: Pupil, school: School) -> Attributes:
    level, home = school.plan[one.level][0], one.guardians[0].home
    return {
        "ENTPersonJointure": one.id,
        "ENTEleveINE": one.ine,
        "ENTEleveStructRattachId": str(int(one.id) - 70_000_000),
        "ENTPersonDateNaissance": f"{one.birth:%d/%m/%Y}",
        "ENTPersonNomPatro": one.family,
        "sn": one.family,
        "givenName": one.given,
        "ENTPersonAutresPrenoms": [one.given],
        "personalTitle": one.title,
        "mail": one.email,
        "homePhone": home.phone,
        "ENTElevePersRelEleve": [
            f"{guardian.id}${guardian.relation}${int(index == 0)}${guardian.legal}$1${int(index == 0)}"
            for index, guardian in enumerate(one.guardians)
        ],
        "ENTEleveBoursier": _flag(one.holds_scholarship),
        "ENTEleveRegime": one.regime,
        "ENTEleveTransport": "N",
        "ENTPersonAdresse": f"{home.street}$$$",
        "ENTPersonCodePostal": home.postcode,
        "ENTPersonVille": home.town,
        "ENTPersonPays": "FRANCE",
        "ENTEleveAdresseRel": one.guardians[0].id,
        "ENTEleveStatutEleve": "SCOLAIRE",
        "ENTEleveMEF": level.mef,
        "ENTEleveLibelleMEF": level.name,
        "ENTEleveNivFormation": level.name,
        "ENTEleveFiliere": level.name,
        "ENTEleveEnseignements": [SUBJECTS[index][1] for index in one.subjects],
        "ENTEleveCodeEnseignements": [SUBJECTS[index][0] for index in one.subjects],
        "ENTPersonStructRattach": school.id,
        "ENTEleveDateEntreeClasses": f"{school.id}$01/09/2026${one.division}",
        "ENTEleveDateSortieClasses": None,
        **classes(school, one.division, one.groups),
    }


def classes(school: School, division: str, groups: tuple[str, ...]) -> Attributes:
    return {
        "ENTEleveClasses": f"{school.id}${division}",
        "ENTEleveGroupes": [f"{school.id}${group}" for group in groups],
    }


def guardian(one: Guardian) -> Attributes:
    return {
        "ENTPersonJointure": one.id,
        "ENTPersonDateNaissance": None,
        "ENTPersonNomPatro": one.family,
        "sn": one.family,
        "givenName": one.given,
        "personalTitle": one.title,
        "homePhone": one.home.phone,
        "telephoneNumber": None,
        **mobiles(one.mobile),
        "mail": one.email,
        "ENTPersonAdresse": f"{one.home.street}$$$",
        "ENTPersonCodePostal": one.home.postcode,
        "ENTPersonVille": one.home.town,
        "ENTPersonPays": "FRANCE",
        "ENTPersonAdresseDiffusion": _flag(one.may_pass_address_on),
        "ENTAuxPersRelEleveEleve": list(one.pupils),
    }


def mobiles(number: str) -> Attributes:
    return {"mobile": number, "ENTPersonMobileSMS": number}


def member(one: Member, school: School) -> Attributes:
    label, post, post_label = POSTS[one.function]
    divisions = [f"{school.id}${code}" for code, _ in one.divisions]
    groups = [f"{school.id}${code}" for code, _ in one.groups]
    subjects = sorted({SUBJECTS[index][1] for _, index in one.divisions})
    return {
        "ENTPersonJointure": one.id,
        "ENTPersonDateNaissance": f"{one.birth:%d/%m/%Y}",
        "ENTPersonNomPatro": one.family,
        "sn": one.family,
        "givenName": one.given,
        "ENTPersonAutresPrenoms": None,
        "personalTitle": one.title,
        "mail": one.email,
        "ENTPersonStructRattach": school.id,
        "ENTAuxEnsCategoDiscipline": f"{post}${post_label}",
        "ENTAuxEnsDisciplinesPoste": f"{post_label}${post}",
        "ENTAuxEnsMatiereEnseignEtab": [f"{school.id}${subject}" for subject in subjects],
        "ENTAuxEnsClasses": divisions,
        "ENTAuxEnsGroupes": groups,
        "ENTAuxEnsClassesMatieres": [f"{school.id}${code}${SUBJECTS[index][0]}" for code, index in one.divisions],
        "ENTAuxEnsGroupesMatieres": [f"{school.id}${code}${SUBJECTS[index][0]}" for code, index in one.groups],
        "ENTAuxEnsClassesPrincipal": divisions[:1],
        "ENTPersonFonctions": f"{school.id}${one.function}${label}${post}${post_label}",
        "ENTPersonCategorieEnseignant": _flag(one.function in {"ENS", "DOC"}),
        "PersEducNatPresenceDevantEleves": _flag(bool(one.divisions)),
    }


def structure(school: School) -> Attributes:
    kind, code = ("LYCEE ENSEIGNT GENERAL ET TECHNOLOGIQUE", "302") if school.is_lycee else ("COLLEGE", "340")
    short = school.name[:3]
    return {
        "ENTStructureJointure": school.id,
        "ENTStructureUAI": school.uai,
        "ENTEtablissementUAI": school.uai,
        "ENTStructureSIREN": f"999{school.number:06d}00017",
        "ENTStructureNomCourant": f"{short}${school.name}${school.town}",
        "ENTStructureTypeStruct": kind,
        "ENTStructureCodeTypeStruct": code,
        "ENTEtablissementMinistereTutelle": "MINISTERE DE L'EDUCATION NATIONALE",
        "ENTEtablissementCodeMinistereTutelle": "06",
        "ENTEtablissementContrat": "PR" if school.number % 6 == 5 else "PU",
        "postOfficeBox": None,
        "street": "1 RUE IMAGINAIRE DE L'ECOLE",
        "postalCode": school.postcode,
        "l": school.town,
        "telephoneNumber": school.phone,
        "facsimileTelephoneNumber": None,
        "ENTStructureMailSI": f"ce.{school.uai.lower()}@example.test",
        "ENTEtablissementStructRattachFctl": None,
        "ENTEtablissementBassin": "99001$BASSIN IMAGINAIRE",
        "ENTServAcAcademie": "ACADEMIE IMAGINAIRE",
        "ENTServAcCodeAcademie": "099",
    }


def subject(code: str, label: str) -> Attributes:
    return {"ENTMatJointure": code, "ENTLibelleMatiere": label}


def mef(level: Level) -> Attributes:
    return {
        "ENTMefJointure": level.mef,
        "ENTLibelleMef": level.name,
        "ENTMEFRattach": level.mef,
        "ENTMEFSTAT11": level.stat11,
    }

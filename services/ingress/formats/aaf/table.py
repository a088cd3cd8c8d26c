"""Which AAF attributes exist, and which of ours each one is (design/formats.md, AAF).

Second degree first; a first-degree name gives way where a record also has the second-degree one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.contract.changes import Category, Entity
from services.ingress.formats.aaf import shapes


@dataclass(frozen=True, slots=True)
class Row:
    field: str
    shape: shapes.Shape
    gives_way_to: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """All that one category of request may say; a name without a row is kept under its own name."""

    entity: Entity
    category: Category
    jointure: str
    rows: Mapping[str, Row | None]


def _declare(rows: dict[str, Row], without_row: str) -> Mapping[str, Row | None]:
    return MappingProxyType({**dict.fromkeys(without_row.split()), **rows})


_IDENTITY = {
    "sn": Row("family_name", shapes.text),
    "ENTPersonNom": Row("family_name", shapes.text, "sn"),
    "ENTPersonNomPatro": Row("birth_name", shapes.text),
    "givenName": Row("given_name", shapes.text),
    "ENTPersonPrenom": Row("given_name", shapes.text, "givenName"),
    "ENTPersonAutresPrenoms": Row("other_given_names", shapes.texts),
    "personalTitle": Row("title", shapes.text),
    "ENTPersonCivilite": Row("title", shapes.text, "personalTitle"),
    "ENTPersonDateNaissance": Row("birth_date", shapes.date),
    "mail": Row("email", shapes.text),
    "ENTPersonMail": Row("email", shapes.text, "mail"),
}
_ADDRESS = {
    "ENTPersonAdresse": Row("address_lines", shapes.lines),
    "ENTPersonCodePostal": Row("postcode", shapes.text),
    "ENTPersonVille": Row("town", shapes.text),
    "ENTPersonPays": Row("country", shapes.text),
    "homePhone": Row("home_phone", shapes.text),
}
_CLASS = shapes.in_school("code", least=2)

_PUPIL = Table(
    "person",
    "pupil",
    "ENTPersonJointure",
    _declare(
        {
            **_IDENTITY,
            **_ADDRESS,
            "ENTEleveINE": Row("ine", shapes.text),
            "ENTPersonStructRattach": Row("school", shapes.school),
            "ENTEleveMEF": Row("mef", shapes.text),
            "ENTEleveNivFormation": Row("level", shapes.text),
            "ENTEleveClasses": Row("divisions", _CLASS),
            "ENTPersonClasses": Row("divisions", shapes.class_of_first_degree, "ENTEleveClasses"),
            "ENTEleveGroupes": Row("groups", _CLASS),
            "ENTPersonGroupes": Row("groups", shapes.class_of_first_degree, "ENTEleveGroupes"),
            "ENTEleveCodeEnseignements": Row("subjects", shapes.texts),
            "ENTElevePersRelEleve": Row("guardians", shapes.guardians),
            "ENTEleveAutoriteParentale": Row("guardians", shapes.guardians, "ENTElevePersRelEleve"),
            "ENTEleveBoursier": Row("scholarship", shapes.text),
            "ENTEleveRegime": Row("regime", shapes.text),
            "ENTEleveTransport": Row("transport", shapes.text),
        },
        """ENTEleveStructRattachId ENTEleveStructureRattachIdMEN ENTEleveLibelleMEF ENTEleveFiliere
        ENTEleveEnseignements ENTEleveDateEntreeClasses ENTEleveDateSortieClasses ENTEleveDateEntreeStructRattach
        ENTEleveDateSortieStructRattach ENTEleveAdresseRel ENTEleveStatutEleve ENTEleveParents ENTElevePere
        ENTEleveMere ENTElevePersRelEleve1 ENTElevePersRelEleve2 ENTEleveQualitePersRelEleve1
        ENTEleveQualitePersRelEleve2 ENTEleveEnseignementsEtablissementsAccueil ENTEleveNiveau ENTEleveCycle
        ENTEleveTypeClasse ENTEleveRestaurantScolaire ENTEleveGarderieMatin ENTEleveGarderieSoir
        ENTEleveEtudesSurveillees""",
    ),
)

_GUARDIAN = Table(
    "person",
    "guardian",
    "ENTPersonJointure",
    _declare(
        {
            **_IDENTITY,
            **_ADDRESS,
            "telephoneNumber": Row("work_phone", shapes.text),
            "mobile": Row("mobile_phones", shapes.texts),
            "ENTPersonAdresseDiffusion": Row("diffusion", shapes.flag),
            "ENTAuxPersRelEleveEleve": Row("pupils", shapes.texts),
            "ENTPersRelEleveEleve": Row("pupils", shapes.texts, "ENTAuxPersRelEleveEleve"),
        },
        "ENTPersonMobileSMS ENTPersonTelPerso ENTPersRelEleveTelPro ENTPersRelEleveTelMobile",
    ),
)

_STAFF = Table(
    "person",
    "staff",
    "ENTPersonJointure",
    _declare(
        {
            **_IDENTITY,
            "ENTPersonStructRattach": Row("school", shapes.school),
            "ENTPersonFonctions": Row("functions", shapes.in_school("code", "label", "post", "post_label", least=2)),
            "ENTAuxEnsClasses": Row("divisions", _CLASS),
            "ENTPersonClasses": Row("divisions", shapes.class_of_first_degree, "ENTAuxEnsClasses"),
            "ENTAuxEnsGroupes": Row("groups", _CLASS),
            "ENTPersonGroupes": Row("groups", shapes.class_of_first_degree, "ENTAuxEnsGroupes"),
            "ENTAuxEnsClassesMatieres": Row("teaches_divisions", shapes.in_school("division", "subject", least=3)),
            "ENTAuxEnsGroupesMatieres": Row("teaches_groups", shapes.in_school("group", "subject", least=3)),
        },
        """ENTAuxEnsCategoDiscipline ENTAuxEnsDisciplinesPoste ENTAuxEnsMEF ENTAuxEnsMatiereEnseignEtab
        ENTAuxEnsClassesPrincipal ENTEnsFonctionDir ENTEnsSpecialites ENTPersonCategorieEnseignant
        PersEducNatPresenceDevantEleves ENTPersonSTSId ENTPersonStructRattachDate ENTAuxEnsCategoDisciplineDate
        ENTAuxEnsMEFDate ENTAuxEnsClassesMatieresDate ENTAuxEnsGroupesMatieresDate ENTAuxEnsClassesPrincipalDate
        ENTPersonFonctionsDate ENTPersonCategorieEnseignantDate""",
    ),
)

_SCHOOL = Table(
    "school",
    "school",
    "ENTStructureJointure",
    _declare(
        {
            "ENTStructureUAI": Row("uai", shapes.text),
            "ENTStructureNomCourant": Row("name", shapes.text),
            "ENTStructureTypeStruct": Row("kind", shapes.text),
            "ENTEtablissementContrat": Row("contract", shapes.text),
            "l": Row("town", shapes.text),
            "postalCode": Row("postcode", shapes.text),
            "ENTServAcAcademie": Row("academy", shapes.text),
        },
        """ENTEtablissementUAI ENTStructureSIREN ENTStructureCodeTypeStruct ENTEtablissementMinistereTutelle
        ENTEtablissementCodeMinistereTutelle postOfficeBox street telephoneNumber facsimileTelephoneNumber
        ENTStructureMailSI ENTEtablissementStructRattachFctl ENTEtablissementBassin ENTServAcCodeAcademie
        ENTStructureClasses ENTStructureGroupes ENTEcoleMinistereTutelle ENTStructureBoitePostale
        ENTStructureAdresse ENTStructureCodePostal ENTStructureVille ENTStructureTelephone ENTStructureFax
        ENTStructureEmail ENTEcoleSecteur ENTEcoleCirconscription ENTEcoleCommune ENTEcoleRPI""",
    ),
)

_SUBJECT = Table(
    "nomenclature",
    "subject",
    "ENTMatJointure",
    _declare({"ENTLibelleMatiere": Row("label", shapes.text), "ENTMatiereRattach": Row("parent", shapes.text)}, ""),
)

_MEF = Table(
    "nomenclature",
    "mef",
    "ENTMefJointure",
    _declare(
        {
            "ENTLibelleMef": Row("label", shapes.text),
            "ENTMEFRattach": Row("parent", shapes.text),
            "ENTMEFSTAT11": Row("stat11", shapes.text),
            "ENTNivFormation": Row("level", shapes.text),
            "ENTFiliere": Row("track", shapes.text),
        },
        "",
    ),
)

TABLES: Mapping[tuple[str, str], Table] = MappingProxyType(
    {
        ("categoriePersonne", "Eleve"): _PUPIL,
        ("categoriePersonne", "PersRelEleve"): _GUARDIAN,
        ("categoriePersonne", "PersEducNat"): _STAFF,
        ("categorieStructure", "EtabEducNat"): _SCHOOL,
        ("categorieMatiere", "MatEducNat"): _SUBJECT,
        ("categorieMatiere", "MatiereEducNat"): _SUBJECT,
        ("categorieMef", "MefEducNat"): _MEF,
    }
)
"""By the operational attribute and its value (`MatEducNat` in a file named `MatiereEducNat`)."""

STRUCTURE_UAI = "ENTStructureUAI"
"""What explains a structure's jointure id."""

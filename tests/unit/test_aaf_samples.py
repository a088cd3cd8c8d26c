import io
import json
from pathlib import Path
from typing import Any

from services.contract.changes import Change, parse_change
from services.ingress.formats.aaf import NamedStream, Read, read_set

SAMPLES = Path(__file__).parents[1] / "data" / "aaf"


def read_samples(encoding: str = "UTF-8") -> list[Read]:
    """Read the samples, given in an order that is not the one they happened in."""
    return list(read_set([_stream(path, encoding) for path in sorted(SAMPLES.iterdir(), reverse=True)], None, {}))


def _stream(path: Path, encoding: str) -> NamedStream:
    text = path.read_text(encoding="UTF-8").replace('encoding="UTF-8"', f'encoding="{encoding}"')
    return NamedStream(path.name, lambda: io.BytesIO(text.encode(encoding)))


PUPIL = {
    "kind": "upsert",
    "entity": "person",
    "category": "pupil",
    "source": "ac-99",
    "id": "8800001",
    "version": "20260915.0.000000001",
    "attributes": {
        "ine": "999000001AB",
        "family_name": "FICTIF",
        "birth_name": "FICTIF",
        "given_name": "Zélie",
        "other_given_names": ["Zélie", "Anne"],
        "title": "Mme",
        "birth_date": "2014-05-03",
        "address_lines": ["12 RUE IMAGINAIRE", "", "", ""],
        "postcode": "99000",
        "town": "VILLE TEST",
        "country": "FRANCE",
        "school": "0999001W",
        "mef": "99910012110",
        "level": "6EME",
        "divisions": [{"school": "0999001W", "code": "6A"}],
        "groups": [{"school": "0999001W", "code": "6AGP1"}],
        "subjects": ["999701", "999702"],
        "guardians": [
            {"id": "8810001", "relation": "10", "financial": "1", "legal": "1", "contact": "1", "payment": "1"},
            {"id": "8810002", "relation": "20", "financial": "0", "legal": "1", "contact": "1", "payment": "0"},
        ],
        "scholarship": "N",
        "regime": "EXTERNE LIBRE",
        "transport": "N",
    },
    "source_attributes": {
        "ENTEleveStructRattachId": ["440001"],
        "ENTEleveAdresseRel": ["8810001"],
        "ENTEleveStatutEleve": ["SCOLAIRE"],
        "ENTEleveLibelleMEF": ["6EME TEST"],
        "ENTEleveFiliere": ["6EME"],
        "ENTEleveEnseignements": ["FRANCAIS", "MATHEMATIQUES"],
        "ENTEleveDateEntreeClasses": ["7001$01/09/2026$6A"],
        "ENTEleveDateSortieClasses": [],
    },
}
SCHOOL = {
    "kind": "upsert",
    "entity": "school",
    "category": "school",
    "source": "ac-99",
    "id": "7001",
    "version": "20260915.0.000000002",
    "attributes": {
        "uai": "0999001W",
        "name": "CLG$CLG DES TROIS SOURCES$VILLE TEST",
        "kind": "COLLEGE",
        "contract": "PU",
        "town": "VILLE TEST",
        "postcode": "99000",
        "academy": "ACADEMIE TEST",
    },
    "source_attributes": {
        "ENTEtablissementUAI": ["0999001W"],
        "ENTStructureSIREN": ["99900100000017"],
        "ENTStructureCodeTypeStruct": ["340"],
        "ENTEtablissementMinistereTutelle": ["MINISTERE DE L'EDUCATION NATIONALE"],
        "ENTEtablissementCodeMinistereTutelle": ["06"],
        "postOfficeBox": [],
        "street": ["1 RUE DU TEST"],
        "telephoneNumber": ["+33 1 99 00 00 01"],
        "facsimileTelephoneNumber": [],
        "ENTStructureMailSI": ["ce.0999001w@example.test"],
        "ENTEtablissementStructRattachFctl": [],
        "ENTEtablissementBassin": ["99001$BASSIN TEST"],
        "ENTServAcCodeAcademie": ["099"],
    },
}
SUBJECT = {
    "kind": "upsert",
    "entity": "nomenclature",
    "category": "subject",
    "source": "ac-99",
    "id": "999702",
    "version": "20260915.0.000000003",
    "attributes": {"label": "MATHEMATIQUES"},
}
MEF = {
    "kind": "upsert",
    "entity": "nomenclature",
    "category": "mef",
    "source": "ac-99",
    "id": "99910012110",
    "version": "20260915.0.000000004",
    "attributes": {"label": "6EME TEST", "parent": "99910012110", "stat11": "21110010012"},
}
TEACHER = {
    "kind": "upsert",
    "entity": "person",
    "category": "staff",
    "source": "ac-99",
    "id": "8820001",
    "version": "20260915.0.000000005",
    "attributes": {
        "birth_date": "1981-11-11",
        "birth_name": "EXEMPLE",
        "family_name": "EXEMPLE",
        "given_name": "Basile",
        "other_given_names": [],
        "title": "M.",
        "email": "basile.exemple@example.test",
        "school": "0999001W",
        "divisions": [{"school": "0999001W", "code": "6A"}],
        "groups": [{"school": "0999001W", "code": "6AGP1"}],
        "teaches_divisions": [{"school": "0999001W", "division": "6A", "subject": "999702"}],
        "teaches_groups": [{"school": "0999001W", "group": "6AGP1", "subject": "999702"}],
        "functions": [
            {
                "school": "0999001W",
                "code": "ENS",
                "label": "ENSEIGNEMENT",
                "post": "L1300",
                "post_label": "MATHEMATIQUES",
            }
        ],
    },
    "source_attributes": {
        "ENTAuxEnsCategoDiscipline": ["13$MATHEMATIQUES"],
        "ENTAuxEnsDisciplinesPoste": ["MATHEMATIQUES$13"],
        "ENTAuxEnsMEF": ["7001$99910012110$6EME TEST"],
        "ENTAuxEnsMatiereEnseignEtab": ["7001$MATHEMATIQUES"],
        "ENTAuxEnsClassesPrincipal": ["7001$6A"],
        "ENTPersonCategorieEnseignant": ["O"],
        "PersEducNatPresenceDevantEleves": ["O"],
    },
}
GUARDIAN = {
    "kind": "upsert",
    "entity": "person",
    "category": "guardian",
    "source": "ac-99",
    "id": "8810001",
    "version": "20260915.0.000000006",
    "attributes": {
        "birth_date": None,
        "birth_name": "FICTIF",
        "family_name": "FICTIF",
        "given_name": "Odile",
        "title": "Mme",
        "home_phone": "+33 1 99 00 00 02",
        "work_phone": None,
        "mobile_phones": ["+33 6 99 00 00 03"],
        "email": "odile.fictif@example.test",
        "address_lines": ["12 RUE IMAGINAIRE", "", "", ""],
        "postcode": "99000",
        "town": "VILLE TEST",
        "country": "FRANCE",
        "diffusion": False,
        "pupils": ["8800001"],
    },
    "source_attributes": {"ENTPersonMobileSMS": ["+33 6 99 00 00 03"]},
}
MOVER = {
    "kind": "patch",
    "entity": "person",
    "category": "pupil",
    "source": "ac-99",
    "id": "8800001",
    "version": "20260916.1.000000001",
    "attributes": {"divisions": [{"school": "0999001W", "code": "6B"}], "groups": []},
}
LEAVER = {
    "kind": "delete",
    "entity": "person",
    "category": "pupil",
    "source": "ac-99",
    "id": "8800002",
    "version": "20260916.1.000000002",
    "attributes": {},
}
EXPECTED: list[dict[str, Any]] = [PUPIL, SCHOOL, SUBJECT, MEF, TEACHER, GUARDIAN, MOVER, LEAVER]


def as_json(reads: list[Read]) -> list[Any]:
    return [
        json.loads(read.model_dump_json(exclude_unset=True)) if isinstance(read, Change) else read for read in reads
    ]


def test_samples_become_these_changes_by_date_then_complete_before_delta_then_name() -> None:
    assert as_json(read_samples()) == EXPECTED


def test_an_export_in_iso_8859_15_gives_the_same_changes() -> None:
    assert as_json(read_samples("ISO-8859-15")) == EXPECTED


def test_what_is_written_is_read_back_as_the_same_change() -> None:
    changes = [read for read in read_samples() if isinstance(read, Change)]

    assert [parse_change(change.model_dump_json(exclude_unset=True).encode()) for change in changes] == changes

import hashlib
import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from ops.aaf_files import read_export
from ops.synthesis import Canaries, Synthesis, canaries, synthesise
from services.contract.changes import Change
from services.contract.identifiers import canonical_ine, canonical_uai

SCHOOLS = 6
PUPILS = 120
EXPORTED = date(2026, 9, 15)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Synthesis]:
    out = tmp_path_factory.mktemp("synthesis")
    return out, synthesise(
        SCHOOLS, 7, delta=True, encoding="ISO-8859-15", out=out, pupils_per_school=PUPILS, slice_records=250
    )


@pytest.fixture(scope="module")
def changes(written: tuple[Path, Synthesis]) -> list[Change]:
    reads = list(read_export(written[0], None, {}))
    found = [one for one in reads if isinstance(one, Change)]

    assert found == reads, "nothing refused, remarked or set aside"
    return found


def of(changes: list[Change], kind: str, category: str) -> list[Change]:
    return [change for change in changes if (change.kind, change.category) == (kind, category)]


def test_what_is_written_is_read_record_for_record(written: tuple[Path, Synthesis], changes: list[Change]) -> None:
    parts = {
        "Eleve": "pupil",
        "PersRelEleve": "guardian",
        "PersEducNat": "staff",
        "EtabEducNat": "school",
        "MatiereEducNat": "subject",
        "MefEducNat": "mef",
    }
    kinds = {"addRequest": "upsert", "modifyRequest": "patch", "deleteRequest": "delete"}

    counted: Counter[tuple[str, str]] = Counter()
    for (_, request, part), count in written[1].counts.items():
        counted[kinds[request], parts[part]] += count

    assert Counter((change.kind, change.category) for change in changes) == counted
    assert (counted["upsert", "school"], counted["delete", "pupil"], counted["patch", "pupil"]) == (6, 6, 6)


def digest(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        synthesise(2, seed, delta=True, encoding="UTF-8", out=tmp_path / name, pupils_per_school=20)

    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert digest(tmp_path / "a") != digest(tmp_path / "c")


def test_a_set_without_delta_has_none(tmp_path: Path) -> None:
    done = synthesise(1, 1, delta=False, encoding="UTF-8", out=tmp_path, pupils_per_school=10)

    assert not [file for file in done.files if "Delta" in file.name]


def test_no_file_has_more_records_than_a_slice(written: tuple[Path, Synthesis]) -> None:
    sizes = [file.read_bytes().count(b"<identifier>") for file in written[1].files]

    assert max(sizes) == 250


def test_identifiers_look_right_and_are_nobody_s(changes: list[Change]) -> None:
    pupils, schools = of(changes, "upsert", "pupil"), of(changes, "upsert", "school")
    ines = [pupil.attributes.ine for pupil in pupils]

    assert all(ine is not None and ine.startswith("999") and canonical_ine(ine) == ine for ine in ines)
    assert len(set(ines)) == len(pupils)
    assert all(canonical_uai(school.attributes.uai) == school.attributes.uai for school in schools)
    assert all(str(school.attributes.uai).startswith("0999") for school in schools)


def test_contacts_are_nobody_s(changes: list[Change]) -> None:
    people = [change.attributes for change in changes if change.entity == "person"]
    phones = {phone for one in people for phone in (one.home_phone, *one.mobile_phones) if phone}

    assert all(email.endswith("@example.test") for one in people if (email := one.email))
    assert all(re.fullmatch(r"\+33 (1 99 00|6 39 98) \d\d \d\d", phone) for phone in phones)


def age(born: date) -> int:
    return EXPORTED.year - born.year - ((EXPORTED.month, EXPORTED.day) < (born.month, born.day))


def test_pupils_of_a_college_are_under_fifteen_and_those_of_a_lycee_are_not(changes: list[Change]) -> None:
    lycees = {s.attributes.uai for s in of(changes, "upsert", "school") if "LYCEE" in str(s.attributes.kind)}
    ages = {True: set[int](), False: set[int]()}
    for pupil in of(changes, "upsert", "pupil"):
        assert pupil.attributes.birth_date is not None
        ages[pupil.attributes.school in lycees].add(age(pupil.attributes.birth_date))

    assert ages == {True: {15, 16, 17}, False: {11, 12, 13, 14}}


def test_ratios_are_those_of_real_exports(changes: list[Change]) -> None:
    pupils = of([c for c in changes if c.version < "20260916"], "upsert", "pupil")
    staff = of(changes, "upsert", "staff")
    links = sum(len(pupil.attributes.guardians) for pupil in pupils)

    assert len(pupils) == SCHOOLS * PUPILS
    assert links / len(pupils) == pytest.approx(1.66, abs=0.1)
    assert sum(len(p.attributes.subjects) for p in pupils) / len(pupils) == pytest.approx(12.1, abs=0.1)
    assert sum(bool(one.attributes.teaches_divisions) for one in staff) / len(staff) == pytest.approx(0.38, abs=0.06)
    assert {function.code for one in staff for function in one.attributes.functions} >= {"ENS", "DIR", "DOC"}


def test_there_is_something_of_everything_that_the_rules_tell_apart(changes: list[Change]) -> None:
    pupils, guardians = of(changes, "upsert", "pupil"), of(changes, "upsert", "guardian")

    assert {link.legal for pupil in pupils for link in pupil.attributes.guardians} == {"1", "2"}
    assert {guardian.attributes.diffusion for guardian in guardians} == {True, False}
    assert {pupil.attributes.scholarship for pupil in pupils} == {"O", "N"}
    assert max(len(guardian.attributes.pupils) for guardian in guardians) > 1


def test_links_between_guardians_and_pupils_hold_both_ways(changes: list[Change]) -> None:
    down = {(g.id, pupil) for g in of(changes, "upsert", "guardian") for pupil in g.attributes.pupils}
    up = {(link.id, p.id) for p in of(changes, "upsert", "pupil") for link in p.attributes.guardians}

    assert down == up


def test_the_night_speaks_of_people_of_the_complete(changes: list[Change]) -> None:
    known = {change.id for change in changes if change.version < "20260916" and change.entity == "person"}
    night = [change for change in changes if change.version > "20260916"]

    assert all((change.id in known) == (change.kind != "upsert") for change in night)


@pytest.fixture(scope="module")
def kept() -> Canaries:
    return canaries(SCHOOLS, 7, delta=True, pupils_per_school=PUPILS)


@pytest.mark.parametrize("name", ["ine", "family_name", "given_name", "email", "home_phone"])
def test_canaries_are_all_the_values_of_the_set(name: str, changes: list[Change], kept: Canaries) -> None:
    people = [change.attributes for change in changes if change.entity == "person"]
    values = {value for one in people if (value := getattr(one, name)) is not None}

    assert kept.by_attribute[name] == values


def test_canaries_hold_what_is_in_lists_too(changes: list[Change], kept: Canaries) -> None:
    people = [change.attributes for change in changes if change.entity == "person"]

    assert kept.by_attribute["mobile_phones"] == {phone for one in people for phone in one.mobile_phones}
    assert kept.by_attribute["address_lines"] == {one.address_lines[0] for one in people if one.address_lines}


def test_canaries_are_found_in_no_text_by_chance(kept: Canaries) -> None:
    rules = json.dumps(sorted(Change.model_json_schema()["$defs"])).upper()

    assert all(len(name) >= 10 and name not in rules for name in kept.by_attribute["family_name"])
    assert all(name.endswith("yx") for name in kept.by_attribute["given_name"])


def test_what_a_contract_releases_is_no_canary_for_it(kept: Canaries) -> None:
    forbidden = kept.forbidden(frozenset({"given_name", "family_name"}))

    assert not forbidden & (kept.by_attribute["given_name"] | kept.by_attribute["family_name"])
    assert forbidden >= kept.by_attribute["ine"]

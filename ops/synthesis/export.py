"""An invented AAF export: a complete, and the delta of the night after, written school by school."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ops.synthesis import records
from ops.synthesis.night import invent_night
from ops.synthesis.school import School, invent_school
from ops.synthesis.teaching import COLLEGE, LYCEE, SUBJECTS
from ops.synthesis.writing import Encoding, SetWriter

PROJECT = "SYNTHESE"
SLICE_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class Synthesis:
    """What was written: files in the order of writing, and requests by set, request and part of the file name."""

    files: tuple[Path, ...]
    counts: Mapping[tuple[str, str, str], int]


def synthesise(
    schools: int,
    seed: int,
    delta: bool,
    encoding: Encoding,
    out: Path,
    *,
    pupils_per_school: int = 300,
    slice_records: int = SLICE_RECORDS,
) -> Synthesis:
    """Write the set; the same arguments give the same bytes, in the memory of one school.

    About 3 kB a pupil, all told 5 kB: 700 schools of 300 make 1 GB.
    """
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        complete = stack.enter_context(SetWriter(out, f"{PROJECT}_Complet_20260915", encoding, slice_records))
        nightly = stack.enter_context(SetWriter(out, f"{PROJECT}_Delta_20260916", encoding, slice_records))
        for code, label in SUBJECTS:
            complete.add("MatiereEducNat", code, records.subject(code, label))
        for level in (*COLLEGE, *LYCEE):
            complete.add("MefEducNat", level.mef, records.mef(level))
        for number in range(schools):
            school = invent_school(number, seed, pupils_per_school)
            _write_school(complete, school)
            if delta:
                _write_night(nightly, school, seed)
    counts = {("Complet", *key): count for key, count in complete.counts.items()}
    counts |= {("Delta", *key): count for key, count in nightly.counts.items()}
    return Synthesis((*complete.files, *nightly.files), counts)


def _write_school(complete: SetWriter, school: School) -> None:
    complete.add("EtabEducNat", school.id, records.structure(school))
    for pupil in school.pupils:
        complete.add("Eleve", pupil.id, records.pupil(pupil, school))
    for guardian in school.guardians:
        complete.add("PersRelEleve", guardian.id, records.guardian(guardian))
    for member in school.staff:
        complete.add("PersEducNat", member.id, records.member(member, school))


def _write_night(nightly: SetWriter, school: School, seed: int) -> None:
    night = invent_night(school, seed)
    for pupil, division in night.moves:
        nightly.modify("Eleve", pupil.id, records.classes(school, division, (f"{division}GP1",)))
    for leaver in night.leavers:
        nightly.delete("Eleve", leaver.id)
    for joiner in night.joiners:
        nightly.add("Eleve", joiner.id, records.pupil(joiner, school))
        for guardian in joiner.guardians:
            nightly.add("PersRelEleve", guardian.id, records.guardian(guardian))
    for guardian, mobile in night.new_mobiles:
        nightly.modify("PersRelEleve", guardian.id, records.mobiles(mobile))

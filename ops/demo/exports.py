"""The invented exports on disk: the complete, the night's delta, and the delta that brings one leaver."""

from dataclasses import dataclass
from pathlib import Path

from ops.demo.scenario import Scenario
from ops.synthesis import synthesise
from ops.synthesis.writing import SetWriter


@dataclass(frozen=True, slots=True)
class Exports:
    """A folder each, in the order of the calendar."""

    complete: Path
    night: Path
    departure: Path


def write_exports(scenario: Scenario, seed: int, pupils_per_school: int, folder: Path) -> Exports:
    exports = Exports(folder / "complete", folder / "night", folder / "departure")
    for path in (exports.complete, exports.night, exports.departure):
        path.mkdir(parents=True)
    written = synthesise(
        len(scenario.schools), seed, delta=True, encoding="UTF-8", out=exports.complete,
        pupils_per_school=pupils_per_school,
    )  # fmt: skip
    for file in written.files:
        if "_Delta_" in file.name:
            file.rename(exports.night / file.name)
    with SetWriter(exports.departure, "SYNTHESE_Delta_20260917", "UTF-8", 1000) as delta:
        delta.delete("Eleve", scenario.leaver.id)
    return exports

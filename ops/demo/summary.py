"""The demonstration's result as data: what `--json` writes. Pure."""

from collections.abc import Mapping
from typing import Any

from ops.demo.readout import ReadOut
from ops.demo.tally import Ends, Tally, ends_of
from ops.demo.verifier import Judgement
from services.contract.topology import CHANGES, CONSENTS


def tally_of(read: ReadOut) -> Tally:
    """The counts once more, from what the independent reader has read."""
    tally = Tally(tuple(sorted(read.policies)))
    for topic, rows in read.topics.items():
        for row in rows:
            tally.take(topic, row.key, row.value)
    return tally


def summary(read: ReadOut, judged: Judgement, seconds: float) -> Mapping[str, Any]:
    """A provider's numbers (all of `withheld`, not `known`) and `quarantined` make `changes` and `consents`."""
    tally = tally_of(read)
    return {
        "changes": tally.records[CHANGES],
        "consents": tally.records[CONSENTS],
        "providers": {name: _of_provider(ends_of(tally, name)) for name in tally.providers},
        "quarantined": read.quarantined,
        "reconciled": judged.reconciled,
        "canaries_found": judged.canaries_found,
        "canaries_inside": judged.canaries_inside,
        "findings": [
            {"kind": finding.kind, "where": finding.where, "count": finding.count}
            for finding in (*judged.unreconciled, *judged.canaries)
        ],
        "seconds": round(seconds, 1),
    }


def _of_provider(ends: Ends) -> Mapping[str, Any]:
    return {
        "released": ends.released,
        "unchanged": ends.unchanged,
        "withheld": dict(ends.withheld),
        "held": ends.held,
        "erased": ends.erased,
        "refused": ends.refused,
        "known": ends.known,
    }

from dataclasses import replace

import orjson
from rich.console import Console, RenderableType

from ops.demo.chain import Chain
from ops.demo.readout import Finding, Row
from ops.demo.summary import tally_of
from ops.demo.tally import ends_of
from ops.demo.verifier import Judgement
from ops.demo.view import ends_tables, flow, judgement, side_by_side
from tests.unit.demo_readouts import PSEUDONYMS, read, topics

PUPIL = "999000000AB"


def text_of(*what: RenderableType) -> str:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(*what)
    return capture.get()


def test_one_person_is_shown_as_published_and_as_each_provider_has_her() -> None:
    seen = topics()
    change = {
        "kind": "upsert", "entity": "person", "category": "pupil", "source": "ac-99", "id": "80",
        "version": "20260915.0.000000001",
        "attributes": {"ine": PUPIL, "family_name": "EXEMPLE", "level": "5EME", "address_lines": ["1 RUE", ""]},
    }  # fmt: skip
    seen["directory.changes.v1"][0] = Row(0, 0, PUPIL.encode(), orjson.dumps(change))

    lines = text_of(side_by_side(Chain(read(seen)), PUPIL, ("lecture",))).splitlines()
    cells = {
        line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:4]] for line in lines if "│" in line
    }

    assert cells["known as"] == [PUPIL, PSEUDONYMS[0]]
    assert cells["level"] == ["5EME", "5EME"]
    assert cells["family_name"] == ["EXEMPLE", "–"]
    assert cells["address_lines"] == ["1 RUE", "–"]


def test_provider_that_never_heard_of_her_has_nothing() -> None:
    shown = text_of(side_by_side(Chain(read(topics())), "999000009AB", ("lecture",)))

    assert PSEUDONYMS[0] not in shown
    assert "known as" in shown


def test_tables_give_numbers_and_reasons_in_words() -> None:
    out = read(topics())
    tally = tally_of(out)

    shown = text_of(flow(tally), *ends_tables({"lecture": ends_of(tally, "lecture")}, out.policies))

    assert "A school or a group: kept for reference, released to nobody." in shown
    assert "has now" in shown


def test_verdict_names_what_does_not_add_up() -> None:
    bad = Judgement((Finding("input-without-end", "directory.changes.v1/0", 3),), (), 7)

    assert "input-without-end: 3 at directory.changes.v1/0" in text_of(judgement(bad, 5, 0))
    assert "NOT reconciled" in text_of(judgement(bad, 5, 0))
    assert "canaries found: 0" in text_of(judgement(replace(bad, unreconciled=()), 5, 0))
    assert "the search is blind" in text_of(judgement(replace(bad, unreconciled=(), canaries_inside=0), 5, 0))

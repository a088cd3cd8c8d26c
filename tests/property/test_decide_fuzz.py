"""Ten thousand broken requests through what `sanctuaire decide` runs: an answer or exit code 2, and never a value."""

import copy
import io
import json
import random
import sys
from collections import Counter
from typing import Any

import pytest
import typer

from ops.cli import decide as command
from services.contract.reasons import REASONS
from tests.property.decision_requests import REQUESTS, paths, put, take
from tests.spec.table import LAW

CANARY = "ZORVELQUIMUR"
REFUSAL = "sanctuaire: standard input is not a JSON object; give one decision request\n"
TIMES = 10_000
JUNK: list[Any] = [
    None, True, False, 0, -1, 7.5, 1e308, 10**40, "", " ", CANARY, f"guardian:{CANARY}", "\x00", "é" * 300, "￿",
    [], [[]], [None], [CANARY], {}, {"id": CANARY}, {CANARY: CANARY}, "0001-01-01", "9999-12-31", "2026-02-30",
    "2026-09-15T24:00:00Z", "9999-12-31T23:59:59.999999999-14:00", "6(1)(z)", "given", [{}] * 50,
]  # fmt: skip


def broken(chance: random.Random) -> bytes:
    """A request of the table with one to four things wrong inside it, or with the text itself damaged."""
    request = copy.deepcopy(chance.choice(REQUESTS))
    for _ in range(chance.randint(1, 4)):
        places = paths(request)
        if not places:
            break
        if chance.random() < 0.3:
            take(request, chance.choice(places))
        else:
            put(request, chance.choice(places), copy.deepcopy(chance.choice(JUNK)))
    raw = json.dumps(request, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    return _damaged(raw, chance) if chance.random() < 0.3 else raw


def _damaged(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw))
    match chance.randrange(6):
        case 0:
            return raw[:at]
        case 1:
            return raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]
        case 2:
            return raw[:at] + chance.choice((b'"', b"}", b"[", b"NaN", b"\xff", CANARY.encode())) + raw[at:]
        case 3:
            return b"[" + raw + b"]"
        case 4:
            return raw[:-1] + b',"subject":{"deleted":true,"delivered":true}}'
        case _:
            return b"\xef\xbb\xbf" + raw


def answer(raw: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    code = 0
    try:
        command.decide()
    except typer.Exit as stop:
        code = stop.exit_code
    said = capsys.readouterr()
    return code, said.out, said.err


def test_ten_thousand_broken_requests_are_answered_or_refused_without_a_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Read once: the law of places is not what is broken here.
    monkeypatch.setattr(command, "read_register", lambda _path: LAW)
    chance, ends = random.Random(2026), Counter[str]()  # noqa: S311  # the same ten thousand at every run
    for _ in range(TIMES):
        code, out, err = answer(broken(chance), capsys, monkeypatch)
        if code:
            assert (code, out, err) == (2, "", REFUSAL)
            ends["refused"] += 1
            continue
        verdict = json.loads(out)
        # Names of fields that are dropped come back as they were given; nothing else does.
        assert CANARY not in "".join(verdict.pop("dropped").values())
        ends[verdict["verdict"]] += 1

        assert err == ""
        assert CANARY not in json.dumps(verdict)
        assert {reason["code"] for reason in verdict["reasons"]} <= set(REASONS) - {"evaluation-error"}

    assert sum(ends.values()) == TIMES
    assert min(ends[end] for end in ("refused", "hold", "withhold", "erase", "release")) > 50

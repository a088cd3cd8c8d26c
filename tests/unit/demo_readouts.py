"""A small good read-out, written by hand, for the verifier's tests to break in one place each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from ops.demo.readout import ReadOut, Row

EXAMPLE = Path(__file__).parents[2] / "schemas/examples/provider-policy/1/consent-service.json"
CONTRACT = "lecture/LEC-2026"
PSEUDONYMS = ("gls5zdqctiwgknqkqxgkooe3ce5wku2d", "gbhsd4ne3yi56r6dhee7ckmto3od2a6h")
DIGEST = "sha256:" + "1c" * 32
AT = "2026-09-05T06:00:01Z"
Topics = dict[str, list[Row]]


def row(offset: int, value: Mapping[str, Any] | None, key: str | None = None) -> Row:
    return Row(0, offset, None if key is None else key.encode(), None if value is None else orjson.dumps(value))


def account(topic: str, last: int, ends: Mapping[str, Any], stage: str) -> Mapping[str, Any]:
    return {
        "stage": stage, "topic": topic, "partition": 0, "first": 0, "last": last, "records": last + 1, "at": AT,
        "policies": {"lecture": 1}, "ends": ends,
    }  # fmt: skip


def emission(number: int, seq: int, **more: Any) -> Mapping[str, Any]:
    ine = f"99900000{number}AB"
    return {
        "subject": ine, "provider": "lecture", "contract": "LEC-2026", "purpose_family": "reading", "seq": seq,
        "named_by": {"entity_class": "person", "namespace": "FR", "type": "INE", "value": ine},
        "policy": DIGEST, "policy_version": 1, **more,
    }  # fmt: skip


def operation(number: int, seq: int, **more: Any) -> Mapping[str, Any]:
    return {
        "provider": "lecture", "contract": "LEC-2026", "pseudonym": PSEUDONYMS[number], "seq": seq, "policy": DIGEST,
        "policy_version": 1, "event_id": f"{'abcdefghijklmnopqrstuvwxyz23456'}{'ab'[number]}", **more,
    }  # fmt: skip


def outcome(number: int, seq: int, kind: str) -> Mapping[str, Any]:
    return {
        "provider": "lecture", "contract": "LEC-2026", "pseudonym": PSEUDONYMS[number], "seq": seq,
        "operation": kind, "at": AT, "outcome": "delivered", "code": "delivered",
    }  # fmt: skip


def release(number: int, seq: int) -> Mapping[str, Any]:
    return emission(number, seq, kind="pupil", source="ac-99", fields={"level": "5EME"})


def upsert(number: int, seq: int) -> Mapping[str, Any]:
    return operation(number, seq, kind="pupil", fields={"level": "5EME"})


def record(**more: Any) -> Mapping[str, Any]:
    return {"kind": "pupil", "purpose": "reading-at-home", "fields": {"level": "5EME"}, **more}


def topics() -> Topics:
    """Four changes: pupil 0 is released, pupil 1 too and then erased, a school is reference data; one is unreadable."""
    ledger = [
        row(0, outcome(0, 10, "upsert"), f"{CONTRACT}/{PSEUDONYMS[0]}"),
        row(1, outcome(1, 20, "upsert"), f"{CONTRACT}/{PSEUDONYMS[1]}"),
        row(2, outcome(1, 21, "delete"), f"{CONTRACT}/{PSEUDONYMS[1]}"),
    ]
    filtered = {
        CONTRACT: {"released": {"R10/joint-consent": [[0, 1]]}, "erased": {"R1/subject-deleted": [[3, 3]]}},
        "-": {"withheld": {"reference-data": [[2, 2]]}},
    }
    aside = {
        "topic": "directory.changes.v1", "partition": 0, "offset": 4, "timestamp_ms": 0, "stage": "filtering",
        "code": "not-json", "detail": "payload: not JSON in UTF-8", "size": 3, "at": AT,
    }  # fmt: skip
    return {
        "policies.v1": [row(0, orjson.loads(EXAMPLE.read_bytes()), "lecture")],
        "directory.changes.v1": [row(offset, {"ine": f"99900000{offset}AB"}) for offset in range(5)],
        "consents.decisions.v1": [],
        "directory.changes.v1.quarantine": [row(0, aside)],
        "audit.filtering.v1": [row(0, account("directory.changes.v1", 4, filtered, "filtering"))],
        "provisioning.releases.v1": [row(0, release(0, 10)), row(1, release(1, 20))],
        "provisioning.withdrawals.v1": [row(0, emission(1, 21, reasons=["R1/subject-deleted"]))],
        "audit.pseudonymisation.v1": [
            row(0, _told("provisioning.releases.v1", "released", 1, "pseudonymisation")),
            row(1, _told("provisioning.withdrawals.v1", "erased", 0, "pseudonymisation")),
        ],
        "provisioning.operations.lecture.v1": [
            row(0, upsert(0, 10), PSEUDONYMS[0]), row(1, upsert(1, 20), PSEUDONYMS[1])],
        "provisioning.withdrawals.lecture.v1": [row(0, operation(1, 21), PSEUDONYMS[1])],
        "audit.connectors.v1": [
            row(0, _told("provisioning.operations.lecture.v1", "released", 1, "connectors")),
            row(1, _told("provisioning.withdrawals.lecture.v1", "erased", 0, "connectors")),
        ],
        "providers.lecture.directory.v1": [
            row(0, record(), PSEUDONYMS[0]), row(1, record(), PSEUDONYMS[1]), row(2, None, PSEUDONYMS[1])],
        "provisioning.ledger.v1": ledger,
    }  # fmt: skip


def _told(topic: str, end: str, last: int, stage: str) -> Mapping[str, Any]:
    return account(topic, last, {CONTRACT: {end: {"renamed": [[0, last]]}}}, stage)


def read(broken: Topics, logs: Mapping[str, str] | None = None) -> ReadOut:
    changes = len(broken["directory.changes.v1"])
    ends = {("directory.changes.v1", 0): (0, max(5, changes)), ("consents.decisions.v1", 0): (0, 0)}
    return ReadOut(broken, ends, logs or {})


def amended(rows: Sequence[Row], at: int, **changes: Any) -> list[Row]:
    """The rows with some keys of one value replaced."""
    value = orjson.dumps({**orjson.loads(rows[at].value or b"{}"), **changes})
    return [replace(one, value=value) if number == at else one for number, one in enumerate(rows)]

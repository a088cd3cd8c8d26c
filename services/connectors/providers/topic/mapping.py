"""From an operation to the record that leaves. Pure.

Nothing goes with it that two providers could compare: no seq, no policy, no exact time, no key of ours.
"""

from datetime import datetime

from services.contract.operations import Delete, Operation, ProviderRecord, Upsert


def value_of(operation: Operation, purpose: str) -> bytes | None:
    """The record's value: a `ProviderRecord`, or null, the order to forget."""
    match operation:
        case Upsert():
            record = ProviderRecord(kind=operation.kind, purpose=purpose, fields=operation.fields)
            return record.model_dump_json().encode()
        case Delete():
            return None
        case _:
            message = "an operation is an upsert or a delete"
            raise TypeError(message)


def headers_of(operation: Operation) -> tuple[tuple[str, bytes], ...]:
    """CloudEvents binary mode, with the event id that only this provider ever sees."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", operation.event_id.encode()),
        ("ce_source", b"sanctuaire"),
        ("ce_type", b"sanctuaire.provider-record.v1"),
        ("content-type", b"application/json"),
    )


def hour_of(now: datetime) -> int:
    """Milliseconds of the hour in which it leaves: exact times would link two providers' records."""
    return int(now.timestamp()) // 3600 * 3_600_000

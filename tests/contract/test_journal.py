import json
import logging
import re

import pytest

from services.runtime import journal
from services.runtime.journal import Event

CANARY = "ZORVELQUIMUR"

# Whole words. "subjects", "records" and "outputs" are counts, "where" is a line of our own source.
IDENTITY = frozenset(
    {
        "address", "birth", "body", "child", "civil", "commune", "content", "data", "date", "diffusion", "email",
        "entity", "error", "family", "field", "fields", "first", "given", "guardian", "headers", "id", "identifier",
        "identity", "image", "ine", "key", "last", "mail", "message", "name", "named", "named_by", "party", "payload",
        "person", "phone", "postcode", "pseudonym", "pupil", "raw", "reason", "record", "school", "secret", "subject",
        "teacher", "text", "token", "town", "trace", "uai", "user", "value",
    }
)  # fmt: skip
EVENTS = [pytest.param(event, id=event.code) for event in journal.EVENTS]


@pytest.mark.parametrize("event", EVENTS)
def test_event_has_no_field_that_a_person_could_be_known_by(event: Event) -> None:
    words = {word for name in event.fields for word in (name, *re.split(r"[_-]", name))}

    assert words & IDENTITY == set()


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("field", ["subject", "pseudonym", "email", "payload"])
def test_event_refuses_a_field_that_it_does_not_list(event: Event, field: str) -> None:
    with pytest.raises(ValueError, match=field) as refusal:
        journal.emit(event, **{field: CANARY})

    assert CANARY not in str(refusal.value)


def test_refusal_does_not_depend_on_the_level_that_is_written(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="sanctuaire")

    with pytest.raises(ValueError, match="waiting may not carry"):
        journal.emit(journal.WAITING, subject=CANARY)


def test_every_event_of_the_module_is_in_its_list_under_a_code_of_its_own() -> None:
    constants = [value for value in vars(journal).values() if isinstance(value, Event)]

    assert sorted(event.code for event in constants) == sorted(event.code for event in journal.EVENTS)
    assert len({event.code for event in constants}) == len(constants)


def test_event_is_one_line_of_json_with_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="sanctuaire")

    journal.emit(journal.QUARANTINED, stage="filtering", topic="directory.changes.v1", partition=3, offset=9,
                 code="not-json")  # fmt: skip

    (line,) = [record.getMessage() for record in caplog.records if record.name == "sanctuaire"]
    said = json.loads(line)
    assert said.pop("at").endswith("+00:00")
    assert said == {
        "level": "WARNING", "event": "quarantined", "stage": "filtering", "topic": "directory.changes.v1",
        "partition": 3, "offset": 9, "code": "not-json",
    }  # fmt: skip


def fail_on(value: str) -> None:
    raise ValueError(value)


def test_place_of_an_error_is_said_without_its_text() -> None:
    with pytest.raises(ValueError, match=CANARY) as caught:
        fail_on(CANARY)

    place = journal.where(caught.value)
    assert re.fullmatch(r"[\w.]+\.fail_on:\d+", place)
    assert CANARY not in place

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest

from services.runtime import journal

CANARY = "ZORVELQUIMUR"


def test_event_may_not_carry_a_field_that_it_does_not_list() -> None:
    with pytest.raises(ValueError, match="may not carry"):
        journal.emit(journal.QUARANTINED, stage="filtering", subject=CANARY)


def test_no_event_lists_a_field_that_a_person_could_be_known_by() -> None:
    fields = frozenset[str]().union(*(event.fields for event in journal.EVENTS))

    assert fields & {"subject", "key", "value", "ine", "pseudonym", "name", "message", "error", "text"} == set()


def test_line_is_one_json_object(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "sanctuaire"):
        journal.emit(journal.ASSIGNED, stage="filtering", partitions=2)
    line = orjson.loads(caplog.records[0].getMessage())
    line.pop("at")

    assert line == {"level": "INFO", "event": "assigned", "stage": "filtering", "partitions": 2}


def test_place_of_an_error_is_said_without_its_text() -> None:
    def fail() -> None:
        raise ValueError(CANARY)

    with pytest.raises(ValueError, match=CANARY) as raised:
        fail()

    place, _, line = journal.where(raised.value).rpartition(":")
    assert place.endswith("test_journal_use.fail")
    assert line.isdigit()


@contextmanager
def opened() -> Iterator[None]:
    """The journal of a service."""
    root, own = logging.getLogger(), logging.getLogger("sanctuaire")
    before = root.handlers, root.level, own.level
    try:
        journal.open_journal()
        yield
    finally:
        root.handlers, own_level = before[0], before[2]
        root.setLevel(before[1])
        own.setLevel(own_level)


def test_warning_of_a_library_is_told_by_its_place_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with opened():
        logging.getLogger("aiokafka").warning("could not read %s", CANARY)
        journal.emit(journal.STOPPED, stage="filtering")
    lines = [orjson.loads(line) for line in capsys.readouterr().err.splitlines()]

    assert [line["event"] for line in lines] == ["library", "stopped"]
    assert lines[0].keys() == {"at", "level", "event", "logger", "where"}
    assert CANARY not in str(lines)


def test_error_of_a_library_is_told_by_its_kind_and_where_it_was_raised(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise KeyError(CANARY)

    with opened():
        try:
            fail()
        except KeyError:
            logging.getLogger("mode").exception("crashed on %s", CANARY)
    line = orjson.loads(capsys.readouterr().err)

    assert line["kind"] == "KeyError"
    assert line["raised"].partition(":")[0].endswith("test_journal_use.fail")
    assert CANARY not in str(line)

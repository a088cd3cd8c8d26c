import asyncio
import logging
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from ops.platforms import write
from services.ingress.platforms import NOBODY
from services.ingress.register_file import RegisterFile
from services.ingress.standing import Standing

LIMIT = 60.0


class Clock:
    """Stands still unless it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def standing(tmp_path: Path, clock: Clock, *, kafka_silent: bool = False) -> Standing:
    write(tmp_path / "platforms.json", NOBODY)
    made = Standing(RegisterFile(tmp_path / "platforms.json"), LIMIT, clock)
    made.kafka_silent = lambda: kafka_silent
    return made


def test_ingress_that_beats_with_kafka_and_a_register_is_ready(tmp_path: Path) -> None:
    made = standing(tmp_path, Clock())

    assert (made.unlive(), made.unready()) == (None, None)


def test_kafka_that_is_away_makes_it_unready_and_does_not_end_it(tmp_path: Path) -> None:
    made = standing(tmp_path, Clock(), kafka_silent=True)

    assert (made.unlive(), made.unready()) == (None, "kafka-silent")


def test_ingress_that_has_just_begun_has_not_heard_kafka(tmp_path: Path) -> None:
    write(tmp_path / "platforms.json", NOBODY)

    assert Standing(RegisterFile(tmp_path / "platforms.json"), LIMIT).unready() == "kafka-silent"


def test_register_that_cannot_be_read_makes_it_unready(tmp_path: Path) -> None:
    made = standing(tmp_path, Clock())
    (tmp_path / "platforms.json").unlink()

    assert (made.unlive(), made.unready()) == (None, "register-unread")


def test_loop_that_is_stuck_makes_it_unlive(tmp_path: Path) -> None:
    clock = Clock()
    made = standing(tmp_path, clock)
    clock.now += LIMIT + 1

    assert (made.unlive(), made.unready()) == ("loop-stuck", "loop-stuck")


@pytest.mark.parametrize("kafka_silent", [False, True])
async def test_its_word_is_written_for_the_supervisor_and_what_it_waits_for_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, kafka_silent: bool
) -> None:
    caplog.set_level(logging.INFO, logger="sanctuaire")
    keeping = asyncio.create_task(standing(tmp_path, Clock(), kafka_silent=kafka_silent).keep(tmp_path, 4321))
    word = tmp_path / "health.json"
    await asyncio.sleep(0)  # its first beat
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping

    written = orjson.loads(word.read_bytes())
    assert (written["ready"], written["partitions"], written["port"]) == (not kafka_silent, 0, 4321)
    assert [orjson.loads(record.getMessage())["code"] for record in caplog.records] == ["kafka-silent"] * kafka_silent

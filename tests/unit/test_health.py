import socket
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import orjson
import pytest

from services.contract.errors import WrongSettings
from services.runtime.health import Health, Holdings, is_ready, report, serve
from services.runtime.watchdog import Pulse

CANARY = "ZORVELQUIMUR"
NOW = 1000.0
BOTH = frozenset({0, 1})
HOLDS_ALL = Holdings(policies_read=True, joined=True, assigned=BOTH, opened=BOTH)


def health(holdings: Holdings = HOLDS_ALL, *, beat: float = NOW, answered: float = NOW) -> Health:
    """At the instant NOW, of a worker that was last heard at these instants."""
    times = iter([beat, answered])
    pulse = Pulse(lambda: next(times))
    pulse.heard({("changes", 0): 1}, {})
    made = Health(pulse, 60.0, lambda: NOW)
    made.holdings = holdings
    return made


def ask(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.mark.parametrize(
    ("judged", "live", "ready"),
    [
        pytest.param(health, (200, "ok\n"), (200, "ok\n"), id="all is well"),
        pytest.param(lambda: health(Holdings()), (200, "ok\n"), (503, "policies-unread\n"), id="just started"),
        pytest.param(lambda: health(Holdings(policies_read=True)), (200, "ok\n"), (503, "rebalancing\n"),
                     id="not in its group"),
        pytest.param(lambda: health(Holdings(policies_read=True, joined=True)), (200, "ok\n"), (200, "ok\n"),
                     id="one worker more than there are partitions"),
        pytest.param(lambda: health(Holdings(policies_read=True, joined=True, assigned=BOTH, opened=frozenset({1}))),
                     (200, "ok\n"), (503, "partitions-closed\n"), id="a partition still rebuilds"),
        pytest.param(lambda: health(answered=NOW - 20), (200, "ok\n"), (200, "ok\n"), id="broker frozen for 20 s"),
        pytest.param(lambda: health(answered=NOW - 31), (200, "ok\n"), (503, "fetch-silent\n"),
                     id="broker frozen for 31 s"),
        pytest.param(lambda: health(answered=NOW - 61), (503, "fetch-silent\n"), (503, "fetch-silent\n"),
                     id="broker frozen for 61 s"),
        pytest.param(lambda: health(beat=NOW - 61), (503, "loop-stuck\n"), (503, "loop-stuck\n"), id="loop stuck"),
    ],
)  # fmt: skip
def test_pages_say_whether_it_lives_and_whether_it_is_ready(
    judged: Callable[[], Health], live: tuple[int, str], ready: tuple[int, str]
) -> None:
    port = serve(judged(), "127.0.0.1:0")

    assert ask(port, "/livez") == live
    assert ask(port, "/readyz") == ready


@pytest.mark.parametrize("path", ["/", "/metrics/", f"/{CANARY}", "/livez/..", "/..%2f..%2fetc"])
def test_there_is_no_other_page_and_no_name_is_repeated(path: str, capfd: pytest.CaptureFixture[str]) -> None:
    port = serve(health(), "127.0.0.1:0")

    assert ask(port, path) == (404, "not-found\n")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_pages_are_only_for_reading(method: str) -> None:
    assert ask(serve(health(), "127.0.0.1:0"), "/metrics", method) == (405, "get-only\n")


def test_metrics_are_shown_whole_whatever_is_asked() -> None:
    port = serve(health(), "127.0.0.1:0")

    status, page = ask(port, f"/metrics?name[]={CANARY}")

    assert status == 200
    assert "# TYPE sanctuaire_records_total counter" in page
    assert CANARY not in page


def test_who_connects_and_says_nothing_keeps_nobody_waiting() -> None:
    port = serve(health(), "127.0.0.1:0")

    with socket.create_connection(("127.0.0.1", port)):
        assert ask(port, "/livez") == (200, "ok\n")


def test_address_that_is_taken_is_a_wrong_setting_that_does_not_repeat_it() -> None:
    port = serve(health(), "127.0.0.1:0")

    with pytest.raises(WrongSettings, match="SANCTUAIRE_HEALTH_ADDRESS") as refusal:
        serve(health(), f"127.0.0.1:{port}")

    assert str(port) not in str(refusal.value)


def test_word_in_the_file_names_the_port_and_is_believed_for_15_s(tmp_path: Path) -> None:
    report(tmp_path / "work", ready=True, partitions=2, port=4321)
    word = orjson.loads((tmp_path / "work/health.json").read_bytes())

    assert (word["port"], word["partitions"]) == (4321, 2)
    assert is_ready(tmp_path / "work", word["at"] + 15)
    assert not is_ready(tmp_path / "work", word["at"] + 16)
    assert not is_ready(tmp_path, word["at"])


def test_word_that_cannot_be_written_is_left_to_grow_old(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    report(tmp_path / "file", ready=True, partitions=2, port=1)

    assert not is_ready(tmp_path / "file", 0.0)

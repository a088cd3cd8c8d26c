import orjson
import pytest

from services.console.tail import Beaten, beat_of
from tests.replay.invented import example


def test_of_a_value_only_a_heartbeat_is_kept() -> None:
    said = orjson.dumps({"partition": 3, "applied_until": "2026-09-01T07:00:00Z"})

    assert beat_of(said) == Beaten(3, 1_788_246_000.0)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="nothing"),
        pytest.param(b"", id="an empty value"),
        *(
            pytest.param(orjson.dumps(example(name)), id=name)
            for name in ("withdrawal/1/consent-withdrawn", "release/1/pupil-by-consent", "operation/1/upsert-pupil")
        ),
        pytest.param(b'{"partition":3,"applied_until":"yesterday"}', id="no instant"),
        pytest.param(b'{"partition":3,"applied_until":"2026-09-01T07:00:00Z","ine":"999000001AB"}', id="more"),
        pytest.param(b'{"partition":' + b" " * 5000 + b"3}", id="too long"),
    ],
)
def test_whatever_else_a_lane_carries_is_dropped_unread(value: bytes | None) -> None:
    assert beat_of(value) is None

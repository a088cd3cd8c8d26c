import pytest

from services.runtime.rebuild import Extent
from services.runtime.store import Mark

DAY_MS = 86_400_000
NOW_MS = 1_789_459_200_000
EXTENT = Extent(100, 500, NOW_MS)


@pytest.mark.parametrize(
    ("offset", "age_ms", "code"),
    [
        pytest.param(300, 0, None, id="in-between"),
        pytest.param(500, 0, None, id="at-the-end"),
        pytest.param(100, 0, None, id="at-the-start"),
        pytest.param(501, 0, "beyond-end", id="beyond-the-end"),
        pytest.param(99, 0, "before-start", id="what-followed-is-gone"),
        pytest.param(500, 7 * DAY_MS // 2, None, id="half-of-the-seven-days-that-tombstones-are-kept"),
        pytest.param(500, 7 * DAY_MS // 2 + 1, "stale", id="older"),
        pytest.param(500, -4 * DAY_MS, "stale", id="from-days-ahead"),
        pytest.param(500, -DAY_MS // 24, None, id="an-hour-ahead"),
    ],
)
def test_store_is_gone_on_with_only_where_nothing_can_have_been_missed(
    offset: int, age_ms: int, code: str | None
) -> None:
    assert EXTENT.refuse(Mark("topic", offset, NOW_MS - age_ms)) == code

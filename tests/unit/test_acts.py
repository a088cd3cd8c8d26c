import json
from typing import Any

import pytest

from services.contract.acts import broken_at, link

# SHA-256 of the two octets {}, and of nothing.
EMPTY_OBJECT = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
NOTHING = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def chain(*acts: str) -> list[bytes]:
    """Records that follow one another."""
    values: list[bytes] = []
    for act in acts:
        content: dict[str, Any] = {"act": act, "previous": link(values[-1]) if values else None}
        values.append(json.dumps(content).encode())
    return values


WHOLE = chain("applied", "approved", "applied", "refused")


def test_a_record_is_called_by_its_digest() -> None:
    assert (link(b"{}"), link(b"")) == (EMPTY_OBJECT, NOTHING)


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param(WHOLE, None, id="whole"),
        pytest.param(WHOLE[2:], None, id="begins later: retention has ended the first"),
        pytest.param([WHOLE[0], WHOLE[2], WHOLE[3]], 1, id="one is taken out"),
        pytest.param([WHOLE[0], WHOLE[1].replace(b"approved", b"refused"), *WHOLE[2:]], 2, id="one is altered"),
        pytest.param([WHOLE[1], WHOLE[0]], 1, id="two are exchanged"),
        pytest.param([*WHOLE, WHOLE[3]], 4, id="one is there twice"),
        pytest.param([WHOLE[0], b"no JSON"], 1, id="one cannot be read"),
        pytest.param([WHOLE[0], b"[]"], 1, id="one is no record"),
        pytest.param([WHOLE[0], b'{"act":"applied"}'], 1, id="one names none before it"),
    ],
)
def test_chain(values: list[bytes], broken: int | None) -> None:
    assert broken_at(values) == broken

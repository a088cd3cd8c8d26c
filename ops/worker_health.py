"""What a worker says of itself in its folder, as services/runtime/health.py writes it."""

from pathlib import Path

import orjson

SILENT_SECONDS = 15.0


def held_by(health: Path, now: float) -> int | None:
    """How many partitions the service holds, if its own word is recent and says ready."""
    try:
        word = orjson.loads(health.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return int(word["partitions"]) if word["ready"] and now - word["at"] <= SILENT_SECONDS else None

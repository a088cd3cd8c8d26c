"""Whether a stage lives and is ready: it says so once a second in a file; `python -m services.runtime.health` asks.

Exit codes: 0 ready, 1 not ready, silent for more than 15 s, or never heard of.
"""

import os
import sys
import time
from pathlib import Path

import orjson

from services.runtime.settings import load_settings

SILENT_SECONDS = 15.0


def report(folder: Path, *, ready: bool, partitions: int) -> None:
    """Write the current word, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".health.{os.getpid()}"
    draft.write_bytes(orjson.dumps({"at": time.time(), "ready": ready, "partitions": partitions}))
    draft.replace(folder / "health.json")


def is_ready(folder: Path, now: float) -> bool:
    """Whether the last word is recent and says ready."""
    try:
        word = orjson.loads((folder / "health.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return False
    return bool(word["ready"]) and now - word["at"] <= SILENT_SECONDS


if __name__ == "__main__":
    sys.exit(0 if is_ready(load_settings().work_folder, time.time()) else 1)

"""Reads an export and keeps nothing: a process that holds the reader alone, so that its memory is the reader's."""

import sys
import time
from pathlib import Path

import orjson

from ops.aaf_files import read_export
from services.contract.changes import Change


def main() -> None:
    """Say how long it took, how many changes there were, and the most memory that was resident."""
    began = time.perf_counter()
    changes = sum(isinstance(one, Change) for one in read_export(Path(sys.argv[1]), None, {}))
    seconds = time.perf_counter() - began
    [peak] = [line for line in Path("/proc/self/status").read_text("utf-8").splitlines() if line.startswith("VmHWM:")]
    measured = {"seconds": seconds, "changes": changes, "peak_bytes": int(peak.split()[1]) * 1024}
    print(orjson.dumps(measured).decode())


if __name__ == "__main__":
    main()

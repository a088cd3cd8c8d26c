"""Whether a process that a test has started is still there."""

import os
from pathlib import Path


def is_alive(pid: int) -> bool:
    """A zombie is dead: in a container, process 1 may never collect it."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # gone in between, or a system without /proc
        return not Path("/proc/self").exists()

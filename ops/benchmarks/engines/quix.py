"""The environment of Quix Streams: it needs an older pydantic than ours, so it lives in `.cache/peers`, from a lock."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from ops.benchmarks.engines.peer import REPOSITORY

ENVIRONMENT = REPOSITORY / ".cache" / "peers"
TIMEOUT_SECONDS = 300.0


def missing() -> str | None:
    """Make the environment if it is not what the lock says, or say why that cannot be."""
    lock = files("ops.benchmarks").joinpath("peers.lock").read_text("utf-8")
    done = ENVIRONMENT / "peers.lock"
    if done.exists() and done.read_text("utf-8") == lock:
        return None
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        return "uv is not there to make its environment; `make setup` brings it"
    ENVIRONMENT.mkdir(parents=True, exist_ok=True)
    wanted = ENVIRONMENT / "wanted.lock"
    try:
        _run(uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(ENVIRONMENT))
        wanted.write_text(lock, "utf-8")
        python = str(ENVIRONMENT / "bin" / "python")
        _run(uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", str(wanted))
    except (OSError, subprocess.SubprocessError) as error:
        return f"its environment could not be made ({type(error).__name__}); a package index is needed once"
    wanted.replace(done)
    return None


def command(job: Path) -> Sequence[str]:
    return (str(ENVIRONMENT / "bin" / "python"), "-m", "ops.benchmarks.engines.quix_loop", str(job))


def _run(*arguments: str) -> None:
    subprocess.run(arguments, check=True, capture_output=True, timeout=TIMEOUT_SECONDS)

"""The services that stand between a school directory and those who want to read it."""

from pathlib import Path


def _refuse_stale() -> None:
    """What is compiled (ops/compiling.py) is what runs: not after the source beside it has changed."""
    for library in Path(__file__).parent.rglob("*.so"):
        source = library.with_name(library.name.partition(".")[0] + ".py")
        if not source.exists() or source.stat().st_mtime > library.stat().st_mtime:
            raise ImportError(f"{source.name} has changed since it was compiled: make compiled, or make interpreted")


_refuse_stale()

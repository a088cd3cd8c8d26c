"""`python -m ops.compiling`: the modules that cost most per record become machine code, from the same source.

mypyc (part of mypy) reads the types that are there anyway; what it makes lies beside each source and is what Python
then imports. Without a C compiler or Python's headers the services run interpreted: the same results, a third slower.
"""

import argparse
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".cache" / "compiled"
GROUP = "sanctuaire"
"""Names the one library that all compiled modules share."""

COMPILED = (
    "services/contract/account.py",
    "services/contract/envelope.py",
    "services/contract/identifiers.py",
    "services/contract/told_changes.py",
    "services/connectors/*.py",
    "services/filtering/*.py",
    "services/pseudonymisation/*.py",
    "services/runtime/batches.py",
    "services/runtime/outbox.py",
    "services/runtime/schedule.py",
)
INTERPRETED = (
    "__init__.py", "__main__.py", "connectors/agent.py", "connectors/provider.py", "filtering/agent.py",
    "keyring.py", "lifecycle.py", "sealing.py", "secret.py",
)  # fmt: skip
"""Programs, what is run once, what tests make children of, and what must refuse to be copied in whichever way."""
EAGER = "Treating generator comprehension as list"
"""mypyc warns so where it reads at once what the source reads as far as it must: a scan of one entry, of everybody."""
MISSING = "no C compiler, or no Python headers (apt-get install gcc python3-dev): services run interpreted"


def sources() -> Iterator[Path]:
    """What is compiled, relative to the project's root."""
    for pattern in COMPILED:
        yield from (
            path.relative_to(ROOT) for path in sorted(ROOT.glob(pattern)) if not str(path).endswith(INTERPRETED)
        )


def libraries() -> list[Path]:
    """What earlier compiling has left."""
    return [*ROOT.glob(f"{GROUP}__mypyc*.so"), *(ROOT / "services").rglob("*.so")]


def can_compile() -> bool:
    compiler = shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0]) or shutil.which("cc")
    return bool(compiler) and (Path(sysconfig.get_paths()["include"]) / "Python.h").exists()


def remove() -> None:
    """Back to what the sources say."""
    for library in libraries():
        library.unlink()


def build(paths: Sequence[str]) -> None:
    """Check the types, write C, compile it, and lay each module beside its source.

    Raises:
        SystemExit: mypyc refuses a source; it has said why.
    """
    # Here, not above: neither is needed by whoever only asks what is compiled.
    from mypyc.build import mypycify  # noqa: PLC0415
    from setuptools import Distribution  # noqa: PLC0415

    extensions = mypycify(
        [*paths, f"--config-file={ROOT / 'pyproject.toml'}"],
        group_name=GROUP, opt_level="2", target_dir=str(WORK / "c"), multi_file=True,
    )  # fmt: skip
    distribution = Distribution({"name": GROUP, "ext_modules": extensions})
    command = distribution.get_command_obj("build_ext")
    command.inplace, command.parallel = True, os.cpu_count()
    command.build_temp, command.build_lib = str(WORK / "objects"), str(WORK / "libraries")
    distribution.run_command("build_ext")
    for library in libraries():
        library.touch()  # newer than its source, whenever it was linked: see services/__init__.py


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--remove", action="store_true", help="run interpreted again")
    remove_only = parser.parse_args().remove
    os.chdir(ROOT)
    remove()
    if remove_only:
        return
    if not can_compile():
        sys.stderr.write(f"compiling: {MISSING}\n")
        return
    paths = [str(path) for path in sources()]
    sys.stderr.write(f"compiling {len(paths)} modules: less than a minute\n")
    WORK.mkdir(parents=True, exist_ok=True)
    log = WORK / "log"
    try:
        with log.open("w") as page, redirect_stdout(page), redirect_stderr(page):
            build(paths)
    except BaseException:
        sys.stderr.write(log.read_text())
        raise
    if EAGER in (said := log.read_text()):
        remove()
        raise SystemExit(f"{said}compiling: a generator is compiled as a list; write the list, or a loop that ends")


if __name__ == "__main__":
    main()

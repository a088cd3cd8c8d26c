"""Kafka's jars: in the user's cache, or fetched once; each is what `jars.lock` says or it is not used."""

import os
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from ops.broker.lock import KAFKA, parse_lock
from services.contract.errors import Unreachable

Progress = Callable[[int, int], None]


def default_cache() -> Path:
    """`$XDG_CACHE_HOME/sanctuaire`, else `~/.cache/sanctuaire` (XDG Base Directory: a relative path is ignored)."""
    stated = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (stated if stated.is_absolute() else Path.home() / ".cache") / "sanctuaire"


def kafka_folder(cache: Path) -> Path:
    """Where this version's jars lie, and what is derived from them."""
    return cache / f"kafka-{KAFKA}"


def installed_jars(cache: Path, progress: Progress | None = None) -> tuple[Path, ...]:
    """Every jar of the broker, fetched if missing; `progress` hears (done, of how many).

    Raises:
        Unreachable: a jar is missing and no repository gave the right one.
    """
    folder = kafka_folder(cache)
    lock = parse_lock(files("ops.broker").joinpath("jars.lock").read_text("utf-8"))
    missing = tuple(jar for jar in lock if not (folder / jar.filename).is_file())
    if missing:
        # jgo takes 0.4 s to import, and is needed once in a cache's life
        from ops.broker.fetching import fetch_into  # noqa: PLC0415

        try:
            fetch_into(folder, missing, progress or _silent)
            for stale in folder.glob("*.aot"):  # it knows the jars by their dates, and would be passed over for ever
                stale.unlink(missing_ok=True)
        except (OSError, RuntimeError) as cause:
            raise Unreachable(
                f"could not fetch Apache Kafka {KAFKA} ({type(cause).__name__}): "
                "the first start needs a Maven repository, or a mirror as `central` under [repositories] in jgo.conf; "
                f"or copy {folder} from a machine that has it; or set KAFKA_BOOTSTRAP to an existing cluster"
            ) from None
    return tuple(folder / jar.filename for jar in lock)


def _silent(_done: int, _total: int) -> None:
    """Nobody watches."""

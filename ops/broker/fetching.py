"""Fetches jars through jgo, into a folder beside their place, and moves in only what has the digest of the lock.

`jgo.build` is not used: it would download a second JDK to sort the jars by kind, take an interrupted fetch for a whole
one, and only warn of a wrong checksum. With the lock no POM is needed either.
"""

import hashlib
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext

from ops.broker.jars import Progress
from ops.broker.lock import COORDINATES, Jar, render_lock

PARALLEL = 6
TRIES = 2


class WrongDigest(RuntimeError):
    """A repository gave other bytes than the lock names."""


def fetch_into(folder: Path, jars: tuple[Jar, ...], progress: Progress) -> None:
    """Move each jar into `folder` once verified: neither an interruption nor a parallel fetch leaves half a jar.

    Raises:
        OSError: no connection, no space (requests' errors are OSErrors).
        RuntimeError: no repository has it, or only with other bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix="fetching-", dir=folder))
    fetch = partial(_fetch, _context(staging))
    workers = ThreadPoolExecutor(PARALLEL)
    try:
        for done, (jar, path) in enumerate(zip(jars, workers.map(fetch, jars), strict=True), start=1):
            path.replace(folder / jar.filename)
            progress(done, len(jars))
    finally:
        workers.shutdown(cancel_futures=True)
        shutil.rmtree(staging, ignore_errors=True)


def resolved_lock(staging: Path) -> str:
    """What jgo resolves for `COORDINATES` today, as a lock: how `jars.lock` is made for another version of Kafka."""
    from jgo.env import EnvironmentBuilder  # noqa: PLC0415 - for maintainers; it may fetch a JDK

    built = EnvironmentBuilder(_context(staging), cache_dir=staging / "jgo").from_endpoint(COORDINATES)
    found = built.lockfile.dependencies if built.lockfile else []
    return render_lock(tuple(Jar(one.sha256 or "", one.groupId, one.artifactId, one.version) for one in found))


def _context(store: Path) -> MavenContext:
    """The user's repositories, or Maven's own; a repository named `central` stands in for it."""
    repositories = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    return MavenContext(repo_cache=store, remote_repos=repositories)


def _fetch(context: MavenContext, jar: Jar) -> Path:
    """One jar, tried again once: a connection that breaks leaves a short file behind."""
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    for attempt in range(1, TRIES + 1):
        try:
            path = Path(artifact.resolve())
            if hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256:
                return path
        except OSError:
            if attempt == TRIES:
                raise
        _forget(artifact.cached_path)
    raise WrongDigest(f"{jar.filename}: not the bytes that jars.lock names")


def _forget(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)

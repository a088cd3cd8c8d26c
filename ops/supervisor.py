"""Starts services as processes, knows whether they are ready, says which one died and ends them all.

Each runs under the broker's guardian, so none outlives this process, `kill -9` of it included. Nothing of what a
service wrote is repeated but the code and the place of its last failure.
"""

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ops.broker.guardian import put_aside
from ops.broker.process import GuardedProcess
from ops.last_words import last_failure
from ops.merged_log import MergedLog
from ops.worker_health import held_by
from services.contract.errors import Unreachable

LOG = "log.jsonl"
GRACE_SECONDS = 10.0
LOOK_SECONDS = 0.05
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""Who has run this long before dying starts its back-off anew."""


@dataclass(frozen=True, slots=True)
class Service:
    """One process: `python -m <module>`. `name` is also its folder's."""

    name: str
    module: str
    environment: Mapping[str, str]
    group: str
    """Workers of one group share its partitions."""
    holds_partitions: bool = True
    """Whether it is ready only with its share of them."""


@dataclass(frozen=True, slots=True)
class Death:
    """A service that ended though nobody asked it to."""

    name: str
    failure: str
    """Kind and place of its last failure, or that it named none."""
    log: Path

    def __str__(self) -> str:
        return f"{self.name} ended: {self.failure}; see {self.log}"


@dataclass(slots=True)
class _Running:
    service: Service
    folder: Path
    process: GuardedProcess
    since: float
    deaths: int = 0
    due: float | None = None

    @property
    def log(self) -> Path:
        return self.folder / LOG


@dataclass(kw_only=True)
class Supervisor:
    """Holds the services of one installation; `with` starts them all at once and ends them all."""

    services: Sequence[Service]
    """In the order of the flow: who writes before who reads."""
    folder: Path
    """Each service has a folder of its own in it, with its `log.jsonl` and the older ones of it, all of bounded size;
    `services.log` beside it tells of all."""
    grace_seconds: float = GRACE_SECONDS
    _running: dict[str, _Running] = field(default_factory=dict, init=False, repr=False)
    _log: MergedLog = field(init=False, repr=False)

    def __enter__(self) -> Self:
        self._log = MergedLog(self.log, {one.name: self.folder / one.name / LOG for one in self.services})
        try:
            for service in self.services:
                folder = self.folder / service.name
                _clear(folder)
                process = _start(service, folder)
                self._running[service.name] = _Running(service, folder, process, time.monotonic())
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        """What all services say, as of the last `follow`."""
        return self.folder / "services.log"

    @property
    def logs(self) -> Mapping[str, Path]:
        return {name: one.log for name, one in self._running.items()}

    @property
    def pids(self) -> Mapping[str, int]:
        return {name: one.process.pid for name, one in self._running.items()}

    def ready(self, partitions: int) -> frozenset[str]:
        """Who has caught up, in a group that together holds that many partitions, by their word of the last 15 s."""
        now, held = time.time(), {}
        for name, one in self._running.items():
            count = None if one.process.ended() else held_by(one.folder / "health.json", now)
            if count is not None:
                held[name] = (one.service.group, count)
        whole = Counter[str]()
        for group, count in held.values():
            whole[group] += count
        return frozenset(
            name
            for name, (group, _) in held.items()
            if whole[group] >= partitions or not self._running[name].service.holds_partitions
        )

    def dead(self) -> tuple[Death, ...]:
        """Who has ended unasked."""
        return tuple(
            Death(name, last_failure(one.log), one.log) for name, one in self._running.items() if one.process.ended()
        )

    def check(self) -> None:
        """Raise Unreachable if a service has died: it names each, its last failure and its log."""
        if dead := self.dead():
            raise Unreachable("; ".join(map(str, dead)))

    def wait_ready(self, timeout_seconds: float, partitions: int) -> None:
        """Return once all are ready.

        Raises:
            Unreachable: one died, or was not ready in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while late := sorted(self._running.keys() - self.ready(partitions)):
            self.follow()
            self.check()
            if time.monotonic() > deadline:
                logs = ", ".join(str(self._running[name].log) for name in late)
                raise Unreachable(f"not ready within {timeout_seconds:.0f} s: {', '.join(late)}; see {logs}")
            time.sleep(LOOK_SECONDS)

    def revive(self) -> tuple[Death, ...]:
        """Start again who has died, each after its own pause; returns who was found dead for the first time."""
        now, found = time.monotonic(), []
        for one in self._running.values():
            if not one.process.ended():
                continue
            if one.due is None:
                found.append(Death(one.service.name, last_failure(one.log), one.log))
                one.deaths = 1 if now - one.since > STEADY_SECONDS else one.deaths + 1
                one.due = now + pause_seconds(one.deaths)
            elif now >= one.due:
                one.process.stop()  # of the dead one there is still its guardian's pipe to close
                one.process, one.since, one.due = _start(one.service, one.folder), now, None
        return tuple(found)

    def follow(self) -> None:
        """Bring `log` up to what the services have said; a full disk must not end them."""
        with suppress(OSError):
            self._log.follow()

    def stop(self) -> None:
        """Ask stage after stage to end, in the order of the flow; kill who has not within the grace.

        Harmless when they have ended.
        """
        for module in dict.fromkeys(service.module for service in self.services):
            if workers := [one for one in self._running.values() if one.service.module == module]:
                with ThreadPoolExecutor(len(workers)) as pool:
                    list(pool.map(lambda one: one.process.stop(self.grace_seconds), workers))
        self.follow()


def pause_seconds(deaths: int) -> float:
    """How long to wait after the n-th death in a row: 1, 2, 4 … 30 s."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** (deaths - 1), LONGEST_PAUSE_SECONDS)


def _clear(folder: Path) -> None:
    """An earlier run's word says nothing of this one, and its journal is kept apart."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "health.json").unlink(missing_ok=True)
    put_aside(folder / LOG)


def _start(service: Service, folder: Path) -> GuardedProcess:
    """With this process's environment, and over it the service's own; paths only, so nobody reads a secret in `ps`."""
    variables = {**service.environment, "SANCTUAIRE_WORK_FOLDER": str(folder)}
    own = [f"{name}={value}" for name, value in variables.items()]
    command = ("/usr/bin/env", *own, sys.executable, "-m", service.module)
    return GuardedProcess(command, folder / LOG, None)

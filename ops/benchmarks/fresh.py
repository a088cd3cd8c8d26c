"""An installation on the benchmark's broker that has seen nothing yet: topics made anew, policies, keys of its own."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from ops import keys
from ops.benchmarks.cluster import Cluster
from ops.benchmarks.workbench import PARTITIONS, Workbench
from ops.installation import stages
from ops.policy_files import Policies
from ops.publishing.policies import apply_policies
from ops.supervisor import Service
from ops.topics import apply_topics, wanted_topics
from services.contract.topology import PROVIDER_DIRECTORY, named_for

READY_SECONDS = 120.0
INSTANCE = "SANCTUAIRE_GROUP_INSTANCE_ID"


@dataclass(frozen=True, slots=True)
class Fresh:
    """Ready for its services."""

    cluster: Cluster
    policies: Policies
    """In force, with their versions."""
    files: keys.KeyFiles

    @classmethod
    def on(cls, bench: Workbench, name: str, policies: Policies, partitions: int = PARTITIONS) -> Self:
        """Whatever an earlier section left on these topics is gone; `name` is the folder of the keys."""
        cluster = Cluster.at(bench.broker.bootstrap, partitions)
        wanted = wanted_topics(tuple(sorted(policies)), partitions)
        cluster.drop(cluster.topics() & wanted.keys())
        apply_topics([cluster.bootstrap], wanted)
        cluster.await_leaders([topic for topic, state in wanted.items() if state.partitions == partitions])
        files = keys.init(bench.folder / name / "keys", "FR", os.urandom)
        steps = apply_policies([cluster.bootstrap], policies, "bench", None).steps
        return cls(cluster, {step.policy.provider: step.policy for step in steps}, files)

    @property
    def providers(self) -> tuple[str, ...]:
        return tuple(sorted(self.policies))

    @property
    def directories(self) -> Mapping[str, str]:
        """Provider → the topic that it reads."""
        return {provider: named_for(PROVIDER_DIRECTORY, provider) for provider in self.providers}

    def services(self, stage: str | None = None, workers: int = 1) -> tuple[Service, ...]:
        """All of them, or those of one stage."""
        counts = {} if stage is None else {stage: workers}
        all_of_them = stages(self.cluster.bootstrap, self.files.keyring, self.files.kek, self.providers, counts)
        return tuple(one for one in all_of_them if stage in {None, one.group})


def without_seat(service: Service) -> Service:
    """A member that leaves its group when it ends: a static one keeps its partitions until its session is over."""
    return replace(service, environment={name: own for name, own in service.environment.items() if name != INSTANCE})


def await_empty(cluster: Cluster, group: str) -> None:
    """Return once nobody who was stopped has a seat in the group any more."""
    deadline = time.monotonic() + READY_SECONDS
    while not cluster.drop_group(group) and time.monotonic() < deadline:
        time.sleep(0.2)

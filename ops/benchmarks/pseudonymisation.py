"""(a) Pseudonymisation for three providers: our stage beside every peer, on the same releases."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ops import keys
from ops.benchmarks.bench_policies import bench_policies
from ops.benchmarks.cluster import Cluster
from ops.benchmarks.concluding import conclude, present
from ops.benchmarks.engines import kafka_streams, quix
from ops.benchmarks.engines.job import Job
from ops.benchmarks.engines.ours import Stage
from ops.benchmarks.engines.peer import Peer, python_command
from ops.benchmarks.findings import Findings
from ops.benchmarks.schools import emissions
from ops.benchmarks.workbench import PARTITIONS, Workbench
from ops.installation import stages
from ops.policy_files import Policies
from ops.publishing.policies import apply_policies
from ops.supervisor import Service
from ops.topics import apply_topics, wanted_topics
from services.contract.policies import day_in_paris, refusal, releasable
from services.contract.topology import OPERATIONS, RELEASES, expand, named_for
from services.pseudonymisation.fields import LISTED

if TYPE_CHECKING:
    from ops.benchmarks.contest import Engine

NAME = "pseudonymisation"
IDEMPOTENT = "ops.benchmarks.engines.idempotent"
PUPILS, QUICK_PUPILS = 200_000, 40_000
ROUNDS, QUICK_ROUNDS = 3, 1
FAUST_OUTPUTS = 12_000
"""What stock Faust is waited for: its rate does not change, and the whole input would take it minutes."""


def measure(bench: Workbench) -> Findings:
    """Every engine that is there, round by round; ours is what the others' outputs are compared with."""
    policies = bench_policies()
    cluster = Cluster.at(bench.broker.bootstrap, PARTITIONS)
    ours, job = _install(bench, cluster, policies)
    bench.say("making the input")
    made = list(emissions(policies, QUICK_PUPILS if bench.quick else PUPILS, PARTITIONS))
    expected = sum(emission.fresh for emission in made)
    cluster.send(RELEASES, made)
    del made
    findings = Findings()
    peers = present(NAME, _peers(cluster, job, expected), bench.peers, findings)
    engines: list[Engine] = [*ours, *peers]
    contest = bench.contest(NAME, cluster, engines, expected)
    results = contest.run(QUICK_ROUNDS if bench.quick else ROUNDS)
    conclude(NAME, "Pseudonymisation, three providers", engines, results, findings)
    return findings


def _install(bench: Workbench, cluster: Cluster, policies: Policies) -> tuple[tuple[Stage, ...], Job]:
    """Topics, keys and policies as an installation has them; and what a peer must know of them."""
    addresses, providers = [cluster.bootstrap], tuple(sorted(policies))
    wanted = wanted_topics(providers, PARTITIONS)
    apply_topics(addresses, wanted)
    files = keys.init(bench.folder / "keys", "FR", os.urandom)
    steps = apply_policies(addresses, policies, "bench", None).steps
    in_force = {step.policy.provider: step.policy for step in steps}
    outputs = {provider: named_for(OPERATIONS, provider) for provider in providers}
    written = {topic.name: wanted[topic.name] for topic in expand(providers) if topic.writer == NAME}
    keyring, today = keys.load(files.keyring, files.kek), day_in_paris(datetime.now(UTC))
    contracts = [(policy, contract) for policy in in_force.values() for contract in policy.contracts]
    job = Job(
        bootstrap=cluster.bootstrap, group="", input=RELEASES, outputs=outputs, perimeter="FR",
        keys={
            f"{policy.provider}/{contract.family}": keyring.keys_of(policy.provider, contract.family).current.hex()
            for policy, contract in contracts
        },
        allowed={
            f"{policy.provider}/{contract.id}": sorted(releasable(policy, contract) & LISTED)
            for policy, contract in contracts
            if refusal(policy, contract.id, today) is None
        },
        policies={provider: policy.model_dump_json(by_alias=True) for provider, policy in in_force.items()},
        versions={provider: policy.version for provider, policy in in_force.items()},
        folder="",
    )  # fmt: skip

    def workers(count: int) -> tuple[Service, ...]:
        services = stages(cluster.bootstrap, files.keyring, files.kek, providers, {NAME: count})
        return tuple(service for service in services if service.name.startswith(NAME))

    cores = os.cpu_count() or 1
    group = f"sanctuaire-{NAME}"
    return (
        Stage(workers(cores), cluster, written, outputs, group, title=f"Sanctuaire, {cores} workers"),
        Stage(
            tuple(replace(worker, module=IDEMPOTENT) for worker in workers(cores)),
            cluster,
            written,
            outputs,
            group,
            "idempotent",
            "The same without transactions",
        ),
    ), job


def _peers(cluster: Cluster, job: Job, expected: int) -> Sequence[Peer]:
    main, missing = "Pseudonymisation", kafka_streams.missing
    return (
        Peer("confluent", "confluent-kafka loop", python_command("confluent_loop"), cluster, job),
        Peer("kafka-streams", "Kafka Streams, exactly once",
             kafka_streams.command(main, "exactly_once_v2"), cluster, job, missing=missing),
        Peer("kafka-streams-at-least-once", "Kafka Streams, at least once",
             kafka_streams.command(main, "at_least_once"), cluster, job, missing=missing),
        Peer("quix", "Quix Streams", quix.command, cluster, job, same_partition=False, missing=quix.missing),
        Peer("stock-faust", "Faust as its guide shows", python_command("stock_faust"), cluster, job,
             share=min(1.0, FAUST_OUTPUTS / expected)),
    )  # fmt: skip

"""(b) Filtering with state: our stage beside Kafka Streams, on the same consents and the same changes.

A record here is a release; the changes that nothing comes of are read, folded and decided all the same.
"""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import partial

from ops.benchmarks.bench_policies import consent_policy
from ops.benchmarks.cluster import Cluster
from ops.benchmarks.comparing import ClocklessNames
from ops.benchmarks.concluding import conclude, present
from ops.benchmarks.contest import Run
from ops.benchmarks.engines import kafka_streams
from ops.benchmarks.engines.job import Job
from ops.benchmarks.engines.ours import Stage
from ops.benchmarks.engines.peer import Peer
from ops.benchmarks.engines.primed import Feed, Primed
from ops.benchmarks.families import changes, consents, family_of
from ops.benchmarks.findings import Findings
from ops.benchmarks.workbench import PARTITIONS, Workbench
from ops.installation import stages
from ops.publishing.policies import apply_policies
from ops.topics import Topics, apply_topics, wanted_topics
from services.contract.policies import ProviderPolicy, day_in_paris, policy_digest, refusal, releasable
from services.contract.topology import CHANGES, CONSENTS, FILTERING_STATE, RELEASES, expand

NAME = "filtering"
PUPILS, QUICK_PUPILS = 200_000, 40_000
ROUNDS, QUICK_ROUNDS = 3, 1


def measure(bench: Workbench) -> Findings:
    """Every engine that is there, round by round; each has every consent in its state before the clock runs."""
    pupils, today = QUICK_PUPILS if bench.quick else PUPILS, day_in_paris(datetime.now(UTC))
    cluster = Cluster.at(bench.broker.bootstrap, PARTITIONS)
    policy, wanted = _install(cluster)
    bench.say("making the input")
    cluster.send(CONSENTS, consents(policy, pupils, PARTITIONS, today))
    feed = Feed(
        cluster, {CHANGES: wanted[CHANGES]}, partial(changes, pupils, PARTITIONS, today),
        remembered=sum(bool(family_of(number).said) for number in range(pupils)),
    )  # fmt: skip
    expected = sum(emission.fresh for emission in feed.input())
    findings = Findings()
    ours = Primed(_stage(bench, cluster, policy, wanted), feed, lambda _run: FILTERING_STATE)
    peers = [Primed(peer, feed, partial(_changelog, peer)) for peer in _peers(cluster, _job(cluster, policy, today))]
    engines = [ours, *present(NAME, peers, bench.peers, findings)]
    contest = bench.contest(NAME, cluster, engines, expected, ClocklessNames)
    results = contest.run(QUICK_ROUNDS if bench.quick else ROUNDS)
    conclude(NAME, "Filtering, one contract on consent", engines, results, findings)
    return findings


def _install(cluster: Cluster) -> tuple[ProviderPolicy, Topics]:
    """Topics and the one policy, and nothing of the sections before: the filter decides for every policy in force."""
    cluster.drop(name for name in cluster.topics() if not name.startswith("__"))
    draft = consent_policy()
    wanted = wanted_topics((draft.provider,), PARTITIONS)
    apply_topics([cluster.bootstrap], wanted)
    (step,) = apply_policies([cluster.bootstrap], {draft.provider: draft}, "bench", None).steps
    return step.policy, wanted


def _stage(bench: Workbench, cluster: Cluster, policy: ProviderPolicy, wanted: Topics) -> Stage:
    no_key = bench.folder / "no-key"  # the filter has none
    cores = os.cpu_count() or 1
    services = stages(cluster.bootstrap, no_key, no_key, (policy.provider,), {NAME: cores})
    workers = tuple(service for service in services if service.name.startswith(NAME))
    written = {topic.name: wanted[topic.name] for topic in expand((policy.provider,)) if topic.writer == NAME}
    outputs = {policy.provider: RELEASES}
    return Stage(workers, cluster, written, outputs, f"sanctuaire-{NAME}", title=f"Sanctuaire, {cores} workers")


def _job(cluster: Cluster, policy: ProviderPolicy, today: date) -> Job:
    return Job(
        bootstrap=cluster.bootstrap, group="", input=CHANGES, outputs={policy.provider: RELEASES},
        perimeter=policy.perimeter.id, keys={},
        allowed={
            f"{policy.provider}/{contract.id}": sorted(releasable(policy, contract))
            for contract in policy.contracts
            if refusal(policy, contract.id, today) is None
        },
        policies={policy.provider: policy.model_dump_json(by_alias=True)},
        versions={policy.provider: policy.version},
        folder="",
        consents=CONSENTS,
        digests={policy.provider: policy_digest(policy)},
    )  # fmt: skip


def _changelog(peer: Peer, run: Run) -> str:
    """As Kafka Streams names that of the store which Filtering.java calls `consents`."""
    return f"{peer.own(run)}-consents-changelog"


def _peers(cluster: Cluster, job: Job) -> Sequence[Peer]:
    main, missing = "Filtering", kafka_streams.missing
    return (
        Peer("kafka-streams", "Kafka Streams, exactly once",
             kafka_streams.command(main, "exactly_once_v2"), cluster, job, missing=missing),
        Peer("kafka-streams-at-least-once", "Kafka Streams, at least once",
             kafka_streams.command(main, "at_least_once"), cluster, job, missing=missing),
    )  # fmt: skip

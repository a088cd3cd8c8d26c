"""The topics of a cluster as the topology wants them: made where they are missing, corrected where they differ.

Partitions are never added: a key would then lie on another partition than its state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from services.contract.errors import Unreachable, WrongSettings
from services.contract.topology import SUBJECT_PARTITIONS, Topic, expand

DAY_MS = 24 * 60 * 60 * 1000
MAX_COMPACTION_LAG_MS = DAY_MS
"""After how long at most an erased value is gone from a compacted topic; Kafka's default is never."""
MIN_DIRTY_RATIO = "0.01"

State = Literal["created", "corrected", "unchanged"]


@dataclass(frozen=True, slots=True)
class TopicState:
    """How many partitions a topic has, and its configuration as Kafka writes it."""

    partitions: int
    configs: Mapping[str, str]


Topics = Mapping[str, TopicState]


def wanted_topics(providers: Sequence[str], partitions: int = SUBJECT_PARTITIONS, replication: int = 1) -> Topics:
    """Every topic that these providers need."""
    return {
        topic.name: TopicState(partitions if topic.partitions == "subject" else 1, _configs(topic, replication))
        for topic in expand(tuple(providers))
    }


def _configs(topic: Topic, replication: int) -> dict[str, str]:
    configs = {"cleanup.policy": topic.cleanup, "message.timestamp.type": "CreateTime"}
    if topic.retention_days is not None:
        configs["retention.ms"] = str(topic.retention_days * DAY_MS)
    if topic.cleanup == "compact":
        configs["max.compaction.lag.ms"] = str(MAX_COMPACTION_LAG_MS)
        configs["min.cleanable.dirty.ratio"] = MIN_DIRTY_RATIO
    if topic.tombstone_days is not None:
        configs["delete.retention.ms"] = str(topic.tombstone_days * DAY_MS)
    if replication > 1:
        configs["min.insync.replicas"] = str(replication - 1)
    return configs


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done to one topic; `configs` are those to be set."""

    name: str
    state: State
    partitions: int
    configs: Mapping[str, str]


def plan(wanted: Topics, found: Topics) -> list[Step]:
    """What applying does, topic by topic.

    Raises:
        WrongSettings: a topic has another number of partitions; nothing may be done about that here.
    """
    wrong = [
        f"{name} has {found[name].partitions} partitions, {topic.partitions} are wanted"
        for name, topic in wanted.items()
        if name in found and found[name].partitions != topic.partitions
    ]
    if wrong:
        raise WrongSettings(
            f"{'; '.join(wrong)}. Give --partitions as the cluster has it, or delete these topics and publish again"
        )
    return [_step(name, topic, found.get(name)) for name, topic in wanted.items()]


def _step(name: str, topic: TopicState, found: TopicState | None) -> Step:
    if found is None:
        return Step(name, "created", topic.partitions, topic.configs)
    different = {key: value for key, value in topic.configs.items() if not _same(found.configs.get(key), value)}
    return Step(name, "corrected" if different else "unchanged", topic.partitions, different)


def _same(found: str | None, wanted: str) -> bool:
    """Kafka may write a number in another way than it was given."""
    try:
        return found is not None and (found == wanted or float(found) == float(wanted))
    except ValueError:
        return False


def apply_topics(addresses: Sequence[str], wanted: Topics, replication: int = 1) -> list[Step]:
    """Bring a cluster's topics to what is wanted, and say what that did.

    Raises:
        WrongSettings: see `plan`; nothing was changed.
        Unreachable: Kafka refused or went away; run it again, it goes on where it stopped.
    """
    admin = KafkaAdminClient(bootstrap_servers=list(addresses))
    try:
        steps = plan(wanted, _found(admin, wanted))
        made = {
            step.name: {
                "num_partitions": step.partitions,
                "replication_factor": replication,
                "configs": dict(step.configs),
            }
            for step in steps
            if step.state == "created"
        }
        corrected = [
            ConfigResource(ConfigResourceType.TOPIC, step.name, dict(step.configs))
            for step in steps
            if step.state == "corrected"
        ]
        if made:
            admin.create_topics(made, wait_for_metadata=True)
        if corrected:
            admin.alter_configs(corrected)
    except KafkaError as error:
        raise Unreachable(
            f"Kafka did not make the topics ({type(error).__name__}); see its log, then run "
            "`sanctuaire topics apply` again: it goes on where it stopped"
        ) from None
    finally:
        admin.close()
    return steps


def found_topics(addresses: Sequence[str], wanted: Topics) -> Topics:
    """Those of the wanted topics that a cluster has."""
    admin = KafkaAdminClient(bootstrap_servers=list(addresses))
    try:
        return _found(admin, wanted)
    except KafkaError as error:
        raise Unreachable(f"Kafka did not describe its topics ({type(error).__name__}); try again") from None
    finally:
        admin.close()


def _found(admin: KafkaAdminClient, wanted: Topics) -> dict[str, TopicState]:
    partitions = {
        topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics() if topic["name"] in wanted
    }
    if not partitions:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, None) for name in partitions]
    described = admin.describe_configs(asked, config_filter="all")["topic"]
    return {
        name: TopicState(count, {key: str(config["value"]) for key, config in described[name].items()})
        for name, count in partitions.items()
    }

import pytest

from ops.topics import TopicState, plan, wanted_topics
from services.contract.errors import WrongSettings

DAY_MS = 86_400_000


def test_every_provider_has_its_own_topics() -> None:
    wanted = wanted_topics(("gar", "lecture"))

    of_gar = {name for name in wanted if ".gar." in name}

    assert {name.replace(".gar.", ".lecture.") for name in of_gar} == {name for name in wanted if ".lecture." in name}
    assert {
        "provisioning.operations.gar.v1",
        "provisioning.operations.gar.v1.quarantine",
        "provisioning.withdrawals.gar.v1",
        "providers.gar.directory.v1",
    } <= of_gar


@pytest.mark.parametrize(
    ("name", "partitions"),
    [
        ("directory.changes.v1", 4),
        ("directory.changes.v1.quarantine", 4),
        ("directory.identifiers.v1", 1),
        ("policies.v1", 1),
        ("providers.gar.directory.v1", 4),
    ],
)
def test_topics_keyed_by_a_subject_share_their_number_of_partitions(name: str, partitions: int) -> None:
    wanted = wanted_topics(("gar",), partitions=4)

    assert wanted[name].partitions == partitions


def test_what_passes_through_is_deleted_after_its_days() -> None:
    wanted = wanted_topics(("gar",))

    assert wanted["directory.changes.v1"].configs == {
        "cleanup.policy": "delete",
        "message.timestamp.type": "CreateTime",
        "retention.ms": str(14 * DAY_MS),
    }


def test_what_is_erased_is_gone_from_a_compacted_topic_within_a_day() -> None:
    wanted = wanted_topics(("gar",))

    assert wanted["providers.gar.directory.v1"].configs == {
        "cleanup.policy": "compact",
        "message.timestamp.type": "CreateTime",
        "max.compaction.lag.ms": str(DAY_MS),
        "min.cleanable.dirty.ratio": "0.01",
        "delete.retention.ms": str(30 * DAY_MS),
    }


def test_with_replicas_all_but_one_must_have_a_record() -> None:
    wanted = wanted_topics(("gar",), replication=3)

    assert {topic.configs["min.insync.replicas"] for topic in wanted.values()} == {"2"}


WANTED = {"a": TopicState(4, {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01"})}


@pytest.mark.parametrize(
    ("found", "state", "configs"),
    [
        pytest.param({}, "created", WANTED["a"].configs, id="missing"),
        pytest.param({"a": WANTED["a"]}, "unchanged", {}, id="there"),
        pytest.param(
            {"a": TopicState(4, {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.010", "x": "y"})},
            "unchanged", {}, id="a number written otherwise, and a setting of somebody else",
        ),
        pytest.param(
            {"a": TopicState(4, {"cleanup.policy": "delete", "min.cleanable.dirty.ratio": "0.01"})},
            "corrected", {"cleanup.policy": "compact"}, id="another setting",
        ),
    ],
)  # fmt: skip
def test_only_what_differs_is_done(found: dict[str, TopicState], state: str, configs: dict[str, str]) -> None:
    (step,) = plan(WANTED, found)

    assert (step.state, step.configs) == (state, configs)


def test_another_number_of_partitions_is_refused_with_what_to_do() -> None:
    with pytest.raises(WrongSettings) as refused:
        plan(WANTED, {"a": TopicState(12, {})})

    assert str(refused.value) == (
        "a has 12 partitions, 4 are wanted. Give --partitions as the cluster has it, or delete these topics and "
        "publish again"
    )

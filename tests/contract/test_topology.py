import re
from collections import Counter

import pytest

from ops.rendering.nouns import NOUNS, noun_of
from services.contract.heartbeats import Heartbeat
from services.contract.operations import Adopted, Delete, Restrict, Rotated, Upsert
from services.contract.outcomes import Deferred, Delivered, Refused
from services.contract.releases import Release, Renaming, Restriction, Withdrawal
from services.contract.topology import (
    CHANGES,
    CONNECTORS_AUDIT,
    CONSENTS,
    KEYS_AUDIT,
    LINKS,
    MOVES,
    OPERATIONS,
    POLICIES,
    POLICIES_AUDIT,
    PROVIDER_DIRECTORY,
    PROVIDER_WITHDRAWALS,
    READS_AUDIT,
    RELEASES,
    SUBJECT_PARTITIONS,
    TOPICS,
    UNLINKS,
    WITHDRAWALS,
    Topic,
    expand,
    named_for,
    quarantine_of,
)

PROVIDERS = ("gar", "lecture", "suite")
ALL = expand(PROVIDERS)
BY_NAME = {topic.name: topic for topic in TOPICS}

# `<owner>.<payloads>[.<provider>].v<N>`, and what could not be read of it.
NAME = re.compile(r"[a-z]+(\.([a-z]+|<provider>)){0,2}\.v[1-9][0-9]*")
NOT_ON_A_TOPIC = {"DecisionRequest", "Verdict", "ConsentRecord", "ConsentReceipt"}
SERVICES = {"ingress", "filtering", "pseudonymisation", "connectors"}
PEOPLE = {"operators", "the provider"}

ROWS = [pytest.param(topic, id=topic.name) for topic in TOPICS]


def test_topic_is_in_the_table_once_and_so_has_one_writer() -> None:
    twice = [name for name, times in Counter(topic.name for topic in ALL).items() if times > 1]

    assert twice == []


@pytest.mark.parametrize("topic", ROWS)
def test_topic_is_written_by_one_service_or_by_operators_and_read_by_somebody(topic: Topic) -> None:
    assert topic.writer in SERVICES | {"operators"}
    assert topic.readers
    assert set(topic.readers) <= SERVICES | PEOPLE


@pytest.mark.parametrize("topic", ROWS)
def test_topic_is_named_by_owner_payloads_provider_and_version(topic: Topic) -> None:
    assert NAME.fullmatch(topic.name)


def test_names_are_names_for_kafka() -> None:
    refused = [topic.name for topic in ALL if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", topic.name)]

    assert refused == []


def test_names_do_not_meet_where_kafka_takes_a_dot_for_an_underscore() -> None:
    in_metrics = Counter(topic.name.replace(".", "_") for topic in ALL)

    assert [name for name, times in in_metrics.items() if times > 1] == []


def test_topics_of_a_provider_are_made_once_a_provider() -> None:
    names = [topic.name for topic in ALL]

    assert [name for name in names if "<" in name] == []
    assert [named_for(OPERATIONS, provider) for provider in PROVIDERS] == [
        "provisioning.operations.gar.v1",
        "provisioning.operations.lecture.v1",
        "provisioning.operations.suite.v1",
    ]
    for provider in PROVIDERS:
        assert {named_for(name, provider) for name in (OPERATIONS, PROVIDER_WITHDRAWALS, PROVIDER_DIRECTORY)} <= set(
            names
        )


def test_no_provider_means_no_topic_of_a_provider() -> None:
    assert [topic.name for topic in expand(()) if "operations" in topic.name or "providers" in topic.name] == []


def test_what_cannot_be_read_has_a_quarantine_beside_the_topic() -> None:
    quarantines = [topic.name for topic in expand(("gar",)) if topic.name.endswith("quarantine")]

    assert quarantines == [
        "directory.changes.v1.quarantine",
        "consents.decisions.v1.quarantine",
        "directory.unlinks.v1.quarantine",
        "directory.moves.v1.quarantine",
        "directory.links.v1.quarantine",
        "provisioning.releases.v1.quarantine",
        "provisioning.withdrawals.v1.quarantine",
        "provisioning.operations.gar.v1.quarantine",
        "provisioning.withdrawals.gar.v1.quarantine",
    ]


@pytest.mark.parametrize("topic", [topic for topic in ALL if topic.quarantined], ids=lambda topic: topic.name)
def test_quarantine_is_written_by_who_reads_the_topic_and_outlives_it(topic: Topic) -> None:
    quarantine = next(other for other in ALL if other.name == quarantine_of(topic.name))

    assert (quarantine.writer,) == topic.readers
    assert quarantine.partitions == topic.partitions
    assert [payload.__name__ for payload in quarantine.payloads] == ["QuarantinedRecord"]
    assert quarantine.retention_days == 90


@pytest.mark.parametrize("title", [noun.title for noun in NOUNS if noun.title not in NOT_ON_A_TOPIC])
def test_payload_flows_on_a_topic(title: str) -> None:
    assert title in {noun_of(payload).title for topic in ALL for payload in topic.payloads}


@pytest.mark.parametrize("topic", ROWS)
def test_topic_without_a_schema_is_a_state_that_its_writer_alone_reads(topic: Topic) -> None:
    if topic.payloads:
        assert {noun_of(payload) for payload in topic.payloads} <= set(NOUNS)
    else:
        assert topic.name.startswith("state.")
        assert topic.readers == (topic.writer,)


@pytest.mark.parametrize(
    ("name", "payloads"),
    [
        pytest.param(
            RELEASES, (Release, Withdrawal, Restriction, Renaming), id="withdrawals-of-a-sweep-in-the-normal-lane"
        ),
        pytest.param(
            WITHDRAWALS, (Withdrawal, Restriction, Heartbeat), id="withdrawals-and-heartbeats-in-the-express-lane"
        ),
        pytest.param(
            OPERATIONS,
            (Upsert, Delete, Restrict, Rotated, Adopted),
            id="upserts-and-erasures-of-a-sweep-in-the-normal-lane",
        ),
        pytest.param(
            PROVIDER_WITHDRAWALS,
            (Delete, Restrict, Rotated, Heartbeat),
            id="deletes-and-heartbeats-in-the-express-lane",
        ),
        pytest.param("provisioning.ledger.v1", (Delivered, Deferred, Refused), id="outcomes-on-the-ledger"),
    ],
)
def test_lane_carries_what_the_design_says(name: str, payloads: tuple[type, ...]) -> None:
    assert BY_NAME[name].payloads == payloads


@pytest.mark.parametrize("topic", ROWS)
def test_topic_is_as_wide_as_its_key_asks(topic: Topic) -> None:
    """A stage writes to the partition it reads from: one width from the change to the provider."""
    once_for_all = topic.key in {"provider", "<source>/<entity>/<id>"} or topic.name in {
        POLICIES_AUDIT,
        READS_AUDIT,
        KEYS_AUDIT,
    }

    assert topic.partitions == ("one" if once_for_all else "subject")


def test_subject_keyed_topics_share_their_partitions() -> None:
    lanes = (
        CHANGES,
        CONSENTS,
        LINKS,
        MOVES,
        UNLINKS,
        RELEASES,
        WITHDRAWALS,
        OPERATIONS,
        PROVIDER_WITHDRAWALS,
        CONNECTORS_AUDIT,
    )

    assert {BY_NAME[name].partitions for name in lanes} == {"subject"}
    assert SUBJECT_PARTITIONS == 12
    assert BY_NAME[POLICIES].partitions == "one"


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.name)
def test_topic_says_when_a_record_goes(topic: Topic) -> None:
    """GDPR art. 5(1)(e): a log has a last day, a compacted topic a time for its tombstones; none has both."""
    kept = topic.retention_days if topic.cleanup == "delete" else topic.tombstone_days
    other = topic.tombstone_days if topic.cleanup == "delete" else topic.retention_days

    assert kept is not None
    assert kept > 0
    assert other is None


def test_provider_that_was_away_a_month_still_learns_of_an_erasure() -> None:
    days = BY_NAME[PROVIDER_DIRECTORY].tombstone_days

    assert days is not None
    assert days >= 30


def test_only_a_connector_writes_to_a_provider_and_no_provider_reads_a_topic_of_ours() -> None:
    read_by_providers = [topic for topic in TOPICS if "the provider" in topic.readers]

    assert [(topic.name, topic.writer) for topic in read_by_providers] == [(PROVIDER_DIRECTORY, "connectors")]

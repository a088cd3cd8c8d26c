import os
import shutil
import time
from collections.abc import Iterator

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, TopicPartition

from ops.broker.embedded import EmbeddedBroker
from services.contract.releases import Release, Withdrawal
from services.contract.topology import CHANGES, CONSENTS, POLICIES, RELEASES, WITHDRAWALS
from services.filtering.agent import FilteringAgent
from tests.integration.pipeline_people import expected, ine, joins, policies, stream
from tests.integration.pipeline_stages import Message, Stages, installation, wait_for

pytestmark = pytest.mark.broker

CANARY = "ZORVELQUIMUR"
SENT: list[Message] = []
"""All that this module has published, in order: the reference reads the same."""


@pytest.fixture(scope="module")
def stages(own_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with installation(own_broker.bootstrap, tmp_path_factory.mktemp("pipeline"), ("gar", "lecture")) as made:
        publish(made, policies())
        for name in made.names:
            made.start(name)
        yield made


def publish(stages: Stages, messages: list[Message]) -> None:
    stages.publish(messages)
    SENT.extend(messages)


async def as_expected(stages: Stages) -> bool:
    reference = await expected(SENT, stages.keyring, time.time_ns() // 1000)
    return {name: stages.directory(name) for name in reference} == reference


async def test_every_provider_ends_up_knowing_what_it_may(stages: Stages) -> None:
    publish(stages, list(stream(seed=1, count=400, people=60)))

    assert wait_for(stages.is_done)
    assert await as_expected(stages)
    assert {stage: stages.twice_accounted(stage) for stage in ("filtering", "pseudonymisation", "connectors")} == {
        "filtering": [], "pseudonymisation": [], "connectors": [],
    }  # fmt: skip
    assert stages.unaccounted("filtering", [CHANGES, CONSENTS]) == []
    assert stages.unaccounted("pseudonymisation", [RELEASES, WITHDRAWALS]) == []


async def test_stage_that_is_stopped_goes_on_from_its_state_and_sends_nothing_twice(stages: Stages) -> None:
    """One finds its stores as it left them, the others have lost theirs and rebuild them."""
    before = len(stages.rows(RELEASES))
    codes = [stages.stop(name) for name in stages.names]
    publish(stages, [message for message in SENT if message[0] != POLICIES][-100:])
    publish(stages, [joins(1000 + number) for number in range(10)])
    kept, *lost = stages.names
    for name in lost:
        shutil.rmtree(stages.folder / name / "state")
    for name in stages.names:
        stages.start(name)

    assert wait_for(stages.is_done)
    assert codes == [0] * len(codes)
    assert len(stages.rows(RELEASES)) == before + 10
    rebuilt = {name: sum(line.get("records", 0) for line in stages.log(name) if line["event"] == "rebuilt")
               for name in stages.names}  # fmt: skip
    assert rebuilt[kept] == 0
    assert all(rebuilt[name] > 0 for name in lost)
    assert await as_expected(stages)


async def test_two_workers_share_a_stage_and_a_rebalance_loses_and_doubles_nothing(stages: Stages) -> None:
    for name in ("filtering", "pseudonymisation"):
        stages.start(name, "-2")
    shared = False
    for slice_ in range(3):
        publish(stages, list(stream(seed=20 + slice_, count=150, people=60)))
        if slice_ == 0:
            shared = wait_for(lambda: [stages.holds(name) for name in ("filtering", "filtering-2")] == [1, 1])
        if slice_ == 1:
            for name in ("filtering-2", "pseudonymisation-2"):
                stages.stop(name)

    assert shared
    assert wait_for(stages.is_done)
    assert await as_expected(stages)
    assert {stage: stages.twice_accounted(stage) for stage in ("filtering", "pseudonymisation")} == {
        "filtering": [], "pseudonymisation": [],
    }  # fmt: skip
    assert stages.unaccounted("filtering", [CHANGES, CONSENTS]) == []


POISON = [
    ("bad JSON", b"k", b"{not json" + CANARY.encode(), "not-json"),
    ("nothing", b"k", b"", "not-json"),
    ("over the limit of a change", b"k", b'"' + b"x" * 300_000 + b'"', "too-large"),
    ("nested too deep", b"k", b"[" * 10_000 + b"]" * 10_000, "not-json"),
    ("not a number", b"k", b'{"version":NaN}', "not-json"),
    ("a key twice", b"k", b'{"kind":"delete","kind":"upsert"}', "not-json"),
    ("an undeclared field", joins(2000)[1], joins(2000, nickname=CANARY)[2], "not-this-schema"),
    ("no key", None, joins(2001)[2], "key-mismatch"),
    ("a tombstone", joins(2002)[1], None, "not-this-schema"),
    ("no UTF-8", b"k", b'{"kind":"\xff\xfe"}', "not-json"),
    ("a key that is no UTF-8", b"\xff\xfe", joins(2003)[2], "key-mismatch"),
    ("another's key", ine(2005).encode(), joins(2004)[2], "key-mismatch"),
]


async def test_poison_is_quarantined_by_coordinates_and_the_partition_moves_on(stages: Stages) -> None:
    worker = stages.running["filtering"].pid
    offsets = stages.publish([(CHANGES, key, value) for _, key, value, _ in POISON], partition=0)
    stages.publish([joins(2006)], partition=0)
    SENT.append(joins(2006))

    assert wait_for(stages.is_done)
    assert await as_expected(stages)
    aside = {value["offset"]: value for value in stages.values(f"{CHANGES}.quarantine")}
    assert [aside[offset]["code"] for offset in offsets] == [code for *_, code in POISON]
    assert stages.running["filtering"].pid == worker
    assert stages.running["filtering"].poll() is None
    topics = (f"{CHANGES}.quarantine", "audit.filtering.v1", "audit.connectors.v1")
    everything = b"".join(row.value for topic in topics for row in stages.rows(topic))
    logs = b"".join((stages.folder / name / "log.jsonl").read_bytes() for name in stages.names)
    assert [word for word in (CANARY, "Maïa", ine(2006)) if word.encode() in everything + logs] == []


async def test_change_of_an_aborted_transaction_is_never_read(stages: Stages) -> None:
    platform = AIOKafkaProducer(bootstrap_servers=stages.bootstrap, transactional_id="a-platform")
    await platform.start()
    try:
        await platform.begin_transaction()
        topic, key, value = joins(2500)
        await platform.send_and_wait(topic, value, key=key)
        await platform.abort_transaction()
    finally:
        await platform.stop()
    publish(stages, [joins(2501)])

    assert wait_for(stages.is_done)
    assert await as_expected(stages)
    assert ine(2500) not in {value["subject"] for value in stages.values(RELEASES)}


def test_positions_are_the_state_s_and_never_the_group_s(stages: Stages) -> None:
    with KafkaConsumer(bootstrap_servers=stages.bootstrap, group_id=FilteringAgent.group) as consumer:
        committed = [consumer.committed(TopicPartition(CHANGES, number)) for number in range(stages.partitions)]
    positions = {row.key for row in stages.rows("state.filtering.v1") if row.key.startswith(b"~offset/")}

    assert committed == [None, None]
    assert positions == {b"~offset/" + CHANGES.encode(), b"~offset/" + CONSENTS.encode()}


async def test_release_waits_for_its_policy_while_a_withdrawal_overtakes_it(stages: Stages) -> None:
    publish(stages, [joins(3000), joins(3001)])
    assert wait_for(stages.is_done)
    known = {value["subject"]: row for row in stages.rows(RELEASES) if (value := orjson.loads(row.value))}
    row = known[ine(3000)]
    early = Release.model_validate_json(row.value).model_copy(update={"policy_version": 11, "seq": 2**52})
    stages.publish([(RELEASES, row.key, early.model_dump_json().encode())], row.partition)

    assert wait_for(lambda: any(line["event"] == "waiting" for line in stages.log("pseudonymisation")))
    other = next(value for value in known.values() if value.partition == row.partition and value.key != row.key)
    whole = orjson.loads(other.value)
    common = {name: whole[name] for name in Withdrawal.model_fields.keys() & whole.keys()}
    erase = Withdrawal.model_validate_json(orjson.dumps(common | {"seq": 2**52, "reasons": ["R1/subject-deleted"]}))
    at = len(stages.rows("provisioning.withdrawals.gar.v1"))
    stages.publish([(WITHDRAWALS, other.key, erase.model_dump_json().encode())], row.partition)
    assert wait_for(lambda: len(stages.rows("provisioning.withdrawals.gar.v1")) > at, 10)

    began = time.monotonic()
    assert stages.stop("pseudonymisation") == 0
    assert time.monotonic() - began < 10
    stages.start("pseudonymisation")
    publish(stages, policies(version=11))
    assert wait_for(stages.is_done)
    assert 2**52 in {value["seq"] for value in stages.values("provisioning.operations.gar.v1")}


def test_no_service_has_failed(stages: Stages) -> None:
    failures = [(name, line) for name in stages.names for line in stages.log(name) if line["event"] == "failed"]

    assert failures == []
    assert os.getpid() not in {process.pid for process in stages.running.values()}

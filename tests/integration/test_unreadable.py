"""A record that the client itself cannot decode, written by a platform straight to Kafka."""

from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from ops.broker.embedded import EmbeddedBroker
from services.contract.topology import CHANGES
from tests.integration.pipeline_people import joins, policies
from tests.integration.pipeline_stages import Stages, installation, wait_for

pytestmark = pytest.mark.broker


class NoUtf8:
    """A finished batch in which the header name `QQ` reads FF FE instead, its checksum made right again."""

    def __init__(self, builder: Any) -> None:
        self._builder = builder

    def build(self) -> bytearray:
        batch = bytearray(self._builder.build())
        name = batch.index(b"QQ")
        batch[name : name + 2] = b"\xff\xfe"
        batch[17:21] = calc_crc32c(batch[21:]).to_bytes(4, "big")
        return batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._builder, name)


async def test_header_that_the_client_cannot_decode_is_passed_over_and_nothing_before_or_after_it_is_lost(
    own_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    with installation(own_broker.bootstrap, tmp_path, ("gar",)) as stages:
        await _passes_over(stages)


async def _passes_over(stages: Stages) -> None:
    stages.publish([message for message in policies() if message[1] == b"gar"])
    for name in stages.names:
        stages.start(name)
    worker = stages.running["filtering"].pid
    before, after = [[joins(first + n) for n in range(40)] for first in (2600, 2650)]
    stages.publish(before, partition=0)
    platform = AIOKafkaProducer(bootstrap_servers=stages.bootstrap)
    await platform.start()
    try:
        batch = platform.create_batch()
        batch.append(key=b"k", value=b"{}", timestamp=None, headers=[("QQ", b"")])
        batch.close()
        batch._builder = NoUtf8(batch._builder)
        bad = await (await platform.send_batch(batch, CHANGES, partition=0))
    finally:
        await platform.stop()
    stages.publish(after, partition=0)

    assert wait_for(lambda: len(stages.directory("gar")) == 80, 60)
    aside = {value["offset"]: value for value in stages.values(f"{CHANGES}.quarantine") if value["partition"] == 0}
    assert aside[bad.offset]["code"] == "unreadable"
    assert stages.running["filtering"].pid == worker
    assert stages.running["filtering"].poll() is None

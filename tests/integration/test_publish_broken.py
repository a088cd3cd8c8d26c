"""A broker that goes away in the middle: what was acknowledged is said, and publishing again mends it."""

import gc
from pathlib import Path

import pytest

from ops.broker.embedded import EmbeddedBroker
from ops.cli import main
from ops.publishing.changes import ChangePublisher
from ops.publishing.cluster import open_producer
from ops.publishing.delivery import Delivery
from ops.publishing.exports import ExportReading
from services.contract.changes import Change
from services.contract.errors import Unreachable
from services.ingress.identifiers import Identifiers

pytestmark = pytest.mark.broker

SAMPLES = Path(__file__).parents[1] / "data" / "aaf"


# kafka-python leaves the sockets of a broker that died to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_broker_that_dies_leaves_a_count_of_what_it_took(own_broker: EmbeddedBroker) -> None:
    assert main(["topics", "apply", "--partitions", "3", "--bootstrap", own_broker.bootstrap]) == 0
    changes = [read for read in ExportReading(SAMPLES, None, lambda _: {}) if isinstance(read, Change)]

    with pytest.raises(Unreachable) as broken:
        publish_and_kill_after(5, changes, own_broker)
    gc.collect()

    assert "5 on directory.changes.v1" in str(broken.value)
    assert "Run the same command again" in str(broken.value)


def publish_and_kill_after(count: int, changes: list[Change], broker: EmbeddedBroker) -> None:
    quick = {"delivery_timeout_ms": 5000, "request_timeout_ms": 2500, "max_block_ms": 5000}
    with open_producer([broker.bootstrap], **quick) as producer:
        publisher = ChangePublisher(Delivery(producer), Identifiers())
        for change in changes[:count]:
            publisher.add(change)
        publisher.settle()
        broker.kill()
        for change in changes[count:]:
            publisher.add(change)
        publisher.settle()

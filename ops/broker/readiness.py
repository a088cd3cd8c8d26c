"""Does a cluster answer, and which one is it?"""

import socket
import time
from collections.abc import Mapping, Sequence

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from services.contract.errors import Unreachable

PAUSE_SECONDS = 0.02
ASK_MS = 3_000


def listens(address: str) -> bool:
    """Somebody accepts connections there; asked first because a Kafka client logs each refusal as an error."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=1.0).close()
    except OSError:
        return False
    return True


def cluster_id(bootstrap: Sequence[str], client: Mapping[str, object]) -> str | None:
    """The cluster's id once at least one broker takes requests, None if nobody gives it within three seconds.

    `client` holds further settings of kafka-python's admin client, such as SASL's.
    """
    if not any(listens(address) for address in bootstrap):
        return None
    waits = {"bootstrap_timeout_ms": ASK_MS, "request_timeout_ms": ASK_MS}
    try:
        admin = KafkaAdminClient(bootstrap_servers=list(bootstrap), **{**waits, **client})
    except (KafkaError, OSError):
        return None
    try:
        cluster = admin.describe_cluster()
    except (KafkaError, OSError):
        return None
    finally:
        admin.close()
    return str(cluster["cluster_id"]) if cluster["brokers"] else None


def await_cluster(bootstrap: Sequence[str], seconds: float, client: Mapping[str, object]) -> str:
    """Ask until a cluster answers.

    Raises:
        Unreachable: none did within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while (found := cluster_id(bootstrap, client)) is None:
        if time.monotonic() > deadline:
            raise Unreachable(
                f"no Kafka cluster answered at KAFKA_BOOTSTRAP within {seconds:.0f} s; "
                "check the address, or unset the variable to start an embedded broker"
            )
        time.sleep(PAUSE_SECONDS)
    return found

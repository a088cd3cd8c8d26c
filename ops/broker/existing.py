"""An existing cluster where the environment names one, else an embedded broker."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from ops.broker.configuration import parse_bootstrap
from ops.broker.embedded import EmbeddedBroker
from ops.broker.readiness import await_cluster

VARIABLE = "KAFKA_BOOTSTRAP"
ANSWER_SECONDS = 10.0


@contextmanager
def bootstrap_or_embedded(
    embedded: Callable[[], EmbeddedBroker] = EmbeddedBroker,
    *,
    environment: Mapping[str, str] | None = None,
    client: Mapping[str, object] | None = None,
    answer_seconds: float = ANSWER_SECONDS,
) -> Iterator[str]:
    """The `host:port[,…]` of KAFKA_BOOTSTRAP's cluster once it answers, or of a broker that lives as long as the block.

    `client` holds further settings of kafka-python's admin client for the existing cluster, such as SASL's.

    Raises:
        WrongSettings: the variable is not a list of addresses.
        Unreachable: its cluster does not answer, or the embedded broker cannot be fetched.
        BrokerError: the embedded broker does not start.
    """
    stated = (os.environ if environment is None else environment).get(VARIABLE, "").strip()
    if not stated:
        with embedded() as broker:
            yield broker.bootstrap
        return
    addresses = parse_bootstrap(stated)
    await_cluster(addresses, answer_seconds, client or {})
    yield ",".join(addresses)

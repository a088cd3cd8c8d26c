"""Free ports on the loopback interface."""

import secrets
import socket
from contextlib import ExitStack

from ops.broker.errors import BrokerError

# Below Linux's ephemeral range (32768 up): there, a client that reconnects in a loop while the broker is down
# can be given the broker's own port, connect to itself, and keep the broker from coming back.
FIRST = 20_000
LAST = 32_000
TRIES = 200


def free_ports(count: int) -> tuple[int, ...]:
    """Distinct ports that nobody listens on now; somebody may take one before it is used, so be ready to ask again.

    Raises:
        BrokerError: none found in the range.
    """
    found: list[int] = []
    with ExitStack() as held:
        for _ in range(TRIES):
            if len(found) == count:
                break
            port = FIRST + secrets.randbelow(LAST - FIRST)
            candidate = held.enter_context(socket.socket())
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    if len(found) < count:
        raise BrokerError(f"no free port between {FIRST} and {LAST} on the loopback interface")
    return tuple(found)


def free_port_at_best(wanted: int) -> int:
    """That one if it is free, else any that is."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", wanted))
        except OSError:
            return free_ports(1)[0]
    return wanted

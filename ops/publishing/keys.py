"""Which names are in force, said to every stage, in one transaction with the record of who did it."""

from datetime import UTC, datetime

import orjson

from ops.publishing.cluster import Addresses, read_whole, require_topics
from ops.publishing.policies import Message, commit, fenced
from ops.publishing.standing import read_standing
from services.contract.acts import Signed, link
from services.contract.key_acts import KEYS_KEY, KeyAct, KeyActKind, KeyOrder
from services.contract.topology import KEYS_AUDIT, POLICIES
from services.pseudonymisation.keyring import Keyring

NEEDED = (POLICIES, KEYS_AUDIT)


def read_order(addresses: Addresses) -> KeyOrder | None:
    return read_standing(addresses).keys


def read_key_acts(addresses: Addresses) -> list[bytes]:
    """Every act on record, as it was written."""
    return [value for _, _, value in read_whole(addresses, KEYS_AUDIT) if value is not None]


def record(  # the parts of the record
    addresses: Addresses, act: KeyActKind, keyring: Keyring, by: str, *,
    epoch: int | None = None, provider: str | None = None, reference: str | None = None,
    signed: tuple[Signed, ...] = (), announce: bool = False,
) -> None:  # fmt: skip
    """Put a step on record and, with `announce`, the names of this keyring in force.

    Raises:
        WrongSettings: the topics are missing.
        Unreachable: nothing was written.
    """
    require_topics(addresses, NEEDED)
    with fenced(addresses) as producer:
        acts, now = read_key_acts(addresses), datetime.now(UTC)
        done = KeyAct(
            act=act, at=now, by=by, perimeter=keyring.perimeter, serial=keyring.serial, epoch=epoch, provider=provider,
            reference=reference, signed=signed, previous=link(acts[-1]) if acts else None,
        )  # fmt: skip
        messages: list[Message] = [(KEYS_AUDIT, None, done.model_dump_json().encode(), "key-act")]
        if announce:
            order = order_of(keyring, read_order(addresses), by, now)
            messages.append((POLICIES, KEYS_KEY, order.model_dump_json().encode(), "key-order"))
        commit(producer, messages)


def order_of(keyring: Keyring, before: KeyOrder | None, by: str, at: datetime) -> KeyOrder:
    """The names of a keyring as the next announcement says them."""
    providers = {each.provider: keyring.serial_of(each.provider) for each in keyring.generations}
    return KeyOrder(
        everyone=keyring.active_epoch.since, providers=providers,
        announced=before.announced + 1 if before else 1, by=by, at=at,
    )  # fmt: skip


def acts_of(values: list[bytes]) -> list[dict[str, object]]:
    return [orjson.loads(value) for value in values]

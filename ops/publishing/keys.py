"""Which names are in force, said to every stage, in one transaction with the record of who did it."""

from datetime import UTC, datetime

import orjson

from ops.publishing.cluster import Addresses, partitions_of, read_whole, require_topics
from ops.publishing.policies import Message, commit, fenced
from ops.publishing.standing import read_standing
from services.contract.acts import Signed, link
from services.contract.errors import WrongSettings
from services.contract.key_acts import KEYS_KEY, KeyAct, KeyActKind, KeyOrder
from services.contract.topology import FILTERING_STATE, KEYS_AUDIT, POLICIES
from services.pseudonymisation.keyring import Keyring

NEEDED = (POLICIES, KEYS_AUDIT)


def read_order(addresses: Addresses) -> KeyOrder | None:
    return read_standing(addresses).keys


def require_safe_renaming(addresses: Addresses) -> None:
    """Refuse to change names on several partitions, where old and new name lie apart (decisions/0020).

    Raises:
        WrongSettings: it is not open there yet.
    """
    require_topics(addresses, (FILTERING_STATE,))
    if (partitions := partitions_of(addresses, FILTERING_STATE)) != 1:
        raise WrongSettings(
            f"changing names is not open yet on {partitions} partitions, only on one: a withdrawal right after the "
            "change could be lost, for the connector remembers old and new name in different partitions "
            "(ops/decisions/0020); nothing was changed"
        )


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

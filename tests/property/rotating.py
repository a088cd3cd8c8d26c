"""A rapid in which names change, instants pass, and processes are killed before what they decided is durable."""

from collections.abc import Iterator
from datetime import UTC, datetime

from ops.explaining.kept import Entry
from ops.explaining.states import Entries, Wanted
from ops.publishing.keys import order_of
from services.contract.key_acts import KEYS_KEY
from services.contract.topology import CONSENTS, FILTERING_STATE, LEDGER, POLICIES, PSEUDONYMISATION_STATE
from services.pseudonymisation.keyring import Keyring
from services.pseudonymisation.lifecycle import activated, prepared, rekeyed
from services.runtime.outbox import Outbox
from tests.property.histories import Message
from tests.replay.rapid import KEYRING, NOW_US, Rapid, Running

PROVIDERS = ("gar", "lecture")
SECOND_ROOT = bytes.fromhex("0b9d7e35c1f84a6290e3d75b1ca82f464e70d9b3f8152ca7617f04e98bd3c25a")
ROTATED = activated(prepared(KEYRING, SECOND_ROOT))
REKEYED = rekeyed(ROTATED, "gar")
AT = datetime(2026, 9, 15, 8, tzinfo=UTC)


def order(keyring: Keyring, announced: int) -> Message:
    said = order_of(keyring, None, "an operator", AT).model_copy(update={"announced": announced})
    return POLICIES, KEYS_KEY, said.model_dump_json().encode()


class Mortal(Rapid):
    """`kills` says before each commit of an input or a tick whether the process dies; alive where it has ended.

    `asleep` are the places of partitions in `stages`, which get on with nothing meanwhile.
    """

    def __init__(self, keyring: Keyring, kills: Iterator[bool], partitions: int) -> None:
        self.now_us = NOW_US
        super().__init__(PROVIDERS, keyring, lambda: self.now_us, partitions=partitions)
        self._kills = kills
        self.asleep: frozenset[int] = frozenset()
        self._unheard: list[Running] = []
        self._spare = False

    def announce(self, keyring: Keyring, announced: int, deaf: frozenset[int]) -> None:
        """Put other names in force, which some partitions hear of only after the others have gone on."""
        topic, key, value = order(keyring, announced)
        self.put_in(0, topic, key, value)
        for place, stage in enumerate(self.stages):
            if place in deaf:
                self._unheard.append(stage)
            else:
                stage.book.apply(key, value)

    def hear(self, keyring: Keyring, announced: int) -> None:
        _, key, value = order(keyring, announced)
        while self._unheard:
            self._unheard.pop().book.apply(key, value)

    async def pass_time(self, seconds: int) -> None:
        """Let all be decided meanwhile; a record that says nothing shows that what families decided is applied."""
        self.now_us += seconds * 1_000_000
        for number in range(self.partitions):
            self.put_in(number, CONSENTS, b"nobody", b"{")
        await self.run()

    async def _advance(self, stage: Running) -> bool:
        """A sweep is spared: the runtime's own cursor for it is not in a rapid."""
        if self.stages.index(stage) in self.asleep:
            return False
        token = stage.agent.sweep_token(datetime.fromtimestamp(self.now_us / 1_000_000, UTC))
        self._spare = stage.token != token
        return await super()._advance(stage)

    def _commit(self, stage: Running, outbox: Outbox) -> None:
        if outbox.size and not self._spare and next(self._kills, False):
            # As another process with the same durable state: nothing is remembered but that.
            stage.agent = self.made(stage.kind, stage.book)
            return
        super()._commit(stage, outbox)


class Remembered:
    """What the stages of a rapid remember, as `count_living` reads it from a cluster."""

    def __init__(self, rapid: Rapid) -> None:
        self._rapid = rapid

    def partitions(self, topic: str) -> int:  # noqa: ARG002  # of all topics alike
        return self._rapid.partitions

    def read(self, topic: str, partition: int, wanted: Wanted) -> Entries:
        values: dict[bytes, bytes] = {}
        if topic == LEDGER:
            values = {row.key or b"": row.value or b"" for row in self._rapid.lanes[LEDGER, partition]}
        else:
            stage = {FILTERING_STATE: 0, PSEUDONYMISATION_STATE: 1}[topic] * self._rapid.partitions + partition
            values = dict(self._rapid.stages[stage].state.scan(b"", None))
        return {key: Entry(value, AT) for key, value in values.items() if wanted(key)}

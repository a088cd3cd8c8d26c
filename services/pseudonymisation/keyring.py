"""The roots of one perimeter, by epoch, and which keys they give. No message, representation or pickle shows a root.

What is named is named by a *serial*: it counts how often names have changed, by a new epoch for everybody or by a new
generation for one provider. An emission says under which serial it is to be named, so that whoever names it, and
whenever, does it alike (decisions/0020).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum, auto

from services.contract.errors import NoKey
from services.pseudonymisation.pseudonym import derive_provider_key
from services.pseudonymisation.secret import SECRET_OCTETS, Secret


class EpochState(StrEnum):
    """Rotation: PENDING → ACTIVE(e+1) with DUAL(e) → RETIRED → DESTROYED."""

    PENDING = auto()
    ACTIVE = auto()
    DUAL = auto()
    RETIRED = auto()
    DESTROYED = auto()


NAMING = frozenset({EpochState.ACTIVE, EpochState.DUAL})
"""Under what is in one of these states a provider may know somebody."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One root and how far its life has gone; only a destroyed epoch has none."""

    number: int
    state: EpochState
    root: Secret | None
    since: int = 0
    """The serial with which it began to name; of a pending one nothing is said by it."""

    def __post_init__(self) -> None:
        if (self.root is None) != (self.state is EpochState.DESTROYED):
            raise NoKey(f"keyring: epoch {self.number} is {self.state} and its root does not agree with that")
        if self.root is not None and len(self.root.reveal()) != SECRET_OCTETS:
            raise NoKey(f"keyring: the root of epoch {self.number} is not {SECRET_OCTETS} octets")


@dataclass(frozen=True, slots=True)
class Generation:
    """One re-keying of one provider: ACTIVE, DUAL or RETIRED. Generation 0 has no entry before it is followed."""

    provider: str
    number: int
    state: EpochState
    since: int


@dataclass(frozen=True, slots=True, repr=False)
class ProviderKeys:
    """The key that a serial names with, and those under which the provider may still know somebody, oldest first."""

    current: bytes
    former: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return f"ProviderKeys(…, {len(self.former)} former)"


@dataclass(frozen=True, slots=True)
class Keyring:
    """What the pseudonymisation service may name with; `generations` holds the providers re-keyed in an emergency."""

    perimeter: str
    epochs: tuple[Epoch, ...]
    generations: tuple[Generation, ...] = ()
    serial: int = 0

    def __post_init__(self) -> None:
        if not self.perimeter:
            raise NoKey("keyring: its perimeter has no name")
        numbers = [epoch.number for epoch in self.epochs]
        if numbers != sorted(set(numbers)) or (numbers and not 1 <= numbers[0] <= numbers[-1] < 2**32):
            raise NoKey("keyring: its epochs are not numbered upwards from 1")
        self._refuse_shared_roots()
        self._refuse_broken_rotation()
        self._refuse_broken_generations()

    def _refuse_shared_roots(self) -> None:
        roots = [epoch.root.reveal() for epoch in self.epochs if epoch.root is not None]
        if len(set(roots)) != len(roots):
            raise NoKey("keyring: two epochs share a root, so a rotation between them would change nothing")

    def _refuse_broken_rotation(self) -> None:
        """One ACTIVE; beside it at most one DUAL, older, and one PENDING, newer."""
        in_use = [epoch.state for epoch in self.epochs if epoch.state not in {EpochState.RETIRED, EpochState.DESTROYED}]
        if in_use.count(EpochState.ACTIVE) != 1:
            raise NoKey(f"keyring: exactly one epoch must be active, {in_use.count(EpochState.ACTIVE)} are")
        order = [EpochState.DUAL, EpochState.ACTIVE, EpochState.PENDING]
        if in_use != [state for state in order if state in in_use]:
            raise NoKey("keyring: dual, active and pending epochs are not one of each, in that order")
        begun = [epoch.since for epoch in self._begun()]
        if begun != sorted(begun) or not 0 <= begun[0] <= begun[-1] <= self.serial:
            raise NoKey("keyring: its epochs did not begin one after another")

    def _refuse_broken_generations(self) -> None:
        """Of a provider: numbered upwards without a gap, the last one ACTIVE and no other."""
        for provider in {each.provider for each in self.generations}:
            own = [each for each in self.generations if each.provider == provider]
            numbers, since = [each.number for each in own], [each.since for each in own]
            if numbers != list(range(numbers[0], numbers[0] + len(own))) or not 0 <= numbers[0] < 2**32 - len(own):
                raise NoKey("keyring: the generations of a provider are not numbered upwards")
            if since != sorted(since) or not 0 <= since[0] <= since[-1] <= self.serial:
                raise NoKey("keyring: the generations of a provider did not begin one after another")
            latest, *older = reversed(own)
            if latest.state is not EpochState.ACTIVE or any(each.state is EpochState.ACTIVE for each in older):
                raise NoKey("keyring: the latest generation of a provider is active, and no other")

    @property
    def active_epoch(self) -> Epoch:
        return next(epoch for epoch in self.epochs if epoch.state is EpochState.ACTIVE)

    @property
    def is_rotating(self) -> bool:
        """Whether anybody may still be known under a name of before."""
        states = [epoch.state for epoch in self.epochs] + [each.state for each in self.generations]
        return EpochState.DUAL in states

    def generation(self, provider: str) -> int:
        return self._generation_at(provider, self.serial).number

    def serial_of(self, provider: str) -> int:
        """Since which serial this provider has the names that it has now."""
        return max(self.active_epoch.since, self._generation_at(provider, self.serial).since)

    def keys_of(self, provider: str, purpose_family: str, serial: int | None = None) -> ProviderKeys:
        """The keys of a provider as of a serial, by default the latest.

        Raises:
            NoKey: this keyring has not come as far as that serial, or what it named with names nobody any more.
        """
        serial = self.serial if serial is None else serial
        if not 0 <= serial <= self.serial:
            raise NoKey("keyring: it has not come as far as the names that are asked for")
        current, *former = [
            self._derive(epoch, provider, purpose_family, generation.number)
            for epoch, generation in self._in_use(provider, serial)
        ]
        return ProviderKeys(current, tuple(reversed(former)))

    def _in_use(self, provider: str, serial: int) -> Iterator[tuple[Epoch, Generation]]:
        """What this serial names with, then what was named with before it and may still be known, latest first."""
        current = self._epoch_at(serial), self._generation_at(provider, serial)
        if current[0].state not in NAMING or current[1].state not in NAMING:
            raise NoKey(f"keyring: epoch {current[0].number} does not name anyone (neither active nor dual)")
        yield current
        changes = {epoch.since for epoch in self._begun()}
        changes |= {each.since for each in self.generations if each.provider == provider}
        for since in sorted({change for change in changes if change < serial}, reverse=True):
            former = self._epoch_at(since), self._generation_at(provider, since)
            if former != current and former[0].state in NAMING and former[1].state in NAMING:
                yield former

    def _begun(self) -> list[Epoch]:
        return [epoch for epoch in self.epochs if epoch.state is not EpochState.PENDING]

    def _epoch_at(self, serial: int) -> Epoch:
        begun = [each for each in self._begun() if each.since <= serial]
        if not begun:
            raise NoKey("keyring: it is younger than the names that are asked for")
        return begun[-1]

    def _generation_at(self, provider: str, serial: int) -> Generation:
        begun = [each for each in self.generations if each.provider == provider and each.since <= serial]
        return begun[-1] if begun else Generation(provider, 0, EpochState.ACTIVE, 0)

    def _derive(self, epoch: Epoch, provider: str, purpose_family: str, generation: int) -> bytes:
        root = b"" if epoch.root is None else epoch.root.reveal()
        return derive_provider_key(root, self.perimeter, provider, purpose_family, epoch.number, generation)


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where a worker gets the few keys that it names with: it holds no root."""

    perimeter: str
    keys_of: Callable[[str, str, int], ProviderKeys]
    """As `Keyring.keys_of`, every time from the sealed file."""
    stamp: Callable[[], object]
    """Another one when the keyring may be another: then every key is asked for anew."""

    @classmethod
    def of(cls, keyring: Keyring) -> "KeySource":
        """Of a keyring that stays as it is."""
        return cls(keyring.perimeter, keyring.keys_of, lambda: keyring.serial)


def first_keyring(perimeter: str, root: bytes) -> Keyring:
    return Keyring(perimeter, (Epoch(1, EpochState.ACTIVE, Secret(root)),))

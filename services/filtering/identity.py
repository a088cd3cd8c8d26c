"""Under which keys one person is known, as far as these are more than one: what few people have anything of. Pure."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from services.contract.naming import NameParts


class Double(NamedTuple):
    """A second name under which one provider has her: it is still to be erased there."""

    pair: str
    home: str
    seq: int
    named_by: NameParts
    purpose_family: str


class Identity(NamedTuple):
    """Of a key `<source>:<id>` the first two, of an INE the others. Pairs are keyed `<provider>/<contract>`."""

    claimed: tuple[str, int] | None = None
    """The INE that her image shows, and the `seq` under which that was told to its partition."""
    kept: str | None = None
    """The INE under which she is known now: she was handed over, and what comes is forwarded."""
    claims: Mapping[str, int] = {}
    """Keys whose image shows this INE, each with its `seq`: negative where that cannot be, as things stand."""
    settled: Mapping[str, int] = {}
    """Keys with the `seq` of their last claim that is settled: they were handed over; negative, it was taken back."""
    homes: Mapping[str, str] = {}
    """Of pairs that were handed over, the key under which they began: what the later stages know of them is there."""
    doubles: tuple[Double, ...] = ()

    @property
    def merged(self) -> tuple[str, ...]:
        """The keys that were handed over to this one."""
        return tuple(key for key, seq in self.settled.items() if seq > 0)

    @property
    def awaits(self) -> bool:
        """Whether a key that is hers has yet to be handed over."""
        return any(seq > 0 for seq in self.claims.values())


SOLE: Final = Identity()
"""Of nearly everybody."""


def dump(known: Identity) -> dict[str, Any]:
    """What there is, as JSON."""
    kept = {name: value for name, value in known._asdict().items() if value}
    return {**kept, "doubles": [tuple(one) for one in known.doubles]} if known.doubles else kept


def load(kept: Mapping[str, Any]) -> Identity:
    return Identity(
        claimed=tuple(kept["claimed"]) if "claimed" in kept else None,
        kept=kept.get("kept"),
        claims=kept.get("claims", {}),
        settled=kept.get("settled", {}),
        homes=kept.get("homes", {}),
        doubles=tuple(
            Double(pair, home, seq, tuple(named_by), family)
            for pair, home, seq, named_by, family in kept.get("doubles", ())
        ),
    )

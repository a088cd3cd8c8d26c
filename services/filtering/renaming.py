"""Whom a provider has under other names than today's, and of whom nothing else goes out: named anew. Pure."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from services.filtering.docket import Decided
from services.filtering.likeness import Moment
from services.filtering.sending import Emission, next_seq, renamed, taken_back
from services.filtering.subject import Pair
from services.filtering.terms import Named

PolicyOf = Callable[[str], Named | None]
"""The policy of a pair's provider; null where it is not here."""
HomeOf = Callable[[str], str]
"""The key under which the later stages know a pair."""


class Renamed(NamedTuple):
    """The ends, with what now goes out, and the last `seq` issued."""

    decided: list[Decided]
    seq: int


def rename_rest(  # noqa: PLR0913  # whom, under what, and when
    home_of: HomeOf, decided: Iterable[Decided], pairs: dict[str, Pair], *,
    policy_of: PolicyOf, moment: Moment, issued: int,
) -> Renamed:  # fmt: skip
    """Move those pairs on; each ends as it would have, whatever keeps the rest from the provider.

    Raises:
        NotThisSchema: the subject's key is longer than any that may travel.
    """
    ends: list[Decided] = []
    for each in decided:
        known, policy = pairs.get(each.pair), policy_of(each.pair)
        if (
            each.emission is None
            and known is not None
            and known.last != "erase"
            and policy is not None
            and known.serial < policy.key_serial
        ):
            issued = next_seq(issued, known, moment)
            moved = pairs[each.pair] = known.renamed(issued, policy.key_serial)
            each = each.sending(_emission(home_of(each.pair), each, moved, policy))  # noqa: PLW2901  # the same end
        ends.append(each)
    return Renamed(ends, issued)


def _emission(key: str, decided: Decided, moved: Pair, policy: Named) -> Emission:
    """Who is restricted is restricted by the other name as well."""
    if moved.last == "release":
        return renamed(key, decided.pair, moved, policy)
    return taken_back(key, decided.pair, moved, policy, [decided.reason] if decided.reason.startswith("R") else [])

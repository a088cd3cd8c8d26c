"""How often, and by which chance: `SANCTUAIRE_FAULTS_TIMES` and `SANCTUAIRE_FAULTS_SEED`, or what is given here."""

import os
import random

TIMES = int(os.environ.get("SANCTUAIRE_FAULTS_TIMES") or 1)
"""One time is what CI has time for, and always with the same chance; more of them draw another each time."""
SEED = int(os.environ.get("SANCTUAIRE_FAULTS_SEED") or (20260915 if TIMES == 1 else random.randrange(2**32)))  # noqa: S311


def drawn() -> random.Random:
    """The course of one scenario's faults, from the beginning."""
    return random.Random(SEED)  # noqa: S311  # the same faults again

"""How `make test` shares the tests between its processes; imported by nobody else."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


class TakingTurns(LoadScopeScheduling):
    """All tests whose ids begin in one of these ways are one process's, in their order; so is each other file."""

    def __init__(self, in_turn: tuple[str, ...], config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        self._in_turn = in_turn

    def _split_scope(self, nodeid: str) -> str:
        return "in turn" if nodeid.startswith(self._in_turn) else nodeid.partition("::")[0]

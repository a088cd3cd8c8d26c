"""What lay before a process when it took its partitions over: read to the end before anything is told. Pure.

It need not survive the process: the next one finds a backlog of its own, and what waits is in the state.
"""

from collections.abc import Mapping


class Backlog:
    """By partition, the lanes that are not yet read to the end that was seen at opening."""

    def __init__(self) -> None:
        self._ends: dict[int, dict[str, int]] = {}

    def opened(self, partition: int, ends: Mapping[str, int]) -> None:
        self._ends[partition] = dict(ends)

    def read_up(self, partition: int, topic: str) -> None:
        self._ends.get(partition, {}).pop(topic, None)

    def taken(self, partition: int, topic: str, offset: int) -> None:
        """A batch that ends at `offset` has been decided."""
        if offset + 1 >= self._ends.get(partition, {}).get(topic, 0):
            self.read_up(partition, topic)

    def lies_before(self, partition: int) -> bool:
        return bool(self._ends.get(partition))

"""Whom a provider has after a rotation, read from its own topic by somebody who knows nothing else of us."""

from collections.abc import Iterator, Sequence
from itertools import chain, permutations, zip_longest
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from ops.cli import main
from ops.keys import KeyFiles, load
from services.contract.topology import named_for
from services.pseudonymisation.keyring import Keyring
from services.pseudonymisation.pseudonym import Pseudonymiser
from tests.integration.pipeline_people import ine
from tests.integration.pipeline_stages import Read, Stages
from tests.replay.provider_reading import Accounts, Name

WAYS = 6
"""In how many orders partitions are read one after another, at most."""


def keyring_of(stages: Stages) -> Keyring:
    files = KeyFiles.within(stages.folder / "keys")
    return load(files.keyring, files.kek)


def keys(stages: Stages, *arguments: str) -> int:
    return main(["keys", *arguments, "--directory", str(stages.folder / "keys"), "--bootstrap", stages.bootstrap])


def reached(stages: Stages, template: str) -> int:
    """How far a topic of the provider reaches, told without reading it."""
    topic = named_for(template, "gar")
    with KafkaConsumer(bootstrap_servers=stages.bootstrap, isolation_level="read_committed") as consumer:
        ends = consumer.end_offsets([TopicPartition(topic, number) for number in range(stages.partitions)])
        return sum(ends.values())


def names_of(keyring: Keyring, people: Sequence[int], serial: int | None = None) -> set[str]:
    """Under which they are known at gar as of a serial, by default the last."""
    known = Pseudonymiser.under(keyring.keys_of("gar", "pedagogical-access", serial).current)
    return {known.pseudonym("person", "FR", "INE", ine(number)) for number in people}


def ways_to_read(read: Read) -> Iterator[Iterator[Any]]:
    """Every record of a topic, its partitions one after another in several orders, and in turn."""
    lanes = [read[number] for number in sorted(read)]
    for _, order in zip(range(WAYS), permutations(lanes), strict=False):
        yield chain.from_iterable(order)
    yield chain.from_iterable(reversed(lanes))
    yield (row for turn in zip_longest(*lanes) for row in turn if row is not None)


def known_at(stages: Stages) -> list[dict[str, Name]]:
    """Whom it knows by reading, once for each way."""
    read = stages.read("providers.gar.directory.v1")
    return [_read(rows) for rows in ways_to_read(read)]


def _read(rows: Iterator[Any]) -> dict[str, Name]:
    accounts = Accounts()
    for row in rows:
        accounts.read(row.key.decode(), row.value, row.headers)
    return accounts.known()


def last_words(stages: Stages) -> dict[str, bytes | None]:
    """What compaction leaves of each name; null is the order to forget."""
    return {row.key.decode(): row.value for row in stages.rows("providers.gar.directory.v1")}

"""Publishes as a platform does, through the same code as `sanctuaire publish`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.publishing.changes import ChangePublisher, read_identifiers
from ops.publishing.cluster import Addresses, open_producer
from ops.publishing.consents import publish_decision
from ops.publishing.delivery import Delivery
from ops.publishing.exports import ExportReading, RefusedExport
from services.contract.changes import Change
from services.contract.consents import ConsentDecision
from services.contract.errors import NotThisFormat
from services.contract.topology import CHANGES, CONSENTS
from services.ingress.formats.aaf import RefusedFile, RefusedRecord


class Publication:
    """One platform's connection."""

    def __init__(self, addresses: Addresses, delivery: Delivery) -> None:
        self._addresses = addresses
        self._delivery = delivery

    def export(self, folder: Path) -> int:
        """Publish an AAF set; how many changes it made.

        Raises:
            NotThisFormat: some of it was refused, which no invented export should be.
        """
        before = self._delivery.acknowledged[CHANGES]
        identifiers = read_identifiers(self._addresses)
        publisher = ChangePublisher(self._delivery, identifiers)
        for read in ExportReading(folder, None, identifiers.structures_of):
            if isinstance(read, Change):
                publisher.add(read)
            elif isinstance(read, RefusedFile | RefusedRecord | RefusedExport):
                raise NotThisFormat(f"the invented export: {type(read).__name__}")
        publisher.settle()
        return self._delivery.acknowledged[CHANGES] - before

    def decisions(self, decisions: Iterable[ConsentDecision]) -> int:
        """Publish what families decided; how many decisions that were."""
        before = self._delivery.acknowledged[CONSENTS]
        for decision in decisions:
            publish_decision(self._delivery, decision)
        self._delivery.settle()
        return self._delivery.acknowledged[CONSENTS] - before


@contextmanager
def publication(addresses: Addresses) -> Iterator[Publication]:
    """A platform's connection, for as long as the block."""
    with open_producer(addresses) as producer:
        yield Publication(addresses, Delivery(producer))

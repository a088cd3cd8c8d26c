"""A gentle stream of invented people for `sanctuaire up --synthetic`, so that a newcomer sees it move.

One school is published whole, its families answer, and then something happens to somebody of it, again and again:
pupils change class, a guardian takes her consent back and gives it again, a pupil leaves and returns.
"""

import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self

from ops.demo.asking import asked
from ops.demo.publication import publication
from ops.demo.scenario import SOURCE, Scenario, answer_of, stage
from ops.installation import Installation
from ops.publishing.changes import ChangePublisher, read_identifiers
from ops.publishing.cluster import open_producer
from ops.publishing.consents import publish_decision
from ops.publishing.delivery import Delivery
from ops.publishing.exports import ExportReading
from ops.synthesis import synthesise
from services.contract.attributes import Attributes
from services.contract.changes import Change
from services.contract.consents import ConsentDecision
from services.contract.errors import SanctuaireError

SEED: Final = 2026
PUPILS: Final = 120
ROUND: Final = 12
"""Happenings of one pupil: class moves, then a consent taken back and given again, then a departure and a return."""
LEVELS: Final = ("6EME", "5EME", "4EME", "3EME")


@dataclass(frozen=True, slots=True)
class Invented:
    """The school, and each pupil's full image by the platform's own id."""

    scenario: Scenario
    images: Mapping[str, Change]


def happening(invented: Invented, number: int, at: datetime) -> Change | ConsentDecision:
    """The `number`-th thing that happens; pure, so that a stream can be told again."""
    pupils = invented.scenario.schools[0].pupils
    # Pairs stay together: who withdraws gives again, who leaves returns, one round later.
    pupil, act = pupils[(number // 2) % len(pupils)], number % ROUND
    image = invented.images[pupil.id]
    match act:
        case 6 | 7:
            return answer_of(pupil, invented.scenario.asked[0], "withdrawn" if act == 6 else "given", at)
        case 8:
            return Change(kind="delete", entity="person", category="pupil", source=SOURCE, id=pupil.id,
                          version=version_of(at), attributes=Attributes())  # fmt: skip
        case 9:
            return image.model_copy(update={"version": version_of(at)})
        case _:
            level = LEVELS[number // ROUND % len(LEVELS)]
            return Change(kind="patch", entity="person", category="pupil", source=SOURCE, id=pupil.id,
                          version=version_of(at), attributes=Attributes(level=level))  # fmt: skip


def version_of(at: datetime) -> str:
    """A delta's: later is greater, to the tenth of a millisecond."""
    tenths = (at.hour * 3600 + at.minute * 60 + at.second) * 10_000 + at.microsecond // 100
    return f"{at:%Y%m%d}.1.{tenths:09d}"


class SyntheticStream:
    """Publishes `rate` happenings a second from a thread of its own; `with` ends it."""

    def __init__(self, installation: Installation, rate: float) -> None:
        self._installation = installation
        self._pause = 1.0 / rate
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="synthetic", daemon=True)
        self.failed: str | None = None
        """Why it has ended by itself: the code of an error."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stopping.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        try:
            self._go_on(self._begin())
        except SanctuaireError as error:
            self.failed = error.code

    def _begin(self) -> Invented:
        """Publish the school and what its families say; published again, it changes nothing."""
        scenario = stage(1, PUPILS, SEED, *asked(self._installation))
        with tempfile.TemporaryDirectory(prefix="sanctuaire-synthetic-") as name:
            folder = Path(name)
            synthesise(1, SEED, delta=False, encoding="UTF-8", out=folder, pupils_per_school=PUPILS)
            with publication(self._installation.addresses) as platform:
                platform.export(folder)
                platform.decisions(scenario.answers(datetime.now(UTC) - timedelta(minutes=1)))
            read = ExportReading(folder, None, read_identifiers(self._installation.addresses).structures_of)
            images = {one.id: one for one in read if isinstance(one, Change) and one.category == "pupil"}
        return Invented(scenario, images)

    def _go_on(self, invented: Invented) -> None:
        with open_producer(self._installation.addresses) as producer:
            delivery = Delivery(producer)
            publisher = ChangePublisher(delivery, read_identifiers(self._installation.addresses))
            number = 0
            while not self._stopping.wait(self._pause):
                told = happening(invented, number, datetime.now(UTC))
                if isinstance(told, Change):
                    publisher.add(told)
                else:
                    publish_decision(delivery, told)
                publisher.settle()
                number += 1

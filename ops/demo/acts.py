"""What happens in the demonstration, act by act, each with its effect awaited and seen."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.table import Table

from ops.demo.chain import Chain
from ops.demo.exports import Exports
from ops.demo.publication import Publication
from ops.demo.reader import linked, published, read_out
from ops.demo.scenario import Scenario
from ops.demo.screen import Screen
from ops.demo.tally import Tally, ends_of
from ops.demo.view import ends_tables, flow, side_by_side
from ops.demo.watch import Watch
from ops.installation import Installation
from ops.supervisor import Supervisor

SETTLE_SECONDS = 60.0
EFFECT_SECONDS = 30.0

Names = Mapping[str, str]
"""Provider → the pseudonym it has for one person; absent where it has none."""


@dataclass(frozen=True, slots=True)
class Play:
    """The acts, with all they need."""

    installation: Installation
    scenario: Scenario
    exports: Exports
    platform: Publication
    watch: Watch
    supervisor: Supervisor
    screen: Screen

    def run(self) -> None:
        self.complete()
        self.families()
        self.compare()
        self.night()
        self.withdrawal()
        self.departure()

    def complete(self) -> None:
        cast = self.scenario
        self.screen.act("1. The directory: a complete export")
        self.screen.say(
            f"{len(cast.schools)} schools, {cast.pupils} pupils, {cast.guardians} guardians, {cast.staff} staff (AAF)"
        )
        began = time.monotonic()
        with self.screen.following(self.watch):
            changes = self.platform.export(self.exports.complete)
            self._settle()
        seconds = time.monotonic() - began
        self.screen.say(
            f"{changes} changes published, decided for {self._contracts()} contracts, renamed and delivered"
        )
        self.screen.say(f"in {seconds:.1f} s. {self._known()}")

    def families(self) -> None:
        asked = ", ".join(one.provider for one in self.scenario.asked)
        self.screen.act(f"2. The families answer: {asked}")
        with self.screen.following(self.watch):
            decisions = self.platform.decisions(self.scenario.answers(datetime.now(UTC)))
            self._settle()
        self.screen.say(f"{decisions} decisions: child and guardian agree, or one is silent, or a guardian refuses.")
        self.screen.say("Where consent was all that was missing, what is remembered is released without a new export;")
        self.screen.say(f"where a place is not allowed, no consent helps. {self._known()}")

    def compare(self) -> None:
        self.screen.show(self.watch.look(flow))
        for table in self.watch.look(self._tables):
            self.screen.show(table)
        chain = self._chain()
        self.screen.show(side_by_side(chain, self.scenario.followed.ine, self.installation.providers))

    def night(self) -> None:
        self.screen.act("3. The night's delta")
        before = self.watch.look(lambda tally: tally.emissions)
        with self.screen.following(self.watch):
            changes = self.platform.export(self.exports.night)
            self._settle()
        sent = self.watch.look(lambda tally: tally.emissions) - before
        self.screen.say(f"{changes} changes: class moves, arrivals, departures, new telephone numbers.")
        self.screen.say(f"Only what a provider may see leaves: {sent} releases and withdrawals. {self._known()}")

    def withdrawal(self) -> None:
        asked, followed = self.scenario.asked[0], self.scenario.followed
        self.screen.act(f"4. A guardian withdraws her consent to {asked.provider}")
        names = self._names(self._chain(), followed.ine)
        with self.screen.following(self.watch):
            began = time.monotonic()
            self.platform.decisions([self.scenario.withdrawal(datetime.now(UTC))])
            self._forgotten({asked.provider: names[asked.provider]})
            seconds = time.monotonic() - began
            self._settle()
        still = self.watch.look(lambda tally: [p for p, name in names.items() if tally.holds[p].get(name, False)])
        self.screen.say(f"{asked.provider} was told to forget her pupil {seconds:.1f} s after the withdrawal.")
        self.screen.say(f"Who still has her, on another ground: {', '.join(still) or 'nobody'}.")

    def departure(self) -> None:
        self.screen.act("5. A pupil leaves")
        names = self._names(self._chain(), self.scenario.leaver.ine)
        with self.screen.following(self.watch):
            began = time.monotonic()
            self.platform.export(self.exports.departure)
            self._forgotten(names)
            seconds = time.monotonic() - began
            self._settle()
        self.screen.say(f"Everybody who had her was told to forget her, {', '.join(names)}: in {seconds:.1f} s.")

    def _settle(self) -> None:
        """Everything published is decided, then what the filter told itself of it, and all of it is delivered."""
        counts = published(self.installation.bootstrap)
        self._settled(counts)
        self._settled({**counts, **linked(self.installation.bootstrap)})

    def _settled(self, counts: Mapping[str, int]) -> None:
        self.watch.wait(
            lambda tally: tally.settled(counts), SETTLE_SECONDS, self.supervisor.check,
            "every input decided, renamed and delivered",
        )  # fmt: skip

    def _forgotten(self, names: Names) -> None:
        self.watch.wait(
            lambda tally: not any(tally.holds[provider].get(name, True) for provider, name in names.items()),
            EFFECT_SECONDS, self.supervisor.check, f"forgotten by {', '.join(names)}",
        )  # fmt: skip

    def _chain(self) -> Chain:
        return Chain(read_out(self.installation.bootstrap, {}))

    def _names(self, chain: Chain, subject: str) -> Names:
        return {
            operation.provider: operation.pseudonym
            for (_, who), operation in chain.last.items()
            if who == subject and operation.pseudonym in chain.known(operation.provider)
        }

    def _contracts(self) -> int:
        return sum(len(policy.contracts) for policy in self.installation.policies.values())

    def _known(self) -> str:
        counts = self.watch.look(lambda tally: {name: tally.known(name) for name in tally.providers})
        return "People known to " + ", ".join(f"{name}: {count}" for name, count in counts.items()) + "."

    def _tables(self, tally: Tally) -> tuple[Table, Table]:
        return ends_tables({name: ends_of(tally, name) for name in tally.providers}, self.installation.policies)

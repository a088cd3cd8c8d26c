"""One round of telling, within one transaction: each word is told, waits or is refused, and all of it is entered."""

from collections.abc import Mapping, Sequence

from services.connectors import freshness, ledger, waiting
from services.connectors.ledger import STANDING, Standing, judge
from services.connectors.provider import Provider
from services.connectors.terms import Terms
from services.connectors.waiting import AT_ONCE, POLICIES_CHANGE, later_word_waits, window_end
from services.connectors.words import Word
from services.contract.account import Account
from services.contract.audit import End
from services.contract.envelope import binary
from services.contract.operations import OperationKind
from services.contract.outcomes import OutcomeCode
from services.contract.reasons import StageCode
from services.contract.topology import LEDGER
from services.runtime.agent import NotYet
from services.runtime.outbox import Outbox

ENDS: Mapping[OperationKind, End] = {
    "upsert": "released", "delete": "erased", "restrict": "held", "rotate": "held", "adopt": "held",
}  # fmt: skip
HELD = frozenset({"release-window", "backlog", "allowed-again"})


class Telling:
    """What holds for all words of a round: the terms, the instant, how fresh the consents are. Words by number."""

    def __init__(self, provider: Provider, terms: Terms, outbox: Outbox, account: Account) -> None:
        self._provider = provider
        self._terms = terms
        self._outbox = outbox
        self._account = account
        self._now = outbox.now
        # Pseudonyms of any of the filter's partitions come here: what each of them takes back must have come too.
        self.is_fresh = all(
            freshness.is_fresh(outbox.get(freshness.key_of(number)), outbox.now_us)
            for number in range(outbox.partitions)
        )
        self._told: list[tuple[int, Word]] = []

    def load(self, words: Sequence[Word]) -> None:
        self._outbox.load([STANDING + word.place for word in words])

    def hear(self, number: int, word: Word, *, backlog: bool, express: bool) -> None:
        """A word that came: sequence, contract, places and consents are checked once more, and whether it may leave.

        Another name waits as an upsert does, for who compares two providers could else match them by its time; on the
        express lane it comes with a restriction that must not wait.

        Raises:
            NotYet: it cannot be said; nothing of the round is told.
        """
        standing = self._standing(word)
        code = judge(word, standing)
        if code in {"duplicate", "superseded"}:
            self.end(number, word, code)
        elif word.kind is not None or (word.names_alone and not express and code is None):
            self._hear_upsert(number, word, standing, backlog=backlog)
        elif code == "never-attempted":
            self._put_by(word, standing, Standing(word.seq, attempted=False))
            self._enter(word, "never-attempted")
            self.end(number, word, "never-attempted")
        else:
            self._take_up(number, word, standing)

    def _hear_upsert(self, number: int, word: Word, standing: Standing | None, *, backlog: bool) -> None:
        if not self._terms.speak_of(word.policy_version):
            raise NotYet("policy-not-here")
        refusal, window = self._terms.of(word)
        if refusal:
            self._wait(number, word, standing, refusal, POLICIES_CHANGE)
            self._enter(word, refusal)
        elif window:
            self._wait(number, word, standing, "release-window", window_end(self._outbox.now_us, window))
        elif backlog:
            self._wait(number, word, standing, "backlog", AT_ONCE)
        elif not self.is_fresh:
            raise NotYet("stale-consents")
        else:
            self._take_up(number, word, standing)

    def flush(self, number: int, key: bytes, word: Word) -> None:
        """A word whose time has come; only in a round that is fresh."""
        standing = self._standing(word)
        if standing is None or (standing.seq, standing.until) != (word.seq, waiting.until_of(key)):
            self._outbox.put(key, None)
            self.end(number, word, "superseded")
        elif refusal := self._terms.of(word).refusal:
            self._wait(number, word, standing, refusal, POLICIES_CHANGE)
            self._enter(word, refusal)
        else:
            self._take_up(number, word, standing)

    def allow(self, number: int, word: Word) -> None:
        """A word that the policies refused: it leaves with the next ones as soon as they allow it."""
        refusal, window = self._terms.of(word)
        if refusal:
            self.end(number, word, refusal)
        else:
            until = window_end(self._outbox.now_us, window) if window else AT_ONCE
            self._wait(number, word, self._standing(word), "allowed-again", until)

    async def tell(self) -> None:
        """Tell the provider what was taken up, and enter what came of it."""
        if not self._told:
            return
        codes = await self._provider.deliver([word for _, word in self._told], self._outbox)
        for (number, word), code in zip(self._told, codes, strict=True):
            self._outbox.put(STANDING + word.place, ledger.dump(ledger.told(word, code)))
            self._enter(word, code)
            self.end(number, word, code)

    def end(self, number: int, word: Word, code: StageCode) -> None:
        """Give the account of one word."""
        end: End = "refused"
        if code in HELD:
            end = "held"
        elif code in {"delivered", "never-attempted"}:
            end = ENDS[word.operation]
        self._account.end(number, word.pair, end, code)

    def _standing(self, word: Word) -> Standing | None:
        return ledger.load(self._outbox.get(STANDING + word.place))

    def _take_up(self, number: int, word: Word, standing: Standing | None) -> None:
        if standing is not None and standing.until:
            self._outbox.put(waiting.key_of(standing.until, word.place), None)
        self._told.append((number, word))

    def _wait(self, number: int, word: Word, standing: Standing | None, why: StageCode, until: str) -> None:
        """Keep it as the pair's last word; what waited before goes."""
        until = later_word_waits(standing.until if standing else "", until)
        self._outbox.put(waiting.key_of(until, word.place), waiting.dump(why, self._outbox.now_us, word))
        # By a name of before the provider may have her by this one, whatever comes of this word.
        attempted = bool(word.renamed_from) or (standing is not None and standing.attempted)
        self._put_by(word, standing, Standing(word.seq, attempted, until))
        self.end(number, word, why)

    def _put_by(self, word: Word, before: Standing | None, after: Standing) -> None:
        if before is not None and before.until not in {"", after.until}:
            self._outbox.put(waiting.key_of(before.until, word.place), None)
        self._outbox.put(STANDING + word.place, ledger.dump(after))

    def _enter(self, word: Word, code: OutcomeCode) -> None:
        self._outbox.send(
            LEDGER,
            ledger.key_of(word),
            ledger.value_of(word, code, self._now),
            binary("connectors", "outcome", f"{word.provider}.{word.contract}.{word.seq}"),
        )

"""`python -m ops.benchmarks.connector_steps`: what each step of the connector costs an upsert, in µs.

Upserts of invented pupils for a provider that reads a topic; no broker and no store. The last rows are whole batches
in one process: told at once to whom it never knew and to whom it knew, let wait for a window, and told at its end.
"""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from ops.benchmarks.memory_state import MemoryState
from ops.benchmarks.processor import cost, each
from ops.policy_files import read_policies
from services.connectors import ledger, waiting
from services.connectors.agent import ConnectorAgent
from services.connectors.freshness import key_of
from services.connectors.ledger import Standing
from services.connectors.providers.topic.client import TopicProvider
from services.connectors.providers.topic.mapping import headers_of, value_of
from services.connectors.reading import MAX_OPERATION_BYTES, quickly, read_operation, word_kept
from services.connectors.terms import Terms
from services.connectors.words import Word
from services.contract.account import Account
from services.contract.envelope import binary, body
from services.contract.operations import Upsert
from services.contract.parsing import parse_payload
from services.contract.policies import ProviderPolicy, day_in_paris, policy_digest
from services.contract.topology import OPERATIONS, named_for
from services.runtime.outbox import Outbox
from services.runtime.policies import PolicyBook
from services.runtime.records import FetchedRecord

UPSERTS = 2000
ROUNDS = 25
NOW = datetime(2026, 9, 16, 8, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000
POLICIES = Path(__file__).parents[1] / "policies"
PROVIDER = "gar"
LANE = named_for(OPERATIONS, PROVIDER)


def upserts(policy: ProviderPolicy) -> list[FetchedRecord]:
    """Everybody under an invented name, as the pseudonymiser writes it."""
    digest = policy_digest(policy)
    fields: dict[str, Any] = {"given_name": "Maïa", "family_name": "Zorvel", "level": "5EME", "school": "0999001W",
              "divisions": ["5EME B"], "groups": ["5EME LATIN", "5EME ANGLAIS 2"]}  # fmt: skip
    rows = []
    for number in range(UPSERTS):
        name = sha256(str(number).encode()).hexdigest()[:32].translate(str.maketrans("0189", "ghij"))
        upsert = Upsert(
            provider=policy.provider, contract=policy.contracts[0].id, pseudonym=name, seq=NOW_US + number,
            policy=digest, policy_version=policy.version, event_id=name[::-1], kind="pupil", fields=fields,
        )  # fmt: skip
        headers = binary("pseudonymisation", "operation", upsert.event_id)
        rows.append(FetchedRecord(LANE, 0, number, 0, name.encode(), upsert.model_dump_json().encode(), headers))
    return rows


def steps(rows: Sequence[FetchedRecord], policy: ProviderPolicy) -> Mapping[str, float]:
    """The pure steps, one by one; what little the loop itself costs is in each."""
    values = [row.value or b"" for row in rows]
    words = [read_operation(value, row.key, PROVIDER) for value, row in zip(values, rows, strict=True)]
    terms, account = Terms(policy, day_in_paris(NOW)), Account("connectors", LANE, 0, len(rows))
    kept = [waiting.dump("release-window", NOW_US, word) for word in words]
    standing = ledger.dump(Standing(NOW_US, attempted=True))

    def entered(word: Word) -> None:
        ledger.key_of(word), ledger.value_of(word, "delivered", NOW)
        binary("connectors", "outcome", f"{word.provider}.{word.contract}.{word.seq}")

    steps_: dict[str, Callable[[int], object]] = {
        "read strictly (for comparison)": lambda n: parse_payload(Upsert, values[n], MAX_OPERATION_BYTES),
        "parsed as JSON alone (for comparison)": lambda n: orjson.loads(values[n]),
        "headers and size": lambda n: body(values[n], rows[n].headers, MAX_OPERATION_BYTES),
        "read quickly": lambda n: quickly(values[n]),
        "standing": lambda n: ledger.judge(words[n], ledger.load(standing)),
        "policy": lambda n: terms.of(words[n]),
        "record that leaves": lambda n: (value_of(words[n], "pedagogical-access"), headers_of(words[n])),
        "standing after": lambda n: ledger.dump(ledger.told(words[n], "delivered")),
        "entry in the ledger": lambda n: entered(words[n]),
        "account": lambda n: account.end(n, words[n].pair, "released", "delivered"),
        "put by": lambda n: waiting.dump("release-window", NOW_US, words[n]),
        "taken up again": lambda n: word_kept(waiting.load(kept[n]).operation),
    }
    return {name: each(len(rows), step, ROUNDS) for name, step in steps_.items()}


class Batches:
    """Whole batches of one connector."""

    def __init__(self, rows: Sequence[FetchedRecord], policy: ProviderPolicy, window_seconds: int) -> None:
        contracts = tuple(c.model_copy(update={"release_window_seconds": window_seconds}) for c in policy.contracts)
        book = PolicyBook("connectors")
        content = policy.model_copy(update={"contracts": contracts}).model_dump_json(by_alias=True)
        book.apply(PROVIDER.encode(), content.encode())
        self._agent = ConnectorAgent(PROVIDER, TopicProvider(PROVIDER, lambda _: "pedagogical-access"), book)
        self._rows = rows

    def handled(self, state: MemoryState) -> Outbox:
        return self._run(state, NOW_US, lambda outbox, account: self._agent.handle(self._rows, outbox, account))

    def ticked(self, state: MemoryState) -> Outbox:
        return self._run(state, NOW_US + 300_000_000, self._agent.tick)

    def _run(
        self, before: MemoryState, now_us: int, step: Callable[[Outbox, Account], Coroutine[Any, Any, object]]
    ) -> Outbox:
        before.apply({key_of(0): str(now_us).encode()})
        outbox = Outbox("connectors", 0, before, now_us)
        with asyncio.Runner() as runner:
            runner.run(step(outbox, Account("connectors", LANE, 0, len(self._rows))))
        return outbox


def whole(rows: Sequence[FetchedRecord], policy: ProviderPolicy) -> Mapping[str, float]:
    live, windowed = Batches(rows, policy, 0), Batches(rows, policy, 300)
    nobody, known, due = MemoryState(), MemoryState(), MemoryState()
    standings = live.handled(nobody).changes
    known.apply({key: ledger.dump(Standing(1, attempted=True)) for key in standings})
    due.apply(windowed.handled(nobody).changes)
    return {
        "batch, told at once, all new": cost(lambda: live.handled(nobody), len(rows), ROUNDS),
        "batch, told at once, all known": cost(lambda: live.handled(known), len(rows), ROUNDS),
        "batch, let wait": cost(lambda: windowed.handled(nobody), len(rows), ROUNDS),
        "tick, all due": cost(lambda: windowed.ticked(due), len(rows), ROUNDS),
    }


def main() -> None:
    policy = read_policies(POLICIES)[PROVIDER]
    rows = upserts(policy)
    # A full collection walks through what this benchmark has made, which no stage holds.
    gc.collect()
    gc.freeze()
    table = Table("step", "µs an upsert")
    for name, microseconds in {**steps(rows, policy), **whole(rows, policy)}.items():
        table.add_row(name, f"{microseconds:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()

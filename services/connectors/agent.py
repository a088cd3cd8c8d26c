"""The connector: tells one provider what it may still be told, and keeps the ledger of what came of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.connectors.ledger import Standing, dump, judge, load, moved
from services.connectors.provider import Provider
from services.contract.audit import Account, End, Stage
from services.contract.envelope import binary, body
from services.contract.errors import KeyMismatch, Unreadable
from services.contract.operations import Delete, Operation, Upsert
from services.contract.outcomes import Deferred, Delivered, Outcome
from services.contract.parsing import parse_payload
from services.contract.policies import Refusal, day_in_paris, refusal
from services.contract.reasons import StageCode
from services.contract.topology import (
    CONNECTORS_AUDIT,
    CONNECTORS_STATE,
    LEDGER,
    OPERATIONS,
    PROVIDER_WITHDRAWALS,
    named_for,
)
from services.runtime.agent import NotYet
from services.runtime.outbox import Outbox
from services.runtime.policies import PolicyBook
from services.runtime.records import Record

MAX_OPERATION_BYTES = 512 * 1024
STANDING = b"s/"
PARKED = b"p/"


class ConnectorAgent:
    """Tells one provider; one process a provider."""

    stage: Stage = "connectors"
    audit = CONNECTORS_AUDIT
    swept = PARKED

    def __init__(self, name: str, provider: Provider, policies: PolicyBook) -> None:
        self._name = name
        self._provider = provider
        self._policies = policies
        self.group = f"sanctuaire-connectors-{name}"
        self.changelog = named_for(CONNECTORS_STATE, name)
        self._withdrawals = named_for(PROVIDER_WITHDRAWALS, name)
        self.lanes: tuple[str, ...] = (self._withdrawals, named_for(OPERATIONS, name))

    def policy_versions(self) -> Mapping[str, int]:
        return self._policies.versions()

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        told: list[tuple[int, Operation]] = []
        for record in records:
            try:
                operation = self._read(record)
            except Unreadable as error:
                outbox.quarantine(record, error.code, str(error))
                continue
            code = self._weigh(operation, outbox)
            if code is None:
                told.append((record.offset, operation))
            else:
                account.end(record.offset, _pair(operation), *_end(operation, code))
        await self._tell([operation for _, operation in told], outbox)
        for offset, operation in told:
            account.end(offset, _pair(operation), *_end(operation, "delivered"))

    def _read(self, record: Record) -> Operation:
        raw = body(record.value, record.headers, MAX_OPERATION_BYTES)
        model: type[Operation] = Delete if record.topic == self._withdrawals else Upsert
        operation = parse_payload(model, raw, MAX_OPERATION_BYTES)
        if operation.provider != self._name or record.key != operation.pseudonym.encode():
            raise KeyMismatch("key: not of this provider, or not the pseudonym of the operation")
        return operation

    def _weigh(self, operation: Operation, outbox: Outbox) -> StageCode | None:
        """Check sequence, contract and places once more; moves the standing, and records what is not told."""
        standing = load(outbox.get(STANDING + _place(operation)))
        code = judge(operation, standing)
        if code in {"duplicate", "superseded"}:
            return code
        refused = self._refusal(operation, outbox) if isinstance(operation, Upsert) else None
        if refused:
            code = refused
            outbox.put(PARKED + _place(operation), operation.model_dump_json().encode())
            self._record(Deferred(code=refused, **_about(operation, outbox)), outbox)
        else:
            if outbox.get(PARKED + _place(operation)) is not None:
                outbox.put(PARKED + _place(operation), None)
            if code == "never-attempted":
                self._record(Delivered(code=code, **_about(operation, outbox)), outbox)
        self._stand(operation, standing, outbox, attempted=code is None)
        return code

    def _refusal(self, operation: Operation, outbox: Outbox) -> Refusal | None:
        known = self._policies.by_provider.get(operation.provider)
        if known is None or known.policy.version < operation.policy_version:
            raise NotYet("policy-not-here")
        return refusal(known.policy, operation.contract, day_in_paris(outbox.now))

    def _stand(self, operation: Operation, standing: Standing | None, outbox: Outbox, *, attempted: bool) -> None:
        outbox.put(STANDING + _place(operation), dump(moved(operation, standing, attempted=attempted)))

    async def _tell(self, operations: Sequence[Operation], outbox: Outbox) -> None:
        if operations:
            for outcome in await self._provider.deliver(operations, outbox):
                self._record(outcome, outbox)

    def _record(self, outcome: Outcome, outbox: Outbox) -> None:
        outbox.send(
            LEDGER,
            f"{outcome.provider}/{outcome.contract}/{outcome.pseudonym}".encode(),
            outcome.model_dump_json().encode(),
            binary(self.stage, "outcome", f"{outcome.provider}.{outcome.contract}.{outcome.seq}"),
        )

    async def tick(self, outbox: Outbox, account: Account) -> None:
        """Nothing yet."""

    def sweep_token(self, now: datetime) -> bytes:
        return self._policies.token_on(day_in_paris(now))

    async def sweep(self, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox, account: Account) -> None:
        """Tell what was deferred and may be told now."""
        told: list[Operation] = []
        for number, (key, raw) in enumerate(entries):
            operation = parse_payload(Upsert, raw, MAX_OPERATION_BYTES)
            code = self._refusal(operation, outbox)
            if code is None:
                outbox.put(key, None)
                standing = load(outbox.get(STANDING + _place(operation)))
                self._stand(operation, standing, outbox, attempted=True)
                told.append(operation)
            account.end(number, _pair(operation), *_end(operation, code or "delivered"))
        await self._tell(told, outbox)


def _pair(operation: Operation) -> str:
    return f"{operation.provider}/{operation.contract}"


def _place(operation: Operation) -> bytes:
    return f"{operation.contract}/{operation.pseudonym}".encode()


def _end(operation: Operation, code: StageCode) -> tuple[End, str]:
    if code in {"delivered", "never-attempted"}:
        return ("erased" if isinstance(operation, Delete) else "released"), code
    return "refused", code


def _about(operation: Operation, outbox: Outbox) -> Mapping[str, Any]:
    return {
        "provider": operation.provider,
        "contract": operation.contract,
        "pseudonym": operation.pseudonym,
        "seq": operation.seq,
        "operation": "upsert" if isinstance(operation, Upsert) else "delete",
        "at": outbox.now,
    }

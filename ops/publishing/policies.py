"""Policies to `policies.v1`: all that changed, in one transaction with the record of who did it, or nothing."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from kafka import KafkaProducer
from kafka.errors import KafkaError

from ops.policy_files import MAX_POLICY_BYTES, Policies, Step, plan
from ops.publishing.cluster import Addresses, open_producer, require_topics
from ops.publishing.standing import read_acts, read_standing
from services.contract.acts import APPROVAL_KEY, AppliedPolicy, Approval, PolicyAct, Signed, link
from services.contract.errors import NotSigned, NotThisSet, TooLarge, Unreachable, Unreadable
from services.contract.parsing import parse_payload
from services.contract.policies import change_set, day_in_paris, policy_digest
from services.contract.topology import POLICIES, POLICIES_AUDIT, expand
from services.ingress.events import headers_of

TRANSACTIONAL_ID = "sanctuaire-policy-apply"
MAX_AHEAD = timedelta(minutes=5)
"""By how much the clock of whoever signed may be ahead of this one."""

Message = tuple[str, bytes | None, bytes, str]
"""Topic, key, value, and the name of its schema."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying did, and the name of the whole set that is in force now."""

    steps: list[Step]
    change_set: str


def apply_policies(
    addresses: Addresses, wanted: Policies, by: str, signed: Signed | None, staged: Collection[str] = ()
) -> Applied:
    """Put a set in force, and say what that did to each policy. `signed` is the authority that it rests on.

    Nobody is erased by a policy of the providers that are `staged`, until an operator approves.

    Raises:
        AmbiguousPolicy: the set that would be in force is ambiguous; the old one stays.
        NotSigned: the signature is older than that of the set in force, or is of a day to come.
        WrongSettings: topics of its providers are missing.
        Unreachable: nothing was put in force.
    """
    require_topics_of(addresses, wanted)
    prepare = partial(_applying, addresses, wanted, by, signed, staged)
    prepare()  # What is to be refused is refused before a producer is opened.
    with fenced(addresses) as producer:
        applied, messages = prepare()
        if messages:
            commit(producer, messages)
    return applied


def _applying(
    addresses: Addresses, wanted: Policies, by: str, signed: Signed | None, staged: Collection[str]
) -> tuple[Applied, list[Message]]:
    """What applying would do now, and the records that do it; none where nothing changes."""
    standing, now = read_standing(addresses), datetime.now(UTC)
    steps = [_staged(step, staged) for step in plan(wanted, standing.policies, day_in_paris(now))]
    applied = Applied(steps, change_set({step.policy.provider: step.digest for step in steps}))
    if all(step.state in {"unchanged", "left"} for step in steps):
        return applied, []
    acts = read_acts(addresses)
    if signed is not None:
        _refuse_stale(signed, acts, now)
    act = PolicyAct(
        act="applied", at=now, by=by, change_set=applied.change_set, signed=signed, previous=previous(acts),
        policies={step.policy.provider: _applied(step) for step in steps}, contracts=(),
    )  # fmt: skip
    return applied, [*_messages(steps), recorded(act)]


def require_topics_of(addresses: Addresses, wanted: Policies) -> None:
    """A provider without its topics would stop the pseudonymiser's heartbeats, and with them every provider.

    Raises:
        WrongSettings: which are missing, and what to run.
    """
    providers = tuple(sorted(wanted))
    require_topics(addresses, (topic.name for topic in expand(providers)), providers)


def judge_change_set(addresses: Addresses, approval: Approval) -> None:
    """Approve or refuse what the set in force erases at once. What is approved is staged no longer, in a new version.

    Raises:
        NotThisSet: another one is in force.
        Unreachable: nothing was written.
    """
    require_topics(addresses, (POLICIES, POLICIES_AUDIT))
    _judging(addresses, approval)
    with fenced(addresses) as producer:
        commit(producer, _judging(addresses, approval))


def _judging(addresses: Addresses, approval: Approval) -> list[Message]:
    standing = read_standing(addresses)
    if standing.change_set != approval.change_set:
        raise NotThisSet(f"the set in force is {standing.change_set}; look at it with `sanctuaire policy pending`")
    steps = [] if approval.verdict == "refused" else _unstaged(standing.policies)
    act = PolicyAct(
        act=approval.verdict, at=approval.at, by=approval.by, change_set=standing.change_set, signed=None,
        policies={step.policy.provider: _applied(step) for step in steps}, contracts=approval.contracts,
        previous=previous(read_acts(addresses)),
    )  # fmt: skip
    value = approval.model_dump_json().encode()
    return [*_messages(steps), (POLICIES, APPROVAL_KEY, value, "approval"), recorded(act)]


@contextmanager
def fenced(addresses: Addresses) -> Iterator[KafkaProducer]:
    """A producer that was opened before anything is read: of two operators at once, the first is fenced off."""
    try:
        with open_producer(addresses, transactional_id=TRANSACTIONAL_ID) as producer:
            producer.init_transactions()
            yield producer
    except KafkaError as error:
        raise Unreachable(
            f"{POLICIES}: the transaction was not committed ({type(error).__name__}), all stays as it was; "
            "run the same command again"
        ) from None


def commit(producer: KafkaProducer, messages: list[Message]) -> None:
    producer.begin_transaction()
    sent = [producer.send(topic, value, key, headers_of(schema, value)) for topic, key, value, schema in messages]
    producer.commit_transaction()
    if not all(each.succeeded() for each in sent):
        raise Unreachable(f"{POLICIES}: Kafka did not acknowledge; run the same command again")


def _messages(steps: list[Step]) -> Iterator[Message]:
    for step in steps:
        if step.state in {"new", "changed"}:
            value = step.policy.model_dump_json(by_alias=True).encode()
            if len(value) > MAX_POLICY_BYTES:
                raise TooLarge(f"{step.policy.provider}: the policy is over {MAX_POLICY_BYTES} bytes")
            yield POLICIES, step.policy.provider.encode(), value, "provider-policy"


def _staged(step: Step, staged: Collection[str]) -> Step:
    if step.state not in {"new", "changed"} or step.policy.provider not in staged:
        return step
    return replace(step, policy=step.policy.model_copy(update={"staged": True}))


def _unstaged(policies: Policies) -> list[Step]:
    return [
        Step(
            policy.model_copy(update={"staged": False, "version": policy.version + 1}), policy_digest(policy), "changed"
        )
        for policy in policies.values()
        if policy.staged
    ]


def recorded(act: PolicyAct) -> Message:
    return POLICIES_AUDIT, None, act.model_dump_json().encode(), "policy-act"


def _applied(step: Step) -> AppliedPolicy:
    return AppliedPolicy(version=step.policy.version, digest=step.digest, state=step.state)


def previous(acts: list[bytes]) -> str | None:
    return link(acts[-1]) if acts else None


def _refuse_stale(signed: Signed, acts: list[bytes], now: datetime) -> None:
    """An old set with its old signature must not come back by itself: to go back to it, it is signed again."""
    if signed.at > now + MAX_AHEAD:
        raise NotSigned("policies.sig: signed at an instant that has not come; set the clock right, and sign again")
    last = max((earlier for act in acts if (earlier := _signed_at(act)) is not None), default=None)
    if last is not None and signed.at < last:
        raise NotSigned("policies.sig: signed before a set that was put in force since; sign it again to go back to it")


def _signed_at(act: bytes) -> datetime | None:
    try:
        signed = parse_payload(PolicyAct, act, MAX_POLICY_BYTES).signed
    except Unreadable:
        return None
    return None if signed is None else signed.at

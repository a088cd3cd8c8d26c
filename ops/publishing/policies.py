"""Policies to `policies.v1`: all that changed, in one transaction, or nothing."""

from collections.abc import Iterable

from kafka import KafkaProducer
from kafka.errors import KafkaError

from ops.policy_files import MAX_POLICY_BYTES, Policies, Step, plan
from ops.publishing.cluster import Addresses, open_producer, read_whole
from services.contract.errors import TooLarge, Unreachable, Unreadable
from services.contract.parsing import parse_payload
from services.contract.policies import ProviderPolicy
from services.contract.topology import POLICIES
from services.ingress.events import headers_of

TRANSACTIONAL_ID = "sanctuaire-policy-apply"


def read_in_force(addresses: Addresses) -> dict[str, ProviderPolicy]:
    """What every stage has in force, read as they read it: a record that cannot be read changes nothing."""
    found: dict[str, ProviderPolicy] = {}
    for _, key, value in read_whole(addresses, POLICIES):
        provider = (key or b"").decode(errors="replace")
        if value is None:
            found.pop(provider, None)
            continue
        try:
            policy = parse_payload(ProviderPolicy, value, MAX_POLICY_BYTES)
        except Unreadable:
            continue
        if policy.provider == provider and (provider not in found or policy.version > found[provider].version):
            found[provider] = policy
    return found


def apply_policies(addresses: Addresses, wanted: Policies) -> list[Step]:
    """Put a set in force, and say what that did to each policy.

    The transaction is opened before the old set is read: of two operators at once, the first is fenced off.

    Raises:
        AmbiguousPolicy: the set that would be in force is ambiguous; the old one stays.
        Unreachable: nothing was put in force.
    """
    try:
        with open_producer(addresses, transactional_id=TRANSACTIONAL_ID) as producer:
            producer.init_transactions()
            steps = plan(wanted, read_in_force(addresses))
            _commit(producer, list(_records(steps)))
    except KafkaError as error:
        raise Unreachable(
            f"{POLICIES}: the transaction was not committed ({type(error).__name__}), the old set stays; "
            "run `sanctuaire policy apply` again"
        ) from None
    return steps


def _commit(producer: KafkaProducer, records: list[tuple[str, bytes]]) -> None:
    if not records:
        return
    producer.begin_transaction()
    sent = [
        producer.send(POLICIES, value, key.encode(), headers_of("provider-policy", value)) for key, value in records
    ]
    producer.commit_transaction()
    if not all(each.succeeded() for each in sent):
        raise Unreachable(f"{POLICIES}: Kafka did not acknowledge; run `sanctuaire policy apply` again")


def _records(steps: Iterable[Step]) -> Iterable[tuple[str, bytes]]:
    for step in steps:
        if step.state in {"new", "changed"}:
            value = step.policy.model_dump_json(by_alias=True).encode()
            if len(value) > MAX_POLICY_BYTES:
                raise TooLarge(f"{step.policy.provider}: the policy is over {MAX_POLICY_BYTES} bytes")
            yield step.policy.provider, value

from services.console.accounts import Ended, Entry
from services.console.withdrawals import Flight, Waiting, follow, quantile_seconds
from services.contract.audit import End, Stage
from services.contract.topology import CONSENTS, WITHDRAWALS

PAIR = "lecture/LEC-2026"
TOLD = "provisioning.withdrawals.lecture.v1"


def account(
    stage: Stage, topic: str, at: float, *ends: tuple[End, str, int], records: int | None = None, partition: int = 3
) -> Entry:
    told = tuple(Ended(PAIR, end, reason, number) for end, reason, number in ends)
    total = sum(number for *_, number in ends) if records is None else records
    return Entry(stage, topic, partition, 100, total, at, told)


def decided(at: float, number: int = 1, topic: str = CONSENTS) -> Entry:
    return account("filtering", topic, at, ("erased", "R1/guardian-opposes", number), records=1)


def renamed(at: float, number: int = 1) -> Entry:
    return account("pseudonymisation", WITHDRAWALS, at, ("erased", "renamed", number))


def acknowledged(at: float, number: int = 1) -> Entry:
    return account("connectors", TOLD, at, ("erased", "delivered", number))


def test_withdrawal_is_on_its_way_from_the_decision_to_the_acknowledgement() -> None:
    flight = follow(Flight(), [decided(1000.0)])
    assert flight.waiting("lecture") == Waiting(1, 1000.0)

    flight = follow(flight, [renamed(1000.4)])
    assert flight.waiting("lecture") == Waiting(1, 1000.0)

    flight = follow(flight, [acknowledged(1002.5)])
    assert flight.waiting("lecture") == Waiting(0, None)
    assert [(one.seconds, one.number) for one in flight.arrived["lecture"]] == [(2.5, 1)]


def test_oldest_is_never_said_to_be_younger_than_it_can_be() -> None:
    """Two of three came through, and the accounts do not say which."""
    flight = follow(Flight(), [decided(1000.0, 2), decided(1005.0), renamed(1001.0, 2), renamed(1006.0)])

    flight = follow(flight, [acknowledged(1007.0, 2)])
    assert flight.waiting("lecture") == Waiting(1, 1000.0)

    flight = follow(flight, [acknowledged(1008.0), decided(1010.0)])
    assert flight.waiting("lecture") == Waiting(1, 1010.0)


def test_later_stage_may_be_heard_first() -> None:
    flight = follow(Flight(), [acknowledged(1002.0)])
    flight = follow(flight, [renamed(1001.0)])
    flight = follow(flight, [decided(1000.0)])

    assert flight.waiting("lecture") == Waiting(0, None)


def test_what_was_decided_before_the_console_began_hides_nothing_that_comes_a_minute_later() -> None:
    flight = follow(Flight(), [renamed(900.0), acknowledged(901.0, 5)])

    flight = follow(flight, [decided(1000.0)])

    assert flight.waiting("lecture") == Waiting(1, 1000.0)


def test_connector_may_find_them_in_another_partition() -> None:
    elsewhere = account("connectors", TOLD, 1003.0, ("erased", "delivered", 1), partition=4)

    assert follow(Flight(), [decided(1000.0), renamed(1001.0), elsewhere]).waiting("lecture") == Waiting(0, None)


def test_partitions_of_the_filter_do_not_answer_for_each_other() -> None:
    elsewhere = account("pseudonymisation", WITHDRAWALS, 1001.0, ("erased", "renamed", 1), partition=4)
    flight = follow(Flight(), [decided(1000.0), elsewhere, acknowledged(1002.0)])

    assert flight.waiting("lecture") == Waiting(1, 1000.0)


def test_erasure_that_takes_nothing_back_is_none() -> None:
    unchanged = account("filtering", CONSENTS, 1000.0, ("erased", "unchanged", 4))

    assert follow(Flight(), [unchanged]).waiting("lecture") == Waiting(0, None)


def test_sweep_s_erasures_go_the_normal_way_and_are_lag() -> None:
    assert follow(Flight(), [decided(1000.0, 7, topic="sweep")]).waiting("lecture") == Waiting(0, None)


def test_restriction_is_on_its_way_from_its_renaming_on() -> None:
    restricted = account("pseudonymisation", WITHDRAWALS, 1001.0, ("held", "renamed", 1))
    flight = follow(Flight(), [restricted])
    assert flight.waiting("lecture") == Waiting(1, 1001.0)

    flight = follow(flight, [account("connectors", TOLD, 1001.5, ("held", "delivered", 1))])
    assert flight.waiting("lecture") == Waiting(0, None)


def test_withdrawal_that_the_pseudonymiser_refuses_is_no_longer_on_its_way() -> None:
    refused = account("pseudonymisation", WITHDRAWALS, 1001.0, ("refused", "superseded", 1))

    assert follow(Flight(), [decided(1000.0), refused]).waiting("lecture") == Waiting(0, None)


def test_latencies_are_those_of_the_last_two_hundred_batches() -> None:
    flight = Flight()
    for number in range(300):
        at = 1000.0 + number
        flight = follow(flight, [decided(at), renamed(at + 0.1), acknowledged(at + 0.5)])

    assert len(flight.arrived["lecture"]) == 200
    assert quantile_seconds(flight.arrived["lecture"], 0.95) == 0.5
    assert quantile_seconds((), 0.95) is None

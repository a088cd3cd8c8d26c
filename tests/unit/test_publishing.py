import json
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError

from ops.publishing.changes import ChangePublisher
from ops.publishing.delivery import Delivery
from services.contract.changes import Change
from services.contract.envelope import Header, binary
from services.contract.errors import TooLarge, Unreachable
from services.ingress.events import headers_of
from services.ingress.identifiers import Identifiers, record_key

CHANGES, IDENTIFIERS = "directory.changes.v1", "directory.identifiers.v1"


class Sent:
    def __init__(self) -> None:
        self.done = False

    def succeeded(self) -> bool:
        return self.done


class FakeProducer:
    """Acknowledges on flush, at most `capacity` records in all; writes down what happened, in order."""

    def __init__(self, capacity: int = 1000) -> None:
        self.log: list[str] = []
        self.values: list[dict[str, Any]] = []
        self._capacity = capacity
        self._waiting: list[Sent] = []

    def send(self, topic: str, value: bytes, key: bytes, headers: list[Header]) -> Sent:
        assert dict(headers)["ce_specversion"] == b"1.0"
        self.log.append(f"{topic.split('.')[1]} {key.decode()}")
        self.values.append(json.loads(value))
        self._waiting.append(Sent())
        return self._waiting[-1]

    def flush(self, timeout: float) -> None:
        assert timeout > 0
        if self._waiting:
            self.log.append("flush")
        for sent in self._waiting[: self._capacity]:
            sent.done = True
        self._capacity -= min(self._capacity, len(self._waiting))
        self._waiting = []
        if not self._capacity:
            raise KafkaTimeoutError


def change(kind: str = "upsert", entity: str = "person", ident: str = "8800001", **attributes: Any) -> Change:
    category = {"person": "pupil", "school": "school", "nomenclature": "mef"}[entity]
    content = {
        "kind": kind, "entity": entity, "category": category, "source": "ac-99", "id": ident,
        "version": "20260915.0.000000001", "attributes": attributes,
    }  # fmt: skip
    return Change.model_validate_json(json.dumps(content))


def publish(producer: FakeProducer, *changes: Change, known: Identifiers | None = None) -> None:
    publisher = ChangePublisher(Delivery(producer), known or Identifiers())
    for each in changes:
        publisher.add(each)
    publisher.settle()


def test_the_key_is_acknowledged_before_the_change_that_relies_on_it_is_sent() -> None:
    producer = FakeProducer()

    publish(producer, change(ine="999000001AB"))

    assert producer.log == ["identifiers ac-99/person/8800001", "flush", "changes 999000001AB", "flush"]


def test_a_patch_and_a_delete_go_where_the_image_went() -> None:
    producer = FakeProducer()

    publish(producer, change(ine="999000001AB"), change("patch", level="6EME"), change("delete"))

    assert [line for line in producer.log if line.startswith("changes")] == ["changes 999000001AB"] * 3


def test_an_ine_that_comes_later_does_not_move_the_person() -> None:
    producer = FakeProducer()

    publish(producer, change(level="6EME"), change(ine="999000001AB"))

    assert producer.log == [
        "identifiers ac-99/person/8800001", "flush", "changes ac-99:8800001", "changes ac-99:8800001", "flush",
    ]  # fmt: skip


def test_a_person_who_was_published_before_is_not_remembered_again() -> None:
    known, producer = Identifiers(), FakeProducer()
    known.learn(change(ine="999000001AB"))

    publish(producer, change("patch", level="6EME"), known=known)

    assert producer.log == ["changes 999000001AB", "flush"]


@pytest.mark.parametrize(
    ("one", "log"),
    [
        pytest.param(
            change(entity="school", ident="7001", uai="0999001w"),
            ["identifiers ac-99/school/7001", "flush", "changes ac-99:7001", "flush"],
            id="a school is remembered by its UAI",
        ),
        pytest.param(
            change(entity="school", ident="7001", uai="0999001X"),
            ["changes ac-99:7001", "flush"],
            id="a wrong UAI is not remembered",
        ),
        pytest.param(
            change(entity="nomenclature", ident="999701", label="6EME"),
            ["changes ac-99:999701", "flush"],
            id="a nomenclature is not remembered",
        ),
    ],
)
def test_what_is_no_person_goes_under_its_source_and_id(one: Change, log: list[str]) -> None:
    producer = FakeProducer()

    publish(producer, one)

    assert producer.log == log


def test_a_school_explains_its_id_from_then_on() -> None:
    known = Identifiers()

    identifier = known.learn(change(entity="school", ident="7001", uai="0999001w"))

    assert identifier is not None
    assert (record_key(identifier), identifier.value) == ("ac-99/school/7001", "0999001W")
    assert known.structures_of("ac-99") == {"7001": "0999001W"}
    assert known.structures_of("ac-98") == {}


def test_a_patch_is_published_as_it_was_said() -> None:
    producer = FakeProducer()

    publish(producer, change("patch", level=None))

    assert producer.values[-1]["attributes"] == {"level": None}


def test_a_change_that_is_too_large_is_refused_alone() -> None:
    producer = FakeProducer()
    publisher = ChangePublisher(Delivery(producer), Identifiers(), limit_bytes=300)

    with pytest.raises(TooLarge):
        publisher.add(change(ident="8800002", family_name="CANARY" * 100))
    publisher.add(change())
    publisher.settle()

    assert producer.log == ["identifiers ac-99/person/8800001", "flush", "changes ac-99:8800001", "flush"]


def test_no_change_is_sent_when_its_key_was_not_acknowledged() -> None:
    producer = FakeProducer(capacity=0)

    with pytest.raises(Unreachable):
        publish(producer, change())

    assert producer.log == ["identifiers ac-99/person/8800001", "flush"]


def test_a_broken_connection_says_how_much_was_acknowledged() -> None:
    producer = FakeProducer(capacity=3)

    with pytest.raises(Unreachable) as broken:
        publish(producer, change(ident="1"), change(ident="2"))

    assert str(broken.value) == (
        "directory.changes.v1: Kafka stopped taking records (no acknowledgement); acknowledged: 1 on "
        "directory.changes.v1, 2 on directory.identifiers.v1; not acknowledged: 1. Run the same command again when "
        "the cluster is back: what is published twice changes nothing"
    )


def test_the_headers_are_those_that_the_services_write() -> None:
    ours = headers_of("change", b"{}")

    assert ours == list(binary("ingress", "change", (dict(ours)["ce_id"] or b"").decode()))


def test_the_same_record_has_the_same_event_id_and_another_has_another() -> None:
    ids = [dict(headers_of("change", value))["ce_id"] for value in (b"{}", b"{}", b"[]")]

    assert ids[0] == ids[1] != ids[2]

"""The benchmark's own arithmetic and words; what it measures is looked at in tests/integration/test_bench.py."""

import json
from xml.etree import ElementTree as ET

import orjson
import pytest
from typer.testing import CliRunner

from ops.benchmarks.bench_policies import FIELDS, bench_policies
from ops.benchmarks.command import app, chosen
from ops.benchmarks.comparing import Output, difference, incomplete, repeated
from ops.benchmarks.engines.job import Job
from ops.benchmarks.engines.step import NotAllowed, Step
from ops.benchmarks.findings import Bar, Chart, Findings, Measured
from ops.benchmarks.measuring import Sample, steady_part
from ops.benchmarks.one_provider import PUPILS, pseudonymising_one
from ops.benchmarks.picture import draw
from ops.benchmarks.report import written
from ops.benchmarks.schools import Emission, emissions, pupil
from services.contract.operations import Pseudonym, Upsert
from services.contract.parsing import parse_payload
from services.contract.releases import Release
from services.pseudonymisation.pseudonym import Pseudonymiser

KEY = bytes(range(32))


def outputs(*digests: str, partition: int = 0) -> list[Output]:
    return [Output("t", partition, offset, digest.encode()) for offset, digest in enumerate(digests)]


def test_the_same_records_in_another_order_are_the_same_work() -> None:
    assert difference(outputs("a", "b"), outputs("b", "a"), whole=True, same_partition=True) is None


def test_a_record_that_came_twice_is_allowed_and_counted() -> None:
    assert difference(outputs("a", "b"), outputs("a", "b", "b"), whole=True, same_partition=True) is None
    assert repeated(outputs("a", "b", "b")) == 1


def test_a_record_that_is_not_ours_is_named_by_its_coordinates_alone() -> None:
    fault = difference(outputs("a", "b"), outputs("a", "secret"), whole=True, same_partition=True)
    assert fault == "1 of 2 records are not ours, the first at t/0/1"


def test_a_missing_record_is_a_fault_unless_the_peer_was_stopped_on_the_way() -> None:
    assert difference(outputs("a", "b"), outputs("a"), whole=True, same_partition=True) == (
        "1 of our 2 records are missing"
    )
    assert difference(outputs("a", "b"), outputs("a"), whole=False, same_partition=True) is None


def test_ours_must_be_whole_and_each_record_there_once() -> None:
    assert incomplete(outputs("a", "b"), 2) is None
    assert incomplete(outputs("a", "a"), 2) == "1 of our own records are there twice"
    assert incomplete(outputs("a"), 2) == "1 records are there, 2 were to come"


def test_the_partition_counts_for_all_who_can_choose_it() -> None:
    elsewhere = outputs("a", partition=1)
    assert difference(outputs("a"), elsewhere, whole=True, same_partition=True) is not None
    assert difference(outputs("a"), elsewhere, whole=True, same_partition=False) is None


def test_the_steady_part_begins_with_a_tenth_and_ends_with_the_last() -> None:
    found = [Output("t", 0, offset, bytes([offset])) for offset in range(100)]
    ends = (0, 5, 20, 60, 100, 100)
    samples = [
        Sample(at=float(second), ends={("t", 0): end}, engine_cpu=2.0 * second, broker_cpu=1.0 * second)
        for second, end in enumerate(ends)
    ]
    speed = steady_part(samples, found, 100)
    assert speed is not None
    assert (speed.records, speed.seconds, speed.rate) == (80, 2.0, 40.0)
    assert speed.engine_cpu == pytest.approx(4.0 / 80 * 1e6)
    assert speed.broker_cpu == pytest.approx(2.0 / 80 * 1e6)


def test_the_marker_of_a_transaction_is_not_taken_for_a_record() -> None:
    # Offsets 10 and 21 are markers: at an end of 22 there are 20 records, not 22.
    found = [Output("t", 0, offset, bytes([offset])) for offset in (*range(10), *range(11, 21))]
    samples = [Sample(float(at), {("t", 0): end}, 0.0, 0.0) for at, end in enumerate((0, 11, 22))]
    speed = steady_part(samples, found, 20)
    assert speed is not None
    assert speed.records == 10


def test_one_look_is_not_enough_to_measure_by() -> None:
    found = [Output("t", 0, offset, bytes([offset])) for offset in range(10)]
    assert steady_part([Sample(0.0, {("t", 0): 10}, 0.0, 0.0)], found, 10) is None


def test_what_is_kept_of_the_rounds_is_median_and_spread() -> None:
    findings = Findings(
        ratios={"a/b": 1.5, "a/c": None}, figures={"a/b/seconds": Measured.of([3.0, 1.0, 2.0])}, missing={"a/c": "no"}
    )
    kept = json.loads(json.dumps(findings.to_json({"cores": 2})))
    assert kept == {
        "ratios": {"a/b": 1.5, "a/c": None},
        "figures": {"a/b/seconds": 2.0},
        "spread": {"a/b/seconds": {"lowest": 1.0, "highest": 3.0, "rounds": 3}},
        "machine": {"cores": 2},
        "missing": {"a/c": "no"},
        "faults": [],
    }


@pytest.mark.parametrize(
    ("value", "quantity", "text"),
    [
        (48_123.4, "records_per_second", "48,123"),
        (21.26, "cpu_seconds_per_million", "21.3"),
        (0.1234, "seconds", "0.123"),
        (0.000_012_3, "seconds_per_record", "12.30 µs"),
        (123_456_789.0, "peak_bytes", "123.5 MB"),
        (350e6, "peak_bytes_per_million_subjects", "350.0 MB"),
        (15.25, "megabytes_per_second", "15.2"),
    ],
)
def test_a_figure_is_written_in_the_unit_that_its_name_ends_in(value: float, quantity: str, text: str) -> None:
    assert written(value, quantity) == text


def test_the_picture_is_sound_xml_and_its_bars_are_to_scale() -> None:
    chart = Chart("A & B", "records a second", (Bar("Ours", 40_000.0, ours=True), Bar("Theirs", 20_000.0, ours=False)))
    root = ET.fromstring(draw([chart]))  # noqa: S314  # our own text
    bars = root.findall("{http://www.w3.org/2000/svg}rect")
    assert [bar.get("class") for bar in bars] == ["ours", "peer"]
    assert float(bars[0].get("width", "0")) == pytest.approx(2 * float(bars[1].get("width", "0")), abs=0.2)
    assert "40\u202f000" in draw([chart])


def test_sections_run_in_their_own_order() -> None:
    assert chosen("pseudonymisation,steps") == ("steps", "pseudonymisation")
    assert chosen(None)[:2] == ("steps", "pseudonymisation")


def test_a_section_that_is_not_there_is_wrong_usage_and_says_which_are() -> None:
    ended = CliRunner().invoke(app, ["--only", "speed"])
    assert ended.exit_code == 2
    assert "steps" in ended.output


def test_the_help_shows_how_it_is_typed_and_how_it_ends() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    assert "sanctuaire bench --quick" in shown
    assert "Exit codes" in shown


def invented(pupils: int) -> list[Emission]:
    return list(emissions(bench_policies(), pupils, 4))


def test_the_input_is_the_same_at_every_run() -> None:
    assert invented(50) == invented(50)


def test_the_input_is_what_the_pseudonymiser_reads() -> None:
    release = parse_payload(Release, invented(1)[0].value, 10_000)
    assert release.fields.keys() == set(FIELDS)
    assert release.named_by.value == pupil(0)[0] == "000000000AA"


def test_a_release_weighs_what_a_release_weighs() -> None:
    sizes = [len(emission.value) for emission in invented(100)]
    assert min(sizes) > 550
    assert max(sizes) < 900


def test_some_of_the_input_comes_again_and_some_comes_late() -> None:
    made = invented(1000)
    assert len(made) - sum(emission.fresh for emission in made) == 3000 // 997 + 3000 // 1994


def peer_step() -> Step:
    policies = bench_policies()
    return Step(
        Job(
            bootstrap="", group="", input="", outputs={name: f"to-{name}" for name in policies}, perimeter="FR",
            keys={f"{name}/{name}-access": KEY.hex() for name in policies},
            allowed={f"{name}/{name}-2026": FIELDS for name in policies},
            policies={name: policy.model_dump_json(by_alias=True) for name, policy in policies.items()},
            versions=dict.fromkeys(policies, 1), folder="",
        )
    )  # fmt: skip


def test_the_peers_step_writes_an_operation_in_the_bytes_of_the_contract() -> None:
    first = invented(1)[0]
    named = peer_step().take(first.value, first.key)
    assert named is not None
    operation = Upsert.model_validate_json(named.value)
    names = Pseudonymiser.under(KEY)
    assert named.topic == "to-alpha"
    assert operation.pseudonym == names.pseudonym("person", "FR", "INE", "000000000AA") == named.key.decode()
    assert operation.event_id == names.event_id(Pseudonym(operation.pseudonym), operation.seq)
    assert operation.fields["school"] == names.pseudonym("school", "FR", "UAI", "0000001B")
    assert operation.fields["divisions"] == [{"id": names.pseudonym("group", "aaf-banc", "local", "0000001B$6E 01")}]
    assert named.value == operation.model_dump_json().encode()


def test_the_peers_step_lets_only_what_is_new_through() -> None:
    step = peer_step()
    assert [step.take(emission.value, emission.key) is not None for emission in invented(1000)] == [
        emission.fresh for emission in invented(1000)
    ]


def test_the_peers_step_refuses_a_field_that_the_contract_does_not_list() -> None:
    release = orjson.loads(invented(1)[0].value)
    release["fields"]["birth_date"] = "2012-01-01"
    with pytest.raises(NotAllowed):
        peer_step().take(orjson.dumps(release), release["subject"].encode())


def test_what_one_record_costs_for_one_provider_is_measured_where_everybody_is_sent_on() -> None:
    handled = pseudonymising_one()

    assert handled.sent == PUPILS
    assert handled.known > handled.coding > 0

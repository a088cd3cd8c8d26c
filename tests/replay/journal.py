"""Scenarios in, journals out: one line a record, without what says nothing new of a decision."""

from pathlib import Path
from typing import Any

import orjson

from tests.replay.invented import example, merged
from tests.replay.rapid import NOW_US, Rapid

SCENARIOS = Path(__file__).parent / "scenarios"
FIXED = frozenset({"policy", "policy_version", "key_serial", "policies", "at", "timestamp_ms", "event_id",
                   "purpose_family", "partition", "stage"})  # fmt: skip
INPUTS = frozenset({"directory.changes.v1", "consents.decisions.v1", "policies.v1"})


async def replay(scenario: Path) -> list[str]:
    """Feed a scenario line by line, each run to its end, and give the journal of all other topics."""
    rapid = Rapid()
    for line in read(scenario):
        put(rapid, orjson.loads(line))
        await rapid.run()
    return [line for topic in sorted(rapid.topics.keys() - INPUTS) for line in journal_of(rapid, topic)]


def read(scenario: Path) -> list[bytes]:
    return scenario.read_bytes().splitlines()


def put(rapid: Rapid, line: dict[str, Any]) -> None:
    """`{"to", "key", "example", "with"}`, `"raw"` for bytes that are no example, or `"judge"` for the set in force."""
    if "judge" in line:
        rapid.judge(line["judge"])
        return
    key = None if line.get("key") is None else line["key"].encode()
    value = None if line.get("raw", "") is None else line.get("raw", "").encode()
    if "example" in line:
        value = orjson.dumps(merged(example(line["example"]), line.get("with", {})))
    rapid.put(line["to"], key, value)


def journal_of(rapid: Rapid, topic: str) -> list[str]:
    lines = []
    for row in rapid.topics[topic]:
        value = None if row.value is None else shortened(orjson.loads(row.value))
        entry = {"topic": topic, "key": None if row.key is None else row.key.decode(), "value": value}
        lines.append(orjson.dumps(entry).decode())
    return lines


def shortened(value: dict[str, Any]) -> dict[str, Any]:
    """`seq` counts from the clock; an identifier is its type."""
    short = {name: inner for name, inner in value.items() if name not in FIXED}
    if "seq" in short:
        short["seq"] -= NOW_US
    if "named_by" in short:
        short["named_by"] = short["named_by"]["type"]
    return short

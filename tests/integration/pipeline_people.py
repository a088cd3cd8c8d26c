"""A stream of invented pupils: who joins, moves, leaves and consents, and what a provider must know in the end."""

import random
from collections.abc import Iterator
from typing import Any

import orjson

from services.contract.topology import CHANGES, CONSENTS, POLICIES
from services.pseudonymisation.keyring import Keyring
from tests.integration.pipeline_stages import Message
from tests.replay.invented import contract_with, example
from tests.replay.rapid import Rapid

LEVELS = ("6EME", "5EME", "4EME", "3EME")


def ine(number: int) -> str:
    return f"{999_000_000 + number:09d}ZZ"


def policies(version: int = 10) -> list[Message]:
    """The school service and the one by consent, both without an end."""
    return [
        (POLICIES, provider.encode(), orjson.dumps(example(f"provider-policy/1/{name}", **of(name, provider, version))))
        for provider, name in (("gar", "public-task"), ("lecture", "consent-service"))
    ]


def of(name: str, provider: str, version: int) -> dict[str, Any]:
    places = example("provider-policy/1/public-task")["places"]
    for place in places:
        place["secnumcloud"] = None
    contracts = contract_with(name, until=None)
    return {"provider": provider, "version": version, "places": places, "contracts": contracts}


def joins(number: int, version: str = "20260901.0.000000001", **attributes: Any) -> Message:
    said = {"ine": ine(number), "birth_date": "2014-01-31", **attributes}
    change = example("change/1/pupil-joins", id=f"p-{number}", version=version, attributes=said)
    return CHANGES, ine(number).encode(), orjson.dumps(change)


def moves(number: int, version: str, level: str) -> Message:
    change = example("change/1/platform-says-more-than-we-name", id=f"p-{number}", version=version)
    return CHANGES, ine(number).encode(), orjson.dumps(change | {"attributes": {"level": level}})


def leaves(number: int, version: str) -> Message:
    change = example("change/1/pupil-leaves", id=f"p-{number}", version=version)
    return CHANGES, ine(number).encode(), orjson.dumps(change)


def decides(number: int, party: str, status: str, at: str) -> Message:
    name = "child-gives" if party == "child" else "guardian-gives"
    decision = example(f"consent-decision/1/{name}", subject=ine(number), status=status, at=at, until=None)
    return CONSENTS, ine(number).encode(), orjson.dumps(decision)


def stream(seed: int, count: int, people: int) -> Iterator[Message]:
    """`count` messages about `people` pupils, some of them told twice, some late."""
    chance = random.Random(seed)  # noqa: S311  # a test's stream is to be the same again
    for number in range(count):
        who = chance.randrange(people)
        version = f"20260915.1.{max(1, number - chance.randrange(40)):09d}"
        at = f"2026-09-{1 + number % 28:02d}T10:00:00+02:00"
        match chance.randrange(8):
            case 0 | 1 | 2:
                yield joins(who, version, level=chance.choice(LEVELS))
            case 3 | 4:
                yield moves(who, version, chance.choice(LEVELS))
            case 5:
                yield leaves(who, version)
            case 6:
                yield decides(who, "child", chance.choice(("given", "given", "withdrawn")), at)
            case _:
                yield decides(who, "guardian", chance.choice(("given", "given", "refused")), at)


async def expected(messages: list[Message], keyring: Keyring, clock_us: int) -> dict[str, dict[str, Any]]:
    """What each provider must know after these messages: the reference, without broker or crash."""
    rapid = Rapid(("gar", "lecture"), keyring, lambda: clock_us)
    for message in messages:
        rapid.put(*message)
    await rapid.run()
    return {name: known_of(rapid, name) for name in ("gar", "lecture")}


def known_of(rapid: Rapid, provider: str) -> dict[str, Any]:
    rows = rapid.topics.get(f"providers.{provider}.directory.v1", ())
    last = {(row.key or b"").decode(): row.value for row in rows}
    return {name: orjson.loads(value) for name, value in last.items() if value is not None}

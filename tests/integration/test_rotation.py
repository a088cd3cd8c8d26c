"""A rotation of real processes on a real broker: killed in the middle, retired, its old root destroyed by two."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.broker.embedded import EmbeddedBroker
from ops.cli import main
from ops.policy_signatures import generate
from services.contract.topology import OPERATIONS, POLICIES, READS_AUDIT, named_for
from tests.integration.pipeline_people import ine, joins, leaves, moves, policies
from tests.integration.pipeline_stages import Stages, installation, wait_for
from tests.integration.rotated_topic import keyring_of, keys, known_at, last_words, names_of, reached

pytestmark = pytest.mark.broker

PEOPLE = 2_500
LEAVE = range(200)
SECONDS = 60.0


@pytest.fixture
def stages(own_broker: EmbeddedBroker, tmp_path: Path) -> Iterator[Stages]:
    """Everybody is known to the one provider there is."""
    with installation(own_broker.bootstrap, tmp_path, partitions=2) as made:
        made.publish([each for each in policies() if each[:2] == (POLICIES, b"gar")])
        for name in made.names:
            made.start(name)
        made.publish(joins(number) for number in range(PEOPLE))
        assert wait_for(lambda: len(made.directory("gar")) == PEOPLE, SECONDS)
        yield made


def rotated(stages: Stages) -> int:
    return sum("renamed_to" in each for each in stages.values(named_for(OPERATIONS, "gar")))


Operators = tuple[Path, Path, Path]


def operators(folder: Path) -> Operators:
    """Two signing keys, and the file of both public keys."""
    one, other = generate(folder / "one"), generate(folder / "other")
    trusted = folder / "operators.pub"
    trusted.write_bytes(one.trusted.read_bytes() + other.trusted.read_bytes())
    return one.private, other.private, trusted


def test_rotation_that_is_killed_twice_ends_with_everybody_under_one_new_name(
    stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    before = names_of(keyring_of(stages), range(PEOPLE))
    begun = keys(stages, "rotate", "--by", "A. Operator")
    too_early = keys(stages, "retire")
    told = [0]
    for share in (1, 2):
        before_it = reached(stages, OPERATIONS)
        assert wait_for(lambda: reached(stages, OPERATIONS) > before_it, SECONDS)  # noqa: B023  # waited for at once
        stages.kill("pseudonymisation")
        told.append(rotated(stages))
        # Else the filter would have gone over everybody before the pseudonymiser is back.
        stages.stop("filtering")
        stages.publish(moves(number, f"2026091{share}.1.000000001", "4EME") for number in range(PEOPLE - 500, PEOPLE))
        stages.publish(leaves(number, "20261001.1.000000001") for number in LEAVE[share - 1 :: 2])
        stages.start("pseudonymisation")
        stages.start("filtering")
    keyring = keyring_of(stages)
    after = names_of(keyring, range(len(LEAVE), PEOPLE))

    assert (begun, too_early) == (0, 1)
    assert 0 < told[1] < told[2] < PEOPLE - len(LEAVE)
    assert wait_for(lambda: stages.directory("gar").keys() == after, SECONDS)
    assert before.isdisjoint(after)
    assert wait_for(lambda: keys(stages, "retire", "--by", "A. Operator") == 0, SECONDS)
    assert [known for known in known_at(stages) if known.keys() != after] == []
    assert {name for name, value in last_words(stages).items() if value is None} >= before
    assert {each["level"] for each in _fields(stages) if each["level"] == "4EME"} == {"4EME"}
    trusted = operators(stages.folder)
    _finds(stages, trusted, capsys)
    _destroys(stages, trusted, capsys)
    stages.publish([moves(PEOPLE - 1, "20261101.1.000000001", "3EME")])
    assert wait_for(lambda: "3EME" in {each["level"] for each in _fields(stages)}, SECONDS)
    assert stages.directory("gar").keys() == after


def _fields(stages: Stages) -> list[dict[str, str]]:
    return [each["fields"] for each in stages.directory("gar").values()]


def _finds(stages: Stages, trusted: Operators, capsys: pytest.CaptureFixture[str]) -> None:
    """A family is told the name, and two operators find the pupil by it; both are on record and name nobody."""
    pupil, folder, kafka = ine(PEOPLE - 1), str(stages.folder / "keys"), ("--bootstrap", stages.bootstrap)
    capsys.readouterr()
    told = main(["pseudonyms-of", pupil, "--keys", folder, "--json", "--by", "A", *kafka])
    (row,) = json.loads(capsys.readouterr().out)
    find = ["reidentify", "gar", row["pseudonym"], "--keys", folder, *kafka]
    first, second = (("--trusted", str(trusted[2]), "--key", str(key)) for key in trusted[:2])
    request = str(stages.folder / "find.json")
    asked = main([*find, *first, "--request", request, "--reference", "INC-1", "--by", "A"])
    alone = main([*find, *first, "--confirm", request, "--by", "A"])
    capsys.readouterr()
    found = main([*find, *second, "--confirm", request, "--by", "B"])
    shown = capsys.readouterr().out
    acts = stages.values(READS_AUDIT)

    assert {row["pseudonym"]} == names_of(keyring_of(stages), range(PEOPLE - 1, PEOPLE))
    assert (told, asked, alone, found, shown) == (0, 0, 65, 0, f"{pupil}\n")
    assert [act["act"] for act in acts] == ["pseudonyms-told", "found"]
    assert [each["by"] for each in acts[-1]["signed"]] == ["A", "B"]
    assert pupil not in json.dumps(acts)


def _destroys(stages: Stages, trusted_keys: Operators, capsys: pytest.CaptureFixture[str]) -> None:
    """Only two operators do, and every step is on record."""
    one, other, trusted = trusted_keys
    request = str(stages.folder / "request.json")
    first, second = (("--trusted", str(trusted), "--key", str(key)) for key in (one, other))
    asked = keys(stages, "destroy", "1", *first, "--request", request, "--reference", "D-1", "--by", "A")
    alone = keys(stages, "destroy", "1", *first, "--confirm", request, "--by", "B")
    confirmed = keys(stages, "destroy", "1", *second, "--confirm", request, "--by", "B")
    capsys.readouterr()
    logged = main(["keys", "log", "--json", "--bootstrap", stages.bootstrap])
    acts = json.loads(capsys.readouterr().out)

    assert (asked, alone, confirmed, logged) == (0, 65, 0, 0)
    assert [str(epoch.state) for epoch in keyring_of(stages).epochs] == ["destroyed", "active"]
    assert [act["act"] for act in acts["acts"]] == ["rotated", "retired", "destruction-requested", "destroyed"]
    assert [each["by"] for each in acts["acts"][-1]["signed"]] == ["A", "B"]
    assert acts["broken_at"] is None

"""Where old and new name would lie in different partitions, names are not changed yet (decisions/0020)."""

from pathlib import Path

import pytest

from ops.broker.embedded import EmbeddedBroker
from ops.cli import main
from services.contract.topology import KEYS_AUDIT, POLICIES
from tests.integration.pipeline_stages import installation

pytestmark = pytest.mark.broker


@pytest.mark.parametrize(
    "command", [["rotate"], ["rotate", "--prepare"], ["rotate", "--later"], ["rekey-provider", "gar"], ["announce"]],
    ids=" ".join,
)  # fmt: skip
def test_names_are_not_changed_on_several_partitions_and_nothing_is_written(
    command: list[str], own_broker: EmbeddedBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with installation(own_broker.bootstrap, tmp_path, partitions=2) as made:
        sealed = (tmp_path / "keys" / "keyring.sealed").read_bytes()
        folder = str(tmp_path / "keys")
        code = main(["keys", *command, "--directory", folder, "--bootstrap", made.bootstrap])
        acts, order = made.values(KEYS_AUDIT), made.values(POLICIES)

    assert code == 78
    assert "not open yet on 2 partitions" in capsys.readouterr().err
    assert (acts, order) == ([], [])
    assert (tmp_path / "keys" / "keyring.sealed").read_bytes() == sealed

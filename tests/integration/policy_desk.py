"""An operator's desk: her folder of policies, her key, and the commands as she types them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops.cli import main
from tests.unit.edited import edit


@dataclass(frozen=True, slots=True)
class Desk:
    """Works on the cluster that KAFKA_BOOTSTRAP names."""

    policies: Path
    keys: Path
    capsys: pytest.CaptureFixture[str]

    def edit(self, file: str, old: str, new: str) -> None:
        edit(self.policies / file, old, new)

    def run(self, *arguments: str) -> tuple[int, Any, str]:
        """Exit code, what was printed (as JSON where it is), and what was said."""
        self.capsys.readouterr()
        code = main(["policy", *arguments])
        said = self.capsys.readouterr()
        return code, json.loads(said.out) if said.out.startswith("{") else said.out, said.err

    def sign(self) -> None:
        code, _, said = self.run("sign", str(self.policies), "--key", str(self.keys / "policies.key"), "--json")
        assert (code, said) == (0, "")

    def apply(self, *options: str) -> tuple[int, Any, str]:
        trusted = str(self.keys / "policies.pub")
        return self.run("apply", str(self.policies), "--trusted", trusted, "--by", "exploitation", "--json", *options)

    def sign_and_apply(self, *options: str) -> dict[str, Any]:
        self.sign()
        code, shown, said = self.apply(*options)
        assert code == 0, said
        applied: dict[str, Any] = shown
        return applied


def states(applied: dict[str, Any]) -> dict[str, tuple[int, str]]:
    return {row["provider"]: (row["version"], row["state"]) for row in applied["policies"]}

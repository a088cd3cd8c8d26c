import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

from ops.rendering.examples import SCHEMAS
from ops.rendering.files import ROOT
from services.contract.topology import expand

PARSER = "@asyncapi/parser"
VERSION = "3.6.3"
CACHE = ROOT / ".cache" / "asyncapi"
INSTALL = ["npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts",
           "--fetch-retries", "1", "--prefix", str(CACHE), f"{PARSER}@{VERSION}"]  # fmt: skip
DOCUMENT = SCHEMAS / "asyncapi.yaml"


@pytest.fixture(scope="module")
def validator() -> list[str]:
    """The command of the AsyncAPI project's own parser; skips on a desk without npm, fails in CI."""
    if not shutil.which("npm"):
        _give_up("npm is not on this machine")
    if _installed() != VERSION:
        CACHE.mkdir(parents=True, exist_ok=True)
        # The time limit of a test is 120 s; a registry that does not answer must not use it up.
        try:
            subprocess.run(INSTALL, capture_output=True, check=True, timeout=90)
        except subprocess.SubprocessError as error:
            _give_up(f"npm could not install {PARSER} ({type(error).__name__})")
    return ["node", str(Path(__file__).with_name("validate_asyncapi.cjs"))]


def _installed() -> str | None:
    package = CACHE / "node_modules" / PARSER / "package.json"
    return json.loads(package.read_text(encoding="utf-8"))["version"] if package.exists() else None


def _give_up(why: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}, and CI must not skip this")
    pytest.skip(why)


def run(validator: list[str], document: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"NODE_PATH": str(CACHE / "node_modules")}
    return subprocess.run(
        [*validator, str(document)], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def rendered() -> Any:
    return yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))


def test_document_is_valid_for_the_parser_of_the_standard(validator: list[str]) -> None:
    done = run(validator, DOCUMENT)

    assert done.returncode == 0, done.stdout
    assert f"channels: {len(expand(('<provider>',)))}, " in done.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("asyncapi: 3.0.0", "asyncapi: 2.9.9", id="another-standard"),
        pytest.param("action: send", "action: shout", id="an-operation-that-is-none"),
        pytest.param("./release.v1.schema.json", "./no-such.v1.schema.json", id="a-schema-that-is-not-there"),
        pytest.param("address: policies.v1", "addres: policies.v1", id="a-field-that-the-standard-does-not-have"),
    ],
)
def test_parser_refuses_what_is_wrong(validator: list[str], tmp_path: Path, right: str, wrong: str) -> None:
    shutil.copytree(SCHEMAS, tmp_path / "schemas")
    spoilt = tmp_path / "schemas" / "asyncapi.yaml"
    text = spoilt.read_text(encoding="utf-8")
    assert right in text
    spoilt.write_text(text.replace(right, wrong), encoding="utf-8")

    done = run(validator, spoilt)

    assert done.returncode == 1


def test_document_has_a_channel_for_every_topic_and_no_other() -> None:
    addresses = [channel["address"] for channel in rendered()["channels"].values()]

    assert addresses == [topic.name.replace("<", "{").replace(">", "}") for topic in expand(("<provider>",))]


def test_each_channel_has_one_sender() -> None:
    senders = [
        operation["channel"]["$ref"] for operation in rendered()["operations"].values() if operation["action"] == "send"
    ]

    assert senders == [f"#/channels/{name}" for name in rendered()["channels"]]


def test_each_payload_is_a_reference_to_its_schema_file() -> None:
    payloads = {name: message["payload"] for name, message in rendered()["components"]["messages"].items()}
    files = {name: payload["$ref"].split("#")[0] for name, payload in payloads.items() if "$ref" in payload}

    assert payloads.keys() - files.keys() == {"State", "Tombstone"}
    assert [file for file in files.values() if not (SCHEMAS / file).is_file()] == []

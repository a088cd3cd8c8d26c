import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]


def environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if name != "KAFKA_BOOTSTRAP"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ops.cli", *arguments]


def children_with(folder: Path) -> list[int]:
    """Processes that were told of this folder in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str(folder).encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_demonstration_is_reconciled_and_leaves_nothing_behind(tmp_path: Path) -> None:
    summary_file, kept = tmp_path / "summary.json", tmp_path / "kept"
    arguments = ("--json", str(summary_file), "--schools", "1", "--pupils", "60", "--keep", str(kept))

    ran = subprocess.run(
        command("demo", *arguments),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    summary = json.loads(summary_file.read_text("utf-8"))
    assert summary["reconciled"] is True
    assert summary["canaries_found"] == 0
    assert summary["quarantined"] == 0
    assert set(summary["providers"]) == {"gar", "lecture", "suite"}
    for numbers in summary["providers"].values():
        ends = sum(numbers[end] for end in ("released", "unchanged", "held", "erased", "refused"))
        assert ends + sum(numbers["withheld"].values()) == summary["changes"] + summary["consents"]
    assert summary["providers"]["gar"]["known"] > summary["providers"]["lecture"]["known"] > 0
    assert summary["providers"]["lecture"]["erased"] >= 2
    assert summary["providers"]["suite"]["released"] == 0
    assert summary["providers"]["suite"]["withheld"]["dpf-not-allowed"] > 0
    assert "\x1b" not in ran.stdout
    assert children_with(kept) == []


def metrics(addresses: str, service: str) -> str:
    """The metrics of a service, where `up` said that they are."""
    (address,) = re.findall(rf"^{service} +http://(\S+)/livez", addresses, re.MULTILINE)
    with closing(HTTPConnection(address, timeout=10)) as connection:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()


def inputs_seen(addresses: str, least: int) -> int:
    """Sign in as `up` said at its first start, and look until that many inputs were decided; how many were."""
    found = re.search(
        r"^console +(http://\S+)/$\n +account (\w+), password (\S+) \(said once\)$", addresses, re.MULTILINE
    )
    assert found is not None, addresses
    url, name, password = found.groups()
    with httpx.Client(base_url=url, timeout=10.0, headers={"Accept": "text/html"}) as client:
        token = re.search(r'name="token" value="([^"]+)"', client.get("/login").text)
        form = {"name": name, "password": password, "token": token[1] if token else ""}
        assert client.post("/login", data=form).headers["location"] == "/"
        deadline, seen = time.monotonic() + 60, 0
        while seen < least and time.monotonic() < deadline:
            time.sleep(0.2)
            seen = sum(client.get("/minutes.json").json()["filtering"])
        return seen


def test_up_shares_a_stage_among_its_workers_stays_until_it_is_asked_to_end_and_keeps_its_keys(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    options = ("--partitions", "2", "--workers", "filtering=2", "--synthetic", "10")
    arguments = command("up", "--folder", str(folder), *options)
    log = tmp_path / "up.log"
    with (
        log.open("wb") as sink,
        subprocess.Popen(arguments, cwd=ROOT, env=environment(), stdout=sink, stderr=sink) as running,
    ):
        deadline = time.monotonic() + 120
        while "Ctrl-C" not in log.read_text("utf-8") and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        addresses = log.read_text("utf-8")
        shown = [metrics(addresses, f"filtering-{number}") for number in (1, 2)] if "Ctrl-C" in addresses else []
        # The school that is published first is some three hundred people; more than that is what happens to them then.
        seen = inputs_seen(addresses, 600)
        running.send_signal(signal.SIGTERM)
        status = running.wait(60)

    assert status == 0, log.read_text("utf-8")
    assert ['sanctuaire_partitions{stage="filtering",state="open"} 1.0' in page for page in shown] == [True, True]
    assert seen >= 600
    account = folder / "keys/operator.json"
    assert account.stat().st_mode & 0o077 == 0
    said = (folder / "services/services.log").read_text("utf-8")
    first, *then = re.findall(r"(\S+) +INFO +stopped", said)
    assert (first, sorted(then[:2])) == ("ingress", ["filtering-1", "filtering-2"])
    assert re.search(r"^post +http://127\.0\.0\.1:\d+/v1/consents", addresses, re.MULTILINE)
    assert "the data are kept" in log.read_text("utf-8")
    assert (folder / "keys/keyring.sealed").exists()
    assert children_with(folder) == []

"""A console that runs beside the stages, and a browser that looks at it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from playwright.sync_api import Browser, Page, sync_playwright

from ops import operators
from ops.broker.ports import free_ports
from services.contract.topology import POLICIES
from tests.integration.pipeline_people import of
from tests.integration.pipeline_stages import Message, Stages, installation, wait_for
from tests.replay.invented import contract_with, example

CHROMIUM = "/usr/bin/chromium"
LOOK_SECONDS = 0.25
"""A verdict rests on fifteen of these."""
XSS = "<img src=x onerror=document.title='run'><script>document.title='run'</script>"
CASES = {"gar": "public-task", "lecture": "consent-service"}


def policy(provider: str, version: int = 10) -> Message:
    """At once, without a window; and named by somebody who means harm."""
    case = CASES[provider]
    contracts = contract_with(case, until=None, release_window_seconds=0)
    told = example(f"provider-policy/1/{case}", **{**of(case, provider, version), "contracts": contracts})
    return POLICIES, provider.encode(), orjson.dumps({**told, "name": f"{provider} {XSS}"[:120]})


@dataclass
class Watched:
    """The stages, the console beside them, and how to get in."""

    stages: Stages
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self, *names: str) -> bool:
        words = [self.stages.folder / name / "health.json" for name in names]
        return all(word.exists() and orjson.loads(word.read_bytes())["ready"] for word in words)

    def start_console(self) -> None:
        (self.stages.folder / "console/health.json").unlink(missing_ok=True)
        self.stages.start("console")
        assert wait_for(lambda: self.is_ready("console")), (self.stages.folder / "console/log.jsonl").read_text("utf-8")

    def sign_in(self, page: Page) -> None:
        sign_in(page, self.url, self.password)


def sign_in(page: Page, url: str, password: str) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#link.live").wait_for()


@contextmanager
def watched(bootstrap: str, folder: Path, started: tuple[str, ...]) -> Iterator[Watched]:
    """A Kafka that is ours alone is at `bootstrap`; these stages run."""
    (port,) = free_ports(1)
    account = folder / "operator.json"
    password = operators.renew(account, "operator", os.urandom)
    environment = {
        "SANCTUAIRE_OPERATOR_FILE": str(account),
        "SANCTUAIRE_CONSOLE_ADDRESS": f"127.0.0.1:{port}",
        "SANCTUAIRE_CONSOLE_LOOK_SECONDS": str(LOOK_SECONDS),
    }
    with installation(bootstrap, folder, ("gar", "lecture"), environment=environment) as stages:
        stages.publish([policy("gar"), policy("lecture")])
        for name in started:
            stages.start(name)
        made = Watched(stages, port, password)
        made.start_console()
        assert wait_for(lambda: made.is_ready(*started))
        yield made


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def violations(page: Page, axe: Path) -> list[dict[str, Any]]:
    """What axe-core finds of serious or critical impact; it is put there past the page's own policy."""
    page.evaluate(axe.read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    return [
        {"rule": one["id"], "where": [node["target"] for node in one["nodes"]]}
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]

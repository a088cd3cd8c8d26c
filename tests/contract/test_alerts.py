import json
import os
import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.rendering.files import ROOT
from services.runtime.metrics import REGISTRY

ALERTS = ROOT / "ops/alerts"
RUNBOOKS = ROOT / "ops/runbooks"
DASHBOARD = ROOT / "ops/dashboards/sanctuaire.json"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ALERTS / "sanctuaire.rules.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
NAME = re.compile(r"sanctuaire_[a-z_]+")


def metrics() -> set[str]:
    """Every name that some service exports, as Prometheus stores it."""
    for module in ("services.ingress.measures", "services.console.measures"):
        import_module(module)
    found: set[str] = set()
    for metric in REGISTRY.collect():
        found.add(f"{metric.name}_total" if metric.type == "counter" else metric.name)
        if metric.type == "histogram":
            found |= {f"{metric.name}_{part}" for part in ("bucket", "sum", "count")}
    return found


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which("promtool"):
        if os.environ.get("CI") == "true":
            pytest.fail("promtool is missing (Debian: apt-get install prometheus), and CI must not skip this")
        pytest.skip("promtool is not on this machine (Debian: apt-get install prometheus)")
    return subprocess.run(["promtool", *arguments], cwd=ALERTS, capture_output=True, text=True, check=False, timeout=60)


def unknown(text: str) -> list[str]:
    return sorted(set(NAME.findall(text)) - metrics())


def test_rules_are_valid_for_prometheus_own_tool() -> None:
    done = promtool("check", "rules", "sanctuaire.rules.yml")

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(RULES)} rules found" in done.stdout


def test_each_rule_fires_on_its_series_and_on_no_other() -> None:
    done = promtool("test", "rules", "sanctuaire.tests.yml")

    assert done.returncode == 0, done.stdout + done.stderr


def test_test_of_the_rules_can_fail(tmp_path: Path) -> None:
    for file in ALERTS.glob("*.yml"):
        (tmp_path / file.name).write_text(file.read_text("utf-8").replace("> 60", "> 600"), "utf-8")

    assert promtool("test", "rules", str(tmp_path / "sanctuaire.tests.yml")).returncode != 0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_names_metrics_that_exist_and_a_runbook_that_says_what_to_do(rule: dict[str, Any]) -> None:
    runbook = (ROOT / rule["annotations"]["runbook"]).read_text("utf-8")

    assert unknown(rule["expr"]) == []
    assert runbook.startswith(f"# {rule['alert']}\n")
    assert [part for part in ("**It says**", "## Look", "## Do", "**Over when**") if part not in runbook] == []
    assert unknown(runbook) == []


def test_there_is_no_runbook_without_an_alert_and_all_are_listed() -> None:
    named = {Path(rule["annotations"]["runbook"]).name for rule in RULES}
    listed = (RUNBOOKS / "README.md").read_text("utf-8")

    assert {file.name for file in RUNBOOKS.glob("*.md")} - {"README.md"} == named
    assert [name for name in named if f"({name})" not in listed] == []


def test_every_alert_has_a_test() -> None:
    tests = yaml.safe_load((ALERTS / "sanctuaire.tests.yml").read_text("utf-8"))["tests"]
    tested = {one["alertname"] for test in tests for one in test["alert_rule_test"] if one["exp_alerts"]}

    assert tested == {rule["alert"] for rule in RULES}


def test_dashboard_is_json_that_names_only_metrics_that_exist() -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]

    assert len(asked) >= 10
    assert unknown("\n".join(asked)) == []
    assert all(NAME.search(one) for one in asked)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert all("gridPos" in panel and panel["title"] for panel in dashboard["panels"])

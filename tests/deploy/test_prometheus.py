"""The alerting rules and the metrics, as Prometheus' own promtool reads them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from core.health.warnings import CODES
from tests.helpers.running_collector import view, wait_for

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "prometheus"
DOCS = (ROOT / "docs" / "health.md").read_text("utf-8")

needs_promtool = pytest.mark.long


def promtool(*arguments: str | Path, given: str = "") -> str:
    """What it says; fails when it finds a fault."""
    found = shutil.which("promtool")
    if found is None:
        pytest.fail("No promtool: run sh tests/install_deploy_tools.sh.", pytrace=False)
    done = subprocess.run([found, *arguments], input=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_promtool
def test_rules_are_sound_and_fire_when_they_should() -> None:
    assert "SUCCESS: 9 rules found" in promtool("check", "rules", DEPLOY / "rules.yaml")
    promtool("test", "rules", ROOT / "tests" / "deploy" / "prometheus_rules.yaml")


@needs_promtool
def test_scrape_example_is_sound() -> None:
    promtool("check", "config", "--syntax-only", DEPLOY / "scrape.yaml")


@needs_promtool
def test_metrics_follow_the_conventions(run_collector, database_url, monkeypatch) -> None:
    monkeypatch.setattr("collector.background.HEALTH_EVERY", 0.1)
    collector = run_collector(database_url)
    collector.post(view())

    def text() -> str:
        return collector.http.get("/metrics").text

    wait_for(lambda: "monitor_last_beacon_timestamp_seconds{" in text())
    assert promtool("check", "metrics", given=text()) == ""


def test_every_metric_is_documented_and_no_other(run_collector, sqlite_url, monkeypatch) -> None:
    monkeypatch.setattr("collector.background.HEALTH_EVERY", 0.1)
    collector = run_collector(sqlite_url)

    def metrics() -> set[str]:
        return set(re.findall(r"^# TYPE (\w+)", collector.http.get("/metrics").text, re.MULTILINE))

    wait_for(lambda: "monitor_warnings" in metrics())
    table = DOCS.split("\n## Metrics\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`monitor.+?) \|", table, re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`(\w+)", row)}
    assert {name for name in metrics() if not name.endswith("_created")} == documented


def test_rules_name_only_metrics_and_warnings_that_exist() -> None:
    rules = (DEPLOY / "rules.yaml").read_text("utf-8")
    assert set(re.findall(r"\b(monitor_\w+)", rules)) <= set(re.findall(r"`(monitor_\w+)", DOCS))
    named = re.findall(r'code=~?"([^"]+)"', rules)
    assert {code for each in named for code in each.split("|")} <= set(CODES)

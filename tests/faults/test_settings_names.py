"""A setting whose name is misspelt is never silently without effect."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.collector_process import CollectorProcess
from tests.helpers.running_monitor import running_monitor

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "collector": ("-m", "collector"),
    "dashboard": ("-m", "pages"),
    "dashboard of streamlit": ("-m", "streamlit", "run", "app.py", "--server.port", "0"),
    "command": ("-m", "core", "site", "list"),
    "backup": ("-m", "core", "backup", "copy.db"),
    "both": ("run.py",),
    "both for good": ("-m", "supervision"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_misspelt_setting_is_refused_with_the_name_that_was_meant(tmp_path, command):
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ
        | {
            "MONITOR_DATABASE_URL": f"sqlite:///{tmp_path / 'monitor.db'}",
            "MONITOR_RETENTON_DAYS": "7",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == os.EX_CONFIG
    assert done.stderr == (
        "MONITOR_RETENTON_DAYS is no setting: write MONITOR_RETENTION_DAYS, or leave it out.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_other_unknown_setting_is_told_once_by_each_process(tmp_path):
    with running_monitor(
        tmp_path,
        MONITOR_COLOUR="blue",
        MONITOR_PORT_8600_TCP="tcp://10.0.0.1:8600",
        MONITOR_SERVICE_HOST="10.0.0.1",
    ) as monitor:
        told = [line for line in monitor.printed.splitlines() if "unknown_setting" in line]

    assert len(told) == 2
    assert all("MONITOR_COLOUR has no effect" in line for line in told)


def test_unknown_setting_is_told_as_a_line_of_the_log(tmp_path):
    process = CollectorProcess(
        tmp_path, ["shop1"], MONITOR_COLOUR="blue", MONITOR_LOG_FORMAT="json"
    )
    process.start()
    process.stop()

    [line] = [each for each in process.log.read_text().splitlines() if "COLOUR" in each]
    assert line.startswith('{"time": ')

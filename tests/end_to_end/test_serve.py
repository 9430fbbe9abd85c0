"""`make serve`: both processes are kept running, and what no restart cures ends it with the reason."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.running_collector import wait_for
from tests.helpers.running_monitor import (
    STARTS_WITHIN,
    RunningMonitor,
    answers,
    free_ports,
    start,
)

SERVE = ("-m", "supervision")


@contextmanager
def serving(
    folder: Path, *options: str, log: str = "run.log", **variables: str
) -> Iterator[RunningMonitor]:
    """make serve without make, once both answer; log: where its own lines are."""
    ports = free_ports()
    process = start(folder, folder / "run.log", ports, *SERVE, *options, **variables)
    monitor = RunningMonitor(process, folder / log, ports)
    try:
        wait_for(
            lambda: (
                (folder / log).exists() and "part_started part='The dashboard'" in monitor.printed
            ),
            STARTS_WITHIN,
        )
        yield monitor
    finally:
        if process.poll() is None:
            monitor.end(signal.SIGTERM)


def collector_of(monitor: RunningMonitor) -> str:
    return f"http://127.0.0.1:{monitor.ports['collector']}/readyz"


def dashboard_of(monitor: RunningMonitor) -> str:
    return f"http://127.0.0.1:{monitor.ports['dashboard']}/_stcore/health"


@pytest.mark.long
def test_each_starts_again_when_it_dies_and_the_other_one_runs_on(tmp_path: Path) -> None:
    with serving(tmp_path) as monitor:
        collector, dashboard = monitor.part("collector"), monitor.part("streamlit")

        os.kill(collector, signal.SIGKILL)
        wait_for(lambda: "part_failed part='The collector'" in monitor.printed, 30)
        wait_for(lambda: answers(collector_of(monitor)), STARTS_WITHIN)
        assert monitor.part("streamlit") == dashboard
        again = monitor.part("collector")

        os.kill(dashboard, signal.SIGKILL)
        wait_for(lambda: "part_failed part='The dashboard'" in monitor.printed, 30)
        wait_for(lambda: answers(dashboard_of(monitor)), STARTS_WITHIN)
        assert monitor.part("collector") == again != collector

        assert monitor.end(signal.SIGTERM) == 0
        assert not answers(collector_of(monitor))
        assert not answers(dashboard_of(monitor))
        assert "collector_stopped" in monitor.printed
        assert "Traceback" not in monitor.printed


@pytest.mark.long
def test_logs_are_files_where_a_folder_is_named(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    with serving(tmp_path, "--logs", str(logs), log="logs/serve.log") as monitor:
        assert monitor.end(signal.SIGINT) == 0
    assert "collector_started" in (logs / "collector.log").read_text()
    assert (logs / "dashboard.log").exists()
    assert (logs / "serve.log").read_text().endswith("supervision stopped\n")
    assert (tmp_path / "run.log").read_text() == f"What they have to say is written to {logs}/.\n"


def refusal(folder: Path, ports: dict[str, int], *options: str, **variables: str) -> str:
    """What it says last when it ends by itself."""
    process = start(folder, folder / "run.log", ports, *SERVE, *options, **variables)
    assert process.wait(STARTS_WITHIN) != 0
    return (folder / "run.log").read_text().strip()


def test_wrong_setting_ends_it_at_once(tmp_path: Path) -> None:
    line = refusal(tmp_path, free_ports(), MONITOR_STREAMS="many")
    assert line == "MONITOR_STREAMS is 'many': write a whole number from 1, for example 10000."


@pytest.mark.parametrize("part", ["collector", "dashboard"])
def test_port_in_use_ends_it_at_once(tmp_path: Path, part: str) -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", ports[part])):
        line = refusal(tmp_path, ports)
    assert f"Port {ports[part]} is in use: " in line
    assert f"MONITOR_{part.upper()}_PORT=" in line


@pytest.mark.parametrize("options", [(), ("--logs", "{folder}/logs")], ids=["stderr", "files"])
def test_newer_database_ends_it_with_the_cure(tmp_path: Path, options: tuple[str, ...]) -> None:
    with sqlite3.connect(tmp_path / "monitor.db") as db:
        db.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        db.execute("INSERT INTO alembic_version VALUES ('9999')")
    said = refusal(tmp_path, free_ports(), *(each.format(folder=tmp_path) for each in options))
    assert "The database is of a newer version (9999): install that version" in said
    assert f"The collector did not start (exit code {os.EX_CONFIG}); " in said.splitlines()[-1]


@pytest.mark.long
def test_second_one_does_not_disturb_the_first(tmp_path: Path) -> None:
    with serving(tmp_path) as monitor:
        (tmp_path / "second").mkdir()
        database = f"sqlite:///{tmp_path / 'monitor.db'}"
        said = refusal(tmp_path / "second", free_ports(), MONITOR_DATABASE_URL=database)
        assert "Another collector" in said
        assert monitor.process.poll() is None
        assert answers(collector_of(monitor))
        assert monitor.end(signal.SIGTERM) == 0

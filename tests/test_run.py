"""run.py: both parts begin and end together, and it says where they are or what is wrong."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.running_monitor import (
    ENDS_WITHIN,
    RunningMonitor,
    answers,
    free_ports,
    running_monitor,
    start,
)


def refusal(folder: Path, ports: dict[str, int], **variables: str) -> str:
    """The one line that it prints when it does not even begin."""
    log = folder / "run.log"
    process = start(folder, log, ports, **variables)
    assert process.wait(ENDS_WITHIN) == 1
    [line] = log.read_text(encoding="utf-8").splitlines()
    return line


def is_gone(monitor: RunningMonitor) -> bool:
    """Whether nobody listens on its ports."""
    for port in monitor.ports.values():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return False
    return True


def test_it_says_where_both_are_and_ends_both_at_ctrl_c_pressed_twice(tmp_path: Path) -> None:
    with running_monitor(tmp_path) as monitor:
        dashboard, shop, collector = map(
            monitor.address_of, ("Dashboard", "Demo shop", "Collector")
        )
        assert dashboard == f"http://127.0.0.1:{monitor.ports['dashboard']}"
        assert collector == f"http://127.0.0.1:{monitor.ports['collector']}"
        assert answers(f"{dashboard}/_stcore/health")
        assert answers(shop)
        assert answers(f"{collector}/readyz")
        assert "Ctrl-C stops it." in monitor.printed
        monitor.process.send_signal(signal.SIGINT)
        assert monitor.end(signal.SIGINT) == 0
        assert is_gone(monitor)
        assert "Traceback" not in monitor.printed


def test_it_ends_both_when_its_terminal_is_closed(tmp_path: Path) -> None:
    with running_monitor(tmp_path) as monitor:
        monitor.end(signal.SIGHUP)
        assert is_gone(monitor)


@pytest.mark.parametrize(
    "command, name", [("collector", "The collector"), ("streamlit", "The dashboard")]
)
def test_one_part_that_ends_ends_the_other(tmp_path: Path, command: str, name: str) -> None:
    with running_monitor(tmp_path) as monitor:
        os.kill(monitor.part(command), signal.SIGKILL)
        assert monitor.process.wait(ENDS_WITHIN) == 1
        assert is_gone(monitor)
        reason = monitor.printed.splitlines()[-1]
        assert reason.startswith(f"{name} ended by itself")
        assert "SIGKILL" in reason


@pytest.mark.parametrize(
    "part, variable",
    [("collector", "MONITOR_COLLECTOR_PORT"), ("dashboard", "STREAMLIT_SERVER_PORT")],
)
def test_it_names_the_cure_for_a_port_in_use(tmp_path: Path, part: str, variable: str) -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", ports[part])):
        line = refusal(tmp_path, ports)
    assert line.startswith(f"Port {ports[part]} is in use: ")
    assert f"{variable}=" in line


@pytest.mark.parametrize(
    "variable, value",
    [
        ("MONITOR_RETENTION_DAYS", "ten"),
        ("MONITOR_COLLECTOR_PORT", "0"),
        ("STREAMLIT_SERVER_PORT", "eighty"),
        ("STREAMLIT_SERVER_PORT", "70000"),
    ],
)
def test_it_names_a_setting_that_cannot_be_used(tmp_path: Path, variable: str, value: str) -> None:
    line = refusal(tmp_path, free_ports(), **{variable: value})
    assert line.startswith(f"{variable} is '{value}': write ")

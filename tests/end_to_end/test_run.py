"""run.py: both parts begin and end together, and it prints their addresses or what is wrong."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.helpers.running_monitor import (
    ENDS_WITHIN,
    RunningMonitor,
    answers,
    free_ports,
    running_monitor,
    start,
)


def refusal(folder: Path, ports: dict[str, int], **variables: str) -> str:
    """The one line that it prints when it refuses to start."""
    log = folder / "run.log"
    process = start(folder, log, ports, **variables)
    assert process.wait(ENDS_WITHIN) == 1
    [line] = log.read_text(encoding="utf-8").splitlines()
    return line


def is_gone(monitor: RunningMonitor) -> bool:
    """Whether nobody listens on its ports."""
    for port in monitor.ports.values():
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family) as probe:
                if probe.connect_ex((host, port)) == 0:
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


def test_the_dashboard_is_served_below_the_path_of_its_address_until_the_terminal_is_closed(
    tmp_path: Path,
) -> None:
    url = "https://shop.example/team/monitor"
    with running_monitor(tmp_path, MONITOR_DASHBOARD_URL=url) as monitor:
        dashboard = f"http://127.0.0.1:{monitor.ports['dashboard']}"
        assert monitor.address_of("Dashboard") == url
        assert answers(f"{dashboard}/team/monitor/_stcore/health")
        assert not answers(f"{dashboard}/_stcore/health")
        monitor.end(signal.SIGHUP)
        assert is_gone(monitor)


def test_dashboard_that_ends_ends_the_collector(tmp_path: Path) -> None:
    with running_monitor(tmp_path) as monitor:
        kill(monitor, "streamlit", "The dashboard")


def test_both_run_where_the_collector_listens_on_ipv6_until_it_ends(tmp_path: Path) -> None:
    with running_monitor(tmp_path, MONITOR_COLLECTOR_HOST="::1") as monitor:
        collector = monitor.address_of("Collector")
        assert collector == f"http://[::1]:{monitor.ports['collector']}"
        assert answers(f"{collector}/readyz")
        kill(monitor, "collector", "The collector")


def kill(monitor: RunningMonitor, command: str, name: str) -> None:
    """Kill the part: the other one ends too, and the reason is said last."""
    os.kill(monitor.part(command), signal.SIGKILL)
    assert monitor.process.wait(ENDS_WITHIN) == 1
    assert is_gone(monitor)
    reason = monitor.printed.splitlines()[-1]
    assert reason.startswith(f"{name} ended by itself")
    assert "SIGKILL" in reason


@pytest.mark.parametrize(
    "part, variable",
    [("collector", "MONITOR_COLLECTOR_PORT"), ("dashboard", "MONITOR_DASHBOARD_PORT")],
)
def test_it_names_the_cure_for_a_port_in_use(tmp_path: Path, part: str, variable: str) -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", ports[part])):
        line = refusal(tmp_path, ports)
    assert line.startswith(f"Port {ports[part]} is in use: ")
    assert f"{variable}=" in line


@pytest.mark.parametrize("host", ["::1", "0.0.0.0"])
def test_the_dashboards_port_is_checked_where_the_dashboard_listens(
    tmp_path: Path, host: str
) -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", ports["dashboard"])):
        line = refusal(tmp_path, ports, MONITOR_COLLECTOR_HOST=host)
    assert line.startswith(f"Port {ports['dashboard']} is in use: ")


def test_the_collectors_port_is_checked_on_its_own_address(tmp_path: Path) -> None:
    ports = free_ports()
    with socket.create_server(("::1", ports["collector"]), family=socket.AF_INET6):
        line = refusal(tmp_path, ports, MONITOR_COLLECTOR_HOST="::1")
    assert line.startswith(f"Port {ports['collector']} is in use: ")


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_this_machines_is_reported_with_the_cure(
    tmp_path: Path, host: str
) -> None:
    line = refusal(tmp_path, free_ports(), MONITOR_COLLECTOR_HOST=host)
    assert line.startswith(f"Cannot listen on {host} port ")
    assert "in use" not in line
    assert "MONITOR_COLLECTOR_HOST" in line


def test_it_names_a_setting_that_cannot_be_used(tmp_path: Path) -> None:
    line = refusal(tmp_path, free_ports(), MONITOR_RETENTION_DAYS="ten")
    assert line.startswith("MONITOR_RETENTION_DAYS is 'ten': write ")

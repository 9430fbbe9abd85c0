"""run.py: it keeps both parts running until it is stopped, and prints their addresses or what is wrong."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.helpers.running_collector import wait_for
from tests.helpers.running_monitor import (
    ENDS_WITHIN,
    STARTS_WITHIN,
    RunningMonitor,
    answers,
    free_ports,
    running_monitor,
    start,
)


def refusal(folder: Path, ports: dict[str, int], exit_code: int = 1, **variables: str) -> str:
    """The one line that it prints when it refuses to start."""
    log = folder / "run.log"
    process = start(folder, log, ports, **variables)
    assert process.wait(ENDS_WITHIN) == exit_code
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


@pytest.mark.long
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


@pytest.mark.long
def test_one_part_that_dies_starts_again_and_the_other_one_runs_on(tmp_path: Path) -> None:
    with running_monitor(tmp_path, MONITOR_COLLECTOR_HOST="::1") as monitor:
        assert monitor.address_of("Collector") == f"http://[::1]:{monitor.ports['collector']}"
        assert answers(f"{monitor.address_of('Collector')}/readyz")
        collector, dashboard = monitor.part("collector"), monitor.part("streamlit")
        os.kill(dashboard, signal.SIGKILL)
        address = f"http://127.0.0.1:{monitor.ports['dashboard']}/_stcore/health"
        wait_for(lambda: not answers(address), ENDS_WITHIN)
        wait_for(lambda: answers(address), STARTS_WITHIN)
        assert monitor.part("collector") == collector
        assert "part_failed part='The dashboard' reason='SIGKILL'" in monitor.printed
        assert monitor.end(signal.SIGINT) == 0
        assert is_gone(monitor)


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
    line = refusal(tmp_path, free_ports(), os.EX_CONFIG, MONITOR_RETENTION_DAYS="ten")
    assert line.startswith("MONITOR_RETENTION_DAYS is 'ten': write ")

"""How the dashboard starts, and when it refuses to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pages.__main__ import allocator
from tests.helpers.free_port import free_port
from tests.helpers.running_collector import wait_for
from tests.helpers.running_monitor import answers

ROOT = Path(__file__).parents[2]
STREAMLIT = ("-m", "streamlit", "run", "app.py", "--server.port", "0")
PAGES = ("-m", "pages")


def start(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("command", [STREAMLIT, PAGES], ids=["streamlit", "pages"])
def test_it_refuses_a_wrong_setting(command: tuple[str, ...]) -> None:
    done = start(*command, MONITOR_RETENTION_DAYS="ten")
    assert done.returncode != 0
    assert done.stderr.startswith("MONITOR_RETENTION_DAYS is 'ten': ")
    assert done.stderr.count("\n") == 1


def test_it_names_the_cure_for_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = start(*PAGES, MONITOR_DASHBOARD_PORT=str(port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {port} is in use: ")
    assert "MONITOR_DASHBOARD_PORT=" in done.stderr


@pytest.mark.long
def test_it_listens_where_the_settings_say_until_it_is_ended() -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, *PAGES],
        cwd=ROOT,
        env=os.environ
        | {
            "MONITOR_DASHBOARD_HOST": "::1",
            "MONITOR_DASHBOARD_PORT": str(port),
            "MONITOR_DASHBOARD_URL": "https://shop.example/monitor",
        },
    )
    try:
        wait_for(lambda: answers(f"http://[::1]:{port}/monitor/_stcore/health"), 90)
        environment = Path(f"/proc/{process.pid}/environ").read_bytes().decode().split("\0")
        assert {f"{name}={value}" for name, value in allocator().items()} <= {*environment}
    finally:
        process.terminate()
        assert process.wait(30) in (0, -signal.SIGTERM)
    assert not answers(f"http://[::1]:{port}/monitor/_stcore/health")

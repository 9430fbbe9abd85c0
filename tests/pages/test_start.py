"""How the dashboard starts, and when it refuses to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pages.server.access import is_loopback

ROOT = Path(__file__).parents[2]


def start(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", "0", *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_it_refuses_every_address_but_loopback() -> None:
    done = start("--server.address", "0.0.0.0")
    assert done.returncode == 1
    assert done.stderr.startswith("server.address is '0.0.0.0': the dashboard has no sign-in yet")
    assert done.stderr.count("\n") == 1


def test_it_refuses_a_wrong_setting() -> None:
    done = start(MONITOR_RETENTION_DAYS="ten")
    assert done.returncode == 1
    assert done.stderr.startswith("MONITOR_RETENTION_DAYS is 'ten': ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "address, is_safe",
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("shop.example", False),
        (None, False),
    ],
)
def test_only_this_machine_is_safe(address: str | None, is_safe: bool) -> None:
    assert is_loopback(address) is is_safe

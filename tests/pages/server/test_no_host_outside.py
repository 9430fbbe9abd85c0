"""The dashboard's process asks no host outside this machine, whatever is asked of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.helpers.outside_guard import OutsideGuard
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database
from tests.helpers.signed_in import SESSION_COOKIE, make_account, session_cookie

pytestmark = pytest.mark.timeout(180)

ORIGINS = [
    *("https://evil.example", "http://EVIL.example:8501", "http://127.0.0.1:1", "null", ""),
    *("http://[2001:db8::1]:8501", "http://[::1]:1", "HTTP://LOCALHOST:1", "chrome-extension://x"),
    *(
        "http://monitor.example",
        "https://monitor.example:1",
        "http://0.0.0.0:1",
        "http://",
        "://",
        "http://a b",
    ),
]


def test_the_guard_notes_whom_a_process_asks(tmp_path: Path) -> None:
    guard = OutsideGuard(tmp_path)
    for call in ("create_connection(('192.0.2.1', 80))", "getaddrinfo('evil.example', 80)"):
        done = subprocess.run(
            [sys.executable, "-c", f"import socket; socket.{call}"],
            env=os.environ | guard.variables,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 1
    assert guard.asked == ["192.0.2.1", "evil.example"]


@pytest.mark.long
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_it_asks_nobody_for_its_own_address(tmp_path: Path, address: str) -> None:
    guard = OutsideGuard(tmp_path)
    url, engine = make_database(tmp_path)
    given = "https://monitor.example"
    named: Any = {"STREAMLIT_SERVER_ADDRESS": address, "MONITOR_DASHBOARD_URL": given}
    with running_dashboard(url, **named, **guard.variables) as dashboard:
        for own in (dashboard, given):
            assert _connects(dashboard, own)
        for origin in ORIGINS:
            assert not _connects(dashboard, origin), origin
            for path in ("/_stcore/health", "/_stcore/host-config", "/media/x", "/changes"):
                httpx.get(f"{dashboard}{path}", headers={"Origin": origin})
        cookie = session_cookie(engine, make_account(engine))
        for origin in ORIGINS:
            assert not _connects(dashboard, origin, cookie), origin
    assert guard.asked == []


def _connects(dashboard: str, origin: str, cookie: str = "") -> bool:
    headers = {"Origin": origin} | ({"Cookie": f"{SESSION_COOKIE}={cookie}"} if cookie else {})
    try:
        with connect(
            f"{dashboard.replace('http', 'ws', 1)}/_stcore/stream",
            additional_headers=headers,
            subprotocols=["streamlit"],  # pyright: ignore[reportArgumentType]
        ):
            return True
    except InvalidStatus:
        return False

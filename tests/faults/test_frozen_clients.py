"""The real dashboard, and clients that begin something and never bring it to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from socket import create_connection, socket

import pytest

from pages.server.request_body import WITHIN
from tests.helpers.free_port import free_port
from tests.helpers.frozen_database import frozen_sqlite
from tests.helpers.running_collector import wait_for
from tests.helpers.running_monitor import answers
from tests.helpers.seed import make_database

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 90
ENDS_WITHIN = 20
"""Seconds, on a machine that is busy: half a second was measured. Without a bound it would be never."""

HALF_HEADERS = "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-"
HALF_BODY = (
    "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nemail=a"
)
WEBSOCKET = (
    "GET /_stcore/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
STREAM = "GET /changes?site=tea HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
PAGE = "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/html\r\n\r\n"


@contextmanager
def dashboard_process(url: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A dashboard that answers, and its port."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=ROOT,
        env=os.environ | {"MONITOR_DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health"), STARTS_WITHIN)
        yield process, port
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def connect() -> Iterator[Callable[[int, str], socket]]:
    """Opens connections to a port, sends this text, and keeps them open."""
    with ExitStack() as opened:

        def connect(port: int, text: str) -> socket:
            connection = opened.enter_context(closing(create_connection(("127.0.0.1", port))))
            connection.settimeout(60)
            connection.sendall(text.format(port=port).encode())
            return connection

        yield connect


def test_dashboard_that_is_ended_waits_for_no_client(
    tmp_path: Path, connect: Callable[[int, str], socket]
) -> None:
    url, engine = make_database(tmp_path)
    engine.dispose()
    with dashboard_process(url) as (process, port):
        assert b"101" in connect(port, WEBSOCKET).recv(100)
        assert b"200" in connect(port, STREAM).recv(100)
        half = connect(port, HALF_BODY)
        connect(port, HALF_HEADERS)
        assert answers(f"http://127.0.0.1:{port}/_stcore/health")  # what came before has come too
        process.send_signal(signal.SIGTERM)
        assert process.wait(ENDS_WITHIN) in (0, -signal.SIGTERM)
        assert b" 503 " in half.recv(100)


def test_dashboard_that_is_ended_waits_for_no_frozen_database(
    tmp_path: Path, connect: Callable[[int, str], socket]
) -> None:
    url, engine = make_database(tmp_path)
    with dashboard_process(url) as (process, port), engine.connect():
        assert b"200" in connect(port, STREAM).recv(100)
        with frozen_sqlite(tmp_path / "monitor.db"):
            connect(port, PAGE)
            assert b"101" in connect(port, WEBSOCKET).recv(100)
            process.send_signal(signal.SIGTERM)
            assert process.wait(ENDS_WITHIN) in (0, -signal.SIGTERM)
    engine.dispose()


def test_body_that_never_comes_is_given_up_and_its_connection_closed(
    tmp_path: Path, connect: Callable[[int, str], socket]
) -> None:
    url, engine = make_database(tmp_path)
    engine.dispose()
    with dashboard_process(url) as (_, port):
        half = connect(port, HALF_BODY)
        half.settimeout(WITHIN * 4)
        answer = b""
        while part := half.recv(4096):
            answer += part
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert answers(f"http://127.0.0.1:{port}/_stcore/health")

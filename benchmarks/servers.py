"""Servers to measure: a bare 204 on uvicorn, and the collector, each a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]
STARTS_WITHIN = 60


@contextmanager
def bare() -> Iterator[int]:
    """The port of the same uvicorn answering 204 to everything, and nothing else."""
    port = free_port()
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error"]
    command = [sys.executable, "-m", "uvicorn", "bare_204:app", "--port", str(port), *options]
    with _running(command, port, cwd=Path(__file__).parent):
        yield port


@contextmanager
def collector(database_url: str) -> Iterator[int]:
    """The port of a collector with everything on; only the rate limit is out of reach."""
    port = free_port()
    command = [sys.executable, "-m", "collector", "--port", str(port)]
    environment = {
        "MONITOR_DATABASE_URL": database_url,
        "MONITOR_RATE_LIMIT": "900000/s burst 900000",
        "MONITOR_DEMO": "on",
    }
    with _running(command, port, cwd=ROOT, environment=environment):
        yield port


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _running(
    command: list[str], port: int, cwd: Path, environment: dict[str, str] | None = None
) -> Iterator[None]:
    process = subprocess.Popen(
        command, cwd=cwd, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL
    )
    try:
        _await(process, port)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"a server ended with {process.returncode} before it answered")
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"a server did not answer within {STARTS_WITHIN} s")

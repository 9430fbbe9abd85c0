"""The servers to measure, each in its own process: a bare 204, the collector, the dashboard."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]
STARTS_WITHIN = 60


class BenchmarkServer(NamedTuple):
    """A running server and the port that it listens on. pid: its process, which may have started others."""

    port: int
    pid: int

    def cpu(self) -> float:
        """Seconds of CPU that it has used so far, with the processes that it has started, also those that have ended."""
        return sum(map(_ticks, family(self.pid))) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int:
        """Bytes of memory that its processes hold now, and its share of what others hold too (PSS)."""
        return sum(memory(self.pid).values())


def memory(pid: int) -> dict[str, int]:
    """What each process of this family holds now, as `BenchmarkServer.resident` does all of them: by name and number."""
    held: dict[str, int] = {}
    for each in family(pid):
        name = Path(f"/proc/{each}/comm").read_text().strip()
        rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
        held[f"{len(held)} {name}"] = int(rollup.split("\nPss:", 1)[1].split()[0]) * 1024
    return held


def family(pid: int) -> list[int]:
    """The process, its children, theirs, and so on."""
    parents = {int(entry.name): _parent(int(entry.name)) for entry in Path("/proc").glob("[0-9]*")}
    family = [pid]
    for each in family:
        family += [child for child, parent in parents.items() if parent == each]
    return family


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _ticks(pid: int) -> int:
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) if fields else 0


def _stat(pid: int) -> list[str]:
    """What stands behind the name in /proc/PID/stat; nothing of a process that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


@contextmanager
def bare() -> Iterator[BenchmarkServer]:
    """The same uvicorn answering 204 to everything, and nothing else."""
    port = free_port()
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error"]
    command = [sys.executable, "-m", "uvicorn", "bare_204:app", "--port", str(port), *options]
    with _running(command, port, cwd=Path(__file__).parent) as server:
        yield server


@contextmanager
def collector(
    database_url: str, files: int = 0, log: Path | None = None, workers: int = 1, **settings: str
) -> Iterator[BenchmarkServer]:
    """A collector with everything on; only what one address may do is out of reach.

    files: how many it may have open; 0: as many as the system allows. log: the file that its log goes to,
    instead of this process' own stderr. workers: processes that answer. settings: more variables.
    """
    port = free_port()
    command = [sys.executable, "-m", "collector", "--port", str(port), "--workers", str(workers)]
    if files:
        command = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *command]
    environment = {
        "MONITOR_DATABASE_URL": database_url,
        "MONITOR_RATE_LIMIT": "900000/s burst 900000",
        "MONITOR_NEW_VISITS": "900000/s burst 900000",
        "MONITOR_STREAMS_PER_ADDRESS": "900000",
        "MONITOR_DEMO": "on",
        **settings,
    }
    with _running(command, port, cwd=ROOT, environment=environment, log=log) as server:
        yield server


@contextmanager
def dashboard(
    database_url: str, log: Path | None = None, **settings: str
) -> Iterator[BenchmarkServer]:
    """The dashboard as `make run` starts it; log and settings: as for `collector`."""
    port = free_port()
    command = [sys.executable, "-m", "pages"]
    environment = {
        "MONITOR_DATABASE_URL": database_url,
        "MONITOR_DASHBOARD_PORT": str(port),
        **settings,
    }
    with _running(command, port, ROOT, environment, "_stcore/health", log) as server:
        yield server


@contextmanager
def empty_page() -> Iterator[BenchmarkServer]:
    """Streamlit with a page whose fragment draws nothing."""
    port = free_port()
    page = str(Path(__file__).with_name("empty_page.py"))
    command = [sys.executable, "-m", "streamlit", "run", page, "--server.port", str(port)]
    with _running(command, port, ROOT, {}, "_stcore/health") as server:
        yield server


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _running(
    command: list[str],
    port: int,
    cwd: Path,
    environment: dict[str, str] | None = None,
    health: str = "healthz",
    log: Path | None = None,
) -> Iterator[BenchmarkServer]:
    with log.open("ab") if log else nullcontext() as errors:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    try:
        _await(process, f"http://127.0.0.1:{port}/{health}")
        yield BenchmarkServer(port, process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _await(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"a server ended with {process.returncode} before it answered")
        try:
            with urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"a server did not answer within {STARTS_WITHIN} s")

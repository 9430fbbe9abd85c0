"""`python run.py` for the tests: the real collector and dashboard, on free ports of their own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from tests.helpers.free_port import free_port
from tests.helpers.running_collector import wait_for

ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 120
ENDS_WITHIN = 40


class RunningMonitor:
    """run.py as its own process, and what it has printed so far."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, ports: dict[str, int]) -> None:
        self.process = process
        self.ports = ports
        self._log = log

    @property
    def printed(self) -> str:
        """Everything that it and its two parts wrote."""
        return self._log.read_text(encoding="utf-8")

    def address_of(self, name: str) -> str:
        """The address printed next to the name, for example "Dashboard"."""
        found = re.search(rf"^  {name} +(http\S+)$", self.printed, re.MULTILINE)
        assert found, self.printed
        return found[1]

    def part(self, command: str) -> int:
        """The process id of the part whose command line contains the words."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        children = " ".join(each.read_text(encoding="ascii") for each in threads).split()
        lines = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
        [found] = [pid for pid, line in lines.items() if command.encode() in line]
        return found

    def end(self, sign: signal.Signals) -> int:
        """Send the signal; returns the exit code."""
        self.process.send_signal(sign)
        return self.process.wait(ENDS_WITHIN)


@contextmanager
def running_monitor(folder: Path, *command: str, **variables: str) -> Iterator[RunningMonitor]:
    """Start it on a new SQLite file in the folder; yields once it has printed its addresses.

    command: what Python runs, unless it is run.py of this project.
    """
    ports = free_ports()
    log = folder / "run.log"
    process = start(folder, log, ports, *command, **variables)
    monitor = RunningMonitor(process, log, ports)
    try:
        wait_for(
            lambda: "is running" in monitor.printed or process.poll() is not None, STARTS_WITHIN
        )
        assert process.poll() is None, monitor.printed
        yield monitor
    finally:
        if process.poll() is None:
            monitor.end(signal.SIGTERM)


def start(
    folder: Path,
    log: Path,
    ports: dict[str, int],
    *command: str,
    **variables: str,
) -> subprocess.Popen[bytes]:
    """run.py, whose output goes to the log."""
    environment = {
        **os.environ,
        "MONITOR_DATABASE_URL": f"sqlite:///{folder / 'monitor.db'}",
        "MONITOR_COLLECTOR_PORT": str(ports["collector"]),
        "MONITOR_DASHBOARD_PORT": str(ports["dashboard"]),
        **variables,
    }
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, *(command or ("run.py",))],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )


def free_ports() -> dict[str, int]:
    """A port for each part."""
    return {"collector": free_port(), "dashboard": free_port()}


def answers(url: str) -> bool:
    """Whether something answers there with 200."""
    try:
        with urlopen(url, timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False

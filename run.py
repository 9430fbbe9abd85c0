"""Run the collector and the dashboard together: `make run`. When one ends, both end.

With --dev (`make dev`) each starts again when one of its files is saved.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.error import URLError
from urllib.request import urlopen

from core.settings import SettingsError, settings

ROOT = Path(__file__).resolve().parent
STARTS_WITHIN = 90
"""Seconds; the very first start compiles the libraries."""
STOPS_WITHIN = 15
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a service manager, a terminal that is closed."""
DASHBOARD_HOST = "127.0.0.1"
"""The dashboard has no sign-in yet, so it listens only here."""
ABOVE = "what it had to say stands above."
CHECKS_EVERY = 0.5
"""Seconds between two checks of the parts and their files; a check of 300 files takes 4 ms."""
EDITED = {".py", ".js", ".css", ".csv", ".html", ".jinja", ".svg", ".toml"}
"""Only these count, not what editors and Python write into the same folders."""
SCRIPTS = (
    "embed/visitor-monitor.js",
    "embed/visitor-monitor-signals.js",
    "embed/chat",
    "embed/adapters",
    "embed/build.py",
    "core",
    "collector",
)
"""What embed/build.py makes embed/dist from; the scripts get their limits from Python."""
SHOP = ("embed/demo/templates", "embed/demo/build.py")


class Sources:
    """Files and folders of the project, as they were at the last check."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._saved_at = dict(self._scan())

    def saved(self) -> str:
        """A file that was saved, made or deleted since the last call, or ""."""
        before, self._saved_at = self._saved_at, dict(self._scan())
        changed = before.items() ^ self._saved_at.items()
        return min((str(file.relative_to(ROOT)) for file, _ in changed), default="")

    def _scan(self) -> Iterator[tuple[Path, int]]:
        for name in self._names:
            for file in (ROOT / name, *(ROOT / name).rglob("*")):
                if file.suffix in EDITED:
                    with suppress(FileNotFoundError):  # an editor is just replacing it
                        yield file, file.stat().st_mtime_ns


class Part:
    """One of the two processes; `sources`: the files and folders that it is made of."""

    def __init__(self, name: str, command: list[str], health: str, sources: Sequence[str]) -> None:
        self.name = name
        self.sources = sources
        self._command = command
        self._health = health
        self.awaits_save = False
        """Whether it failed after the last save: then only the next save starts it again."""
        self.start()

    def start(self) -> None:
        """Start the process, also again after `stop`."""
        self.process = subprocess.Popen(self._command, cwd=ROOT, start_new_session=True)

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    @property
    def exit_text(self) -> str:
        """How the process ended: "exit code 1", "SIGKILL"."""
        code = self.process.poll() or 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def is_ready(self) -> bool:
        """Whether the process answers."""
        try:
            with urlopen(self._health, timeout=2) as answer:
                return answer.status == 200
        except (URLError, OSError):
            return False

    def stop(self) -> None:
        """End the process: ask first, kill it after STOPS_WITHIN."""
        if self.has_ended():
            return
        self.process.terminate()
        try:
            self.process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()


def main() -> int:
    """Start both, say where they are, and wait; 1 when one of them ended by itself."""
    parser = ArgumentParser(description="Run the collector and the dashboard.")
    parser.add_argument("--dev", action="store_true", help="start each again when it is edited")
    is_dev = parser.parse_args().dev
    try:
        collector_port = settings().collector_port
        dashboard_port = _dashboard_port()
    except SettingsError as fault:
        return _refuse(str(fault))
    for host, port, name in (
        (settings().collector_host, collector_port, "MONITOR_COLLECTOR"),
        (DASHBOARD_HOST, dashboard_port, "STREAMLIT_SERVER"),
    ):
        reason = _port_fault(host, port, name)
        if reason:
            return _refuse(reason)
    for sign in STOPS:
        signal.signal(sign, _interrupt)
    reason = _run(collector_port, dashboard_port, is_dev)
    return _refuse(reason) if reason else 0


def _run(collector_port: int, dashboard_port: int, is_dev: bool) -> str:
    """Why they ended, or "" when they were asked to."""
    parts: list[Part] = []
    try:
        parts.append(_start_collector(collector_port))
        _await(parts[-1])
        parts.append(_start_dashboard(dashboard_port, is_dev))
        _await(parts[-1])
        _say_where(dashboard_port)
        ended = _follow_saves(parts) if is_dev else _wait(parts)
        return f"{ended.name} ended by itself ({ended.exit_text}); {ABOVE}"
    except _Ended as fault:
        return str(fault)
    except KeyboardInterrupt:
        print("\nStopping ...", flush=True)
        return ""
    finally:
        for part in reversed(parts):
            part.stop()


class _Ended(Exception):
    pass


def _dashboard_port() -> int:
    value = os.environ.get("STREAMLIT_SERVER_PORT", "8501")
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 65535):
        raise SettingsError(
            f"STREAMLIT_SERVER_PORT is '{value}': write a port from 1 to 65535, for example 8501."
        )
    return int(value)


def _start_collector(port: int) -> Part:
    command = [sys.executable, "-m", "collector"]
    health = f"http://{settings().local_host}:{port}/healthz"
    return Part("The collector", command, health, ("collector", "core"))


def _start_dashboard(port: int, is_dev: bool) -> Part:
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    command += ["--server.port", str(port)]
    if is_dev:
        command += ["--client.showErrorDetails", "full"]
    health = f"http://{DASHBOARD_HOST}:{port}/_stcore/health"
    sources = ("app.py", "core", "pages", "embed/chat/text.js", ".streamlit")
    return Part("The dashboard", command, health, sources)


def _await(part: Part) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while not part.is_ready():
        if part.has_ended():
            raise _Ended(f"{part.name} did not start ({part.exit_text}); {ABOVE}")
        if time.monotonic() > deadline:
            raise _Ended(f"{part.name} did not answer within {STARTS_WITHIN} s.")
        time.sleep(0.2)


def _wait(parts: Sequence[Part]) -> Part:
    """The part that ended by itself."""
    while not (ended := [part for part in parts if part.has_ended()]):
        time.sleep(CHECKS_EVERY)
    return ended[0]


def _follow_saves(parts: Sequence[Part]) -> Part:
    """As `_wait`, and restart each part at a save. A part that then fails does not end the other."""
    sources = [(part, Sources(part.sources)) for part in parts]
    scripts, shop = Sources(SCRIPTS), Sources(SHOP)
    while not (ended := [part for part in parts if part.has_ended() and not part.awaits_save]):
        time.sleep(CHECKS_EVERY)
        for part, source in sources:
            if saved := source.saved():
                _restart(part, saved)
        if saved := scripts.saved():
            _build("embed/build.py", saved)
        if saved := shop.saved():
            _build("embed/demo/build.py", saved)
    return ended[0]


def _restart(part: Part, saved: str) -> None:
    print(f"{saved} was saved: {part.name.lower()} starts again.", flush=True)
    part.stop()
    part.start()
    try:
        _await(part)
    except _Ended as fault:
        part.awaits_save = True
        print(f"{fault} It starts again when a file is saved.", flush=True)
    else:
        part.awaits_save = False
        print(f"{part.name} is back.", flush=True)


def _build(script: str, saved: str) -> None:
    """Make the files, which the collector serves without a restart; the script prints its errors."""
    print(f"{saved} was saved: {script} runs.", flush=True)
    subprocess.run([sys.executable, script], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)


def _say_where(dashboard_port: int) -> None:
    print(
        "\n"
        "  Visitor Monitor is running.\n"
        f"  Dashboard   http://{DASHBOARD_HOST}:{dashboard_port}\n"
        f"  Demo shop   {settings().public_address}/demo/\n"
        f"  Collector   {settings().public_address}\n"
        "  Ctrl-C stops it.\n",
        flush=True,
    )


def _port_fault(host: str, port: int, name: str) -> str:
    """Why the port cannot be used, with the cure; "" when it is free."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as fault:
        if fault.errno == errno.EADDRINUSE:
            return (
                f"Port {port} is in use: end the program that uses it, "
                f"or choose another: {name}_PORT={port + 10} make run"
            )
        return (
            f"Cannot listen on {host} port {port} ({fault.strerror or fault}): "
            f"choose an address of this machine and a port from 1024 on: {name}_HOST, {name}_PORT"
        )
    return ""


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    # An impatient second Ctrl-C must not leave one of the two behind.
    for sign in STOPS:
        signal.signal(sign, signal.SIG_IGN)
    raise KeyboardInterrupt


def _refuse(reason: str) -> int:
    print(reason, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())

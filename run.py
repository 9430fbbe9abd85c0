"""Run the collector and the dashboard together: `make run`. One that ends starts again.

With --dev (`make dev`) each starts again when one of its files is saved, and one that ends ends both.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from core.log_format import start_log
from core.settings import SettingsError, settings
from supervision.part import Part, stop_all
from supervision.parts import collector_part, dashboard_part, port_fault
from supervision.supervisor import STOPS, Supervisor

ROOT = Path(__file__).resolve().parent
STARTS_WITHIN = 90
"""Seconds; the very first start compiles the libraries."""
CHECKS_EVERY = 0.5
"""Seconds between two checks of the parts and their files; a check of 300 files takes 4 ms."""
EDITED = {".py", ".js", ".json", ".css", ".csv", ".html", ".jinja", ".svg", ".toml"}
"""Only these count, not what editors and Python write into the same folders."""
MADE_OF = (
    ("collector", "core", "embed/chat/words"),
    ("app.py", "core", "pages", "embed/chat/text.js", "embed/chat/words", ".streamlit"),
)
"""The collector and the dashboard."""
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


def main() -> int:
    """Start both, say where they are, and wait; 1 when they cannot be run, or one ended under --dev."""
    parser = ArgumentParser(description="Run the collector and the dashboard.")
    parser.add_argument("--dev", action="store_true", help="start each again when it is edited")
    is_dev = parser.parse_args().dev
    try:
        chosen = settings()
    except SettingsError as fault:
        return _refuse(str(fault), fault.exit_code)
    if reason := port_fault(chosen):
        return _refuse(reason)
    reason = _follow_edits() if is_dev else _run()
    return _refuse(reason) if reason else 0


def _run() -> str:
    """Why they could not be started, or "" when they were asked to stop."""
    start_log(settings().log_format)
    supervisor = Supervisor([collector_part(settings()), dashboard_part(settings())])
    supervisor.obey_signals()
    reason = supervisor.run(_say_where)
    if not reason:
        print("Stopped.", flush=True)
    return reason


def _follow_edits() -> str:
    """Why they ended, or "" when they were asked to."""
    for sign in STOPS:
        signal.signal(sign, _interrupt)
    options = ("--client.showErrorDetails", "full")
    parts = (collector_part(settings()), dashboard_part(settings(), *options))
    try:
        for part in parts:
            part.start()
            _await(part)
        _say_where()
        ended = _follow_saves(parts)
        return f"{ended.name} ended by itself ({ended.exit_text}); {ended.last_words}"
    except _Ended as fault:
        return str(fault)
    except KeyboardInterrupt:
        print("\nStopping ...", flush=True)
        return ""
    finally:
        stop_all(parts)


class _Ended(Exception):
    pass


def _await(part: Part) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while not part.is_well():
        if part.has_ended:
            raise _Ended(f"{part.name} did not start ({part.exit_text}); {part.last_words}")
        if time.monotonic() > deadline:
            raise _Ended(f"{part.name} did not answer within {STARTS_WITHIN} s.")
        time.sleep(0.2)


def _follow_saves(parts: Sequence[Part]) -> Part:
    """The part that ended by itself. Each is restarted at a save; one that then fails does not end the other."""
    sources = [(part, Sources(names)) for part, names in zip(parts, MADE_OF, strict=True)]
    scripts, shop = Sources(SCRIPTS), Sources(SHOP)
    awaits_save = set[Part]()
    while not (ended := [part for part in parts if part.has_ended and part not in awaits_save]):
        time.sleep(CHECKS_EVERY)
        for part, source in sources:
            if saved := source.saved():
                (awaits_save.discard if _restart(part, saved) else awaits_save.add)(part)
        if saved := scripts.saved():
            _build("embed/build.py", saved)
        if saved := shop.saved():
            _build("embed/demo/build.py", saved)
    return ended[0]


def _restart(part: Part, saved: str) -> bool:
    """Whether it is back."""
    print(f"{saved} was saved: {part.name.lower()} starts again.", flush=True)
    part.stop()
    part.start()
    try:
        _await(part)
    except _Ended as fault:
        print(f"{fault} It starts again when a file is saved.", flush=True)
        return False
    print(f"{part.name} is back.", flush=True)
    return True


def _build(script: str, saved: str) -> None:
    """Make the files, which the collector serves without a restart; the script prints its errors."""
    print(f"{saved} was saved: {script} runs.", flush=True)
    subprocess.run([sys.executable, script], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)


def _say_where() -> None:
    print(
        "\n"
        "  Visitor Monitor is running.\n"
        f"  Dashboard   {settings().dashboard_url or settings().local_dashboard}\n"
        f"  Demo shop   {settings().public_address}/demo/\n"
        f"  Collector   {settings().public_address}\n"
        "  Ctrl-C stops it.\n",
        flush=True,
    )


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    # An impatient second Ctrl-C must not leave one of the two behind.
    for sign in STOPS:
        signal.signal(sign, signal.SIG_IGN)
    raise KeyboardInterrupt


def _refuse(reason: str, exit_code: int = 1) -> int:
    print(reason, file=sys.stderr, flush=True)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())

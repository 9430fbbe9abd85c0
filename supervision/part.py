"""One of the two processes that are Visitor Monitor: started, asked whether it is well, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

from core.settings import PROJECT_ROOT
from supervision.last_will import STOPS_WITHIN, LastWill
from supervision.log_file import LogFile

ANSWERS_WITHIN = 5
"""Seconds in which one that is well answers."""

_direct = build_opener(ProxyHandler({}))
"""A proxy of the environment is for addresses outside."""


class Part:
    """A process; `module`: what Python runs, with its options. Its words go to the log, or to our own stderr.

    It ends with whoever started it, also if that one is killed.
    """

    will = LastWill()

    def __init__(
        self, name: str, module: Sequence[str], health: str, log: LogFile | None = None
    ) -> None:
        self.name = name
        self._command = [sys.executable, "-m", *module]
        self._health = health
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, also again after `stop`. Raises OSError where the system cannot."""
        if self._log is None:
            self._process = self._open(None)
            return
        file = self._log.open()
        try:
            self._process = self._open(file)
        finally:
            os.close(file)

    @property
    def pid(self) -> int:
        """The process' id; 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process is None or self._process.poll() is not None

    @property
    def exit_text(self) -> str:
        """How the process ended: "exit code 1", "SIGKILL"."""
        code = (self._process.poll() if self._process else None) or 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    @property
    def last_words(self) -> str:
        """Where it says why it ended."""
        if self._log is None:
            return "what it had to say stands above."
        return f"the end of {self._log.path} says: {self._log.last_line()}"

    def is_well(self) -> bool:
        """Whether the process answers."""
        try:
            with _direct.open(self._health, timeout=ANSWERS_WITHIN) as answer:
                return answer.status == 200
        except (OSError, HTTPException):
            return False

    def ask_to_stop(self) -> None:
        """Have it end by itself, once what has begun is done."""
        if self._process and not self.has_ended:
            self._process.terminate()

    def stop(self) -> None:
        """Ask it to stop; kill it, and what it has started, after STOPS_WITHIN."""
        self.ask_to_stop()
        if self._process is None:
            return
        try:
            self._process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(ProcessLookupError):  # what it has started, and left behind
            os.killpg(self.pid, signal.SIGKILL)
        self.will.strike(self.pid)

    def _open(self, output: int | None) -> subprocess.Popen[bytes]:
        # In a session of its own, a Ctrl-C reaches only who started it, who then ends both in order.
        process = subprocess.Popen(
            self._command, cwd=PROJECT_ROOT, start_new_session=True, stdout=output, stderr=output
        )
        self.will.name(process.pid)
        return process


def stop_all(parts: Sequence[Part]) -> None:
    """Stop them at the same time."""
    for part in parts:
        part.ask_to_stop()
    for part in parts:
        part.stop()

"""The processes that a supervisor leaves behind, however it ends, are ended: by this file, run as a process.

It reads from a pipe whose other end the supervisor alone has: "+PID" for a process that was started, "-PID"
for one that has ended. Also a supervisor that is killed closes the pipe, and then what is left is stopped.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from threading import Lock
from time import monotonic, sleep

STOPS_WITHIN = 25.0
"""Seconds until what was asked to stop is killed."""

LOOKS_EVERY = 0.2


class LastWill:
    """The supervisor's side: names the processes that are not to outlive it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pids = set[int]()
        self.process: subprocess.Popen[bytes] | None = None

    def name(self, pid: int) -> None:
        """Have the group that this process leads end with the supervisor."""
        with self._lock:
            self._pids.add(pid)
            self._tell(f"+{pid}\n")

    def strike(self, pid: int) -> None:
        """The process has ended: its id may be another's soon."""
        with self._lock:
            self._pids.discard(pid)
            self._tell(f"-{pid}\n")

    def _tell(self, line: str) -> None:
        """To the process that carries it out; to a new one, if somebody has ended it."""
        if self.process is None or not self._write(line):
            self.process = self._start()
            self._write("".join(f"+{pid}\n" for pid in self._pids))

    def _write(self, text: str) -> bool:
        pipe = self.process and self.process.stdin
        try:
            if pipe:
                pipe.write(text.encode())
                pipe.flush()
        except OSError:
            return False
        return True

    def _start(self) -> subprocess.Popen[bytes]:
        # In a session of its own: what ends the supervisor's terminal does not end it before it has done its work.
        return subprocess.Popen(
            [sys.executable, "-I", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def main() -> None:
    """Wait for the end of the supervisor, then end what it has left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    pids = set[int]()
    for line in sys.stdin:
        (pids.add if line[0] == "+" else pids.discard)(int(line[1:]))
    end_groups(pids)


def end_groups(pids: Iterable[int]) -> None:
    """Ask the groups of processes to stop; kill those that are still there after STOPS_WITHIN."""
    left = [pid for pid in pids if _send(pid, signal.SIGTERM)]
    latest = monotonic() + STOPS_WITHIN
    while left and monotonic() < latest:
        sleep(LOOKS_EVERY)
        left = [pid for pid in left if _send(pid, 0)]
    for pid in left:
        _send(pid, signal.SIGKILL)


def _send(pid: int, number: int) -> bool:
    """Whether the group that the process leads was there to be told."""
    with suppress(ProcessLookupError):
        os.killpg(pid, number)
        return True
    return False


if __name__ == "__main__":
    main()

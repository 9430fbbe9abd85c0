"""A process that is forked off this one, which has loaded and prepared what it needs.

It ends with its parent, also when that one is killed. Only a process without other threads may fork.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from time import monotonic
from typing import NoReturn

from collector.stop_signal import STOPS
from core.faults import place_fault

_PARENT_DEATH_SIGNAL, _NAME = 1, 15  # of Linux' prctl
_living: list[Child] = []
"""Those of this process, whose ends of their controls no other child may keep."""

_log = logging.getLogger("collector")


class Child:
    """The process, from its parent's side. control: this end of the socket between both."""

    def __init__(self, name: str, run: Callable[[socket.socket], object]) -> None:
        """name: in the log and, on Linux, in lists of processes. run: what the process does, with its end of the control. Raises OSError where the system cannot."""
        self.name = name
        self.started = monotonic()
        self.control, end = socket.socketpair()
        self._code: int | None = None
        parent = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        try:
            self.pid = os.fork()
            if not self.pid:
                _live(run, end, parent, self, _living)
        except OSError:
            self.control.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
            end.close()
        _living.append(self)

    @property
    def ran(self) -> float:
        """For how many seconds it has been there."""
        return monotonic() - self.started

    @property
    def has_ended(self) -> bool:
        """Whether it is gone."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code is not None

    @property
    def exit_code(self) -> int:
        """How it has ended; that of a signal is negative. Waits for it."""
        if self._code is None:
            _, status = os.waitpid(self.pid, 0)
            self._code = os.waitstatus_to_exitcode(status)
        return self._code

    @property
    def exit_text(self) -> str:
        """How it has ended: "exit code 1", "SIGKILL"."""
        code = self.exit_code
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def forget(self) -> None:
        """It has ended: close this end of its control."""
        self.control.close()
        _living.remove(self)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if not self.has_ended:
            os.kill(self.pid, number)


def _live(
    run: Callable[[socket.socket], object],
    control: socket.socket,
    parent: int,
    child: Child,
    others: Sequence[Child],
) -> NoReturn:
    """The whole life of the child: whatever happens, it never goes on as its parent would."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in STOPS:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        _tell_system(child.name, parent)
        for each in (child, *others):
            each.control.close()  # else nobody would notice the end of this process
        run(control)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as fault:
        name = type(fault).__name__
        _log.critical("process_ends fault=%s at=%s", name, place_fault(fault))
    finally:
        logging.shutdown()
        sys.stderr.flush()
        os._exit(code)


def _tell_system(name: str, parent: int) -> None:
    """Show it by its name in lists of processes, and have it killed when its parent ends.

    Elsewhere than on Linux the end of the control tells that.
    """
    if sys.platform == "linux":
        system = ctypes.CDLL(None)
        system.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        system.prctl(_NAME, f"monitor-{name}".encode())
    if os.getppid() != parent:
        os._exit(1)

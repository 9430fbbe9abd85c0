"""SIGTERM and SIGINT while no web server takes them: at the start, between two applications, and in the parent."""

from __future__ import annotations

import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

STOPS = (signal.SIGINT, signal.SIGTERM)


class StopSignal:
    """Ends the process by SystemExit, and remembers it.

    Python ignores what is raised in a destructor (`__del__`), and a garbage collection runs many of them: a signal
    that comes just then would be lost, and the collector would serve on.
    """

    def __init__(self) -> None:
        self.has_come = False

    def obey(self) -> None:
        """From now on, wherever nobody else takes the signals."""
        for number in STOPS:
            signal.signal(number, self._leave)

    def raise_again(self) -> None:
        """Raises SystemExit when there was a signal."""
        if self.has_come:
            raise SystemExit(0)

    @contextmanager
    def waking(self) -> Generator[socket.socket]:
        """Meanwhile a signal raises nothing, and makes this socket readable."""
        awake, waker = socket.socketpair()
        with awake, waker:
            waker.setblocking(False)
            before = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
            for number in STOPS:
                signal.signal(number, self._note)
            try:
                yield awake
            finally:
                self.obey()
                signal.set_wakeup_fd(before)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.has_come = True

    def _leave(self, _number: int, _frame: FrameType | None) -> NoReturn:
        self.has_come = True
        raise SystemExit(0)

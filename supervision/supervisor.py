"""Keeping both processes running: each on its own, so that one that fails never takes the other down."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic

from supervision.log_file import LogFile
from supervision.part import Part, stop_all
from supervision.restarts import Restarts

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a service manager, a terminal that is closed (not below nohup)."""

LOOKS_EVERY = 0.5
"""Seconds between two looks whether a process has ended, and whether a log is large."""

_log = logging.getLogger("supervision")


@dataclass(frozen=True)
class WatchTimes:
    """Seconds until the next part is started although one does not answer yet (its database may be away);
    seconds between two questions whether a part is well; and unanswered ones in a row until it is
    taken to hang, which is a minute or two. A part that has not answered yet is never taken to hang:
    the upgrade of a large database takes as long as it takes."""

    start: float = 90.0
    question: float = 5.0
    unanswered: int = 12


class Supervisor:
    """Starts the parts in their order, and each again when it ends or hangs."""

    def __init__(
        self, parts: Sequence[Part], logs: Sequence[LogFile] = (), times: WatchTimes | None = None
    ) -> None:
        self._parts = parts
        self._logs = logs
        self._times = times or WatchTimes()
        self._stopping = Event()
        self._answered = set[int]()
        """The processes that have answered once."""

    def obey_signals(self) -> None:
        """Have `run` end both at a signal that is to end this process."""
        for number in STOPS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda _number, _frame: self.stop())

    def run(self, when_running: Callable[[], None] = lambda: None) -> str:
        """Run until `stop`; returns "", or why a part did not start at first: no restart cures that.

        when_running: called once, after all were started.
        """
        threads = [Thread(target=self._keep_running, args=(part,)) for part in self._parts]
        try:
            for part, thread in zip(self._parts, threads, strict=True):
                if reason := self._start_first(part):
                    return reason
                thread.start()
            if not self._stopping.is_set():
                when_running()
            while not self._stopping.wait(LOOKS_EVERY):
                self._rotate_logs()
        finally:
            self.stop()
            for thread in threads:
                if thread.is_alive():
                    thread.join()
            stop_all(self._parts)
        return ""

    def stop(self) -> None:
        """Have `run` end both; a signal's handler may call it, as often as it likes."""
        self._stopping.set()

    def _start_first(self, part: Part) -> str:
        if self._stopping.is_set():
            return ""
        part.start()
        latest = monotonic() + self._times.start
        while not part.is_well():
            if part.has_ended:
                return f"{part.name} did not start ({part.exit_text}); {part.last_words}"
            if monotonic() > latest:
                _log.warning("part_does_not_answer_yet part='%s'", part.name)
                return ""
            if self._stopping.wait(LOOKS_EVERY):
                return ""
        self._answered.add(part.pid)
        _log.info("part_started part='%s'", part.name)
        return ""

    def _keep_running(self, part: Part) -> None:
        restarts = Restarts()
        started = monotonic()
        while reason := self._wait_until_failed(part):
            self._answered.discard(part.pid)
            part.stop()
            pause = restarts.pause_after(monotonic() - started)
            _log.error(
                "part_failed part='%s' reason='%s' starts_again_in=%.0fs", part.name, reason, pause
            )
            if self._stopping.wait(pause):
                return
            started = monotonic()
            try:
                part.start()
            except OSError as fault:  # no memory for a process, or no room for its log
                _log.error("part_cannot_start part='%s' fault='%s'", part.name, fault)

    def _wait_until_failed(self, part: Part) -> str:
        """How it ended, or that it hangs; "" once it is to be stopped."""
        unanswered, asked = 0, monotonic()
        while not self._stopping.wait(LOOKS_EVERY):
            if part.has_ended:
                return part.exit_text
            if monotonic() < asked + self._times.question:
                continue
            if part.is_well():
                self._answered.add(part.pid)
                unanswered = 0
            elif part.pid in self._answered:
                unanswered += 1
            if unanswered >= self._times.unanswered:
                return "hangs"
            asked = monotonic()
        return ""

    def _rotate_logs(self) -> None:
        for log in self._logs:
            try:
                log.rotate_when_large()
            except OSError as fault:
                _log.error("log_lost file='%s' fault='%s'", log.path, fault.strerror)

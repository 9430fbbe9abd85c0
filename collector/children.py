"""The processes of a collector: one that writes, the workers that answer, and while there are addresses for notices,
or mail servers, one that sends. Each is started again when it ends."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable, Sequence
from selectors import EVENT_READ, DefaultSelector
from time import monotonic, sleep

from msgspec import Struct

from collector.child import Child
from collector.control import Word, hand_link, hear, say
from collector.worker_slot import WRITER_ROW

STOPS_WITHIN = 3.0
"""Seconds after which what has not ended by then is killed. Nothing that was acknowledged is lost by that."""

WRITER_STOPS_WITHIN = 1.0
"""Seconds that the writer has at least after the last worker: what waits, and the counters."""

RUNS_WELL_AFTER = 10.0
"""Seconds. What ran so long before it ended is started again at once."""

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds before what ended sooner is started again: twice as long each time."""

_LOOKS_EVERY = 0.01
_log = logging.getLogger("collector")


class _Post(Struct):
    """What is to run as a process: row 0 writes, the next are workers, the last one sends. due_at: when it is
    started again. is_wanted: else it is not started."""

    name: str
    row: int
    run: Callable[[socket.socket], object]
    child: Child | None = None
    due_at: float = 0.0
    pause: float = 0.0
    is_wanted: bool = True


class Children:
    """Runs them until it is to leave.

    write, send: what the writer and the sender do, with their control. work: what a worker does, with its row and
    its control. on_ready: is called once, when the first worker serves. forget: is called with the row of one that has ended.
    """

    def __init__(
        self,
        workers: int,
        write: Callable[[socket.socket], object],
        work: Callable[[int, socket.socket], object],
        send: Callable[[socket.socket], object],
        on_ready: Callable[[], None],
        forget: Callable[[int], None],
    ) -> None:
        self._writer = _Post("writer", WRITER_ROW, write)
        rows = range(WRITER_ROW + 1, WRITER_ROW + 1 + workers)
        self._workers = [
            _Post("worker", row, lambda control, row=row: work(row, control)) for row in rows
        ]
        self._sender = _Post("sender", WRITER_ROW + 1 + workers, send, is_wanted=False)
        self._on_ready = on_ready
        self._forget_row = forget
        self._is_ready = False
        self._selector = DefaultSelector()

    def run(self, awake: socket.socket, is_over: Callable[[], bool], looks_every: float) -> None:
        """Until `is_over`, which is asked when `awake` can be read, and every so many seconds."""
        self._selector.register(awake, EVENT_READ)
        while not is_over():
            self._start_due()
            due = min((post.due_at - monotonic() for post in self._missing), default=looks_every)
            for key, _ in self._selector.select(max(min(due, looks_every), 0.0)):
                if key.data is None:
                    awake.recv(64)
                else:
                    self._hear(key.data)

    def stop(self) -> None:
        """The workers answer what has arrived, then the writer commits what waits; all within STOPS_WITHIN."""
        latest = monotonic() + STOPS_WITHIN
        workers = [post.child for post in self._workers if post.child]
        for worker in workers:
            worker.send(signal.SIGTERM)
        if sender := self._sender.child:
            say(sender.control, Word.STOP)
        _end([*workers, *([sender] if sender else [])], latest)
        if writer := self._writer.child:
            say(writer.control, Word.STOP)
            _end([writer], max(latest, monotonic() + WRITER_STOPS_WITHIN))
        for post in self._posts:
            self._forget(post)
        self._selector.close()

    @property
    def _posts(self) -> Sequence[_Post]:
        return [self._writer, *self._workers, self._sender]

    @property
    def _missing(self) -> Sequence[_Post]:
        return [post for post in self._posts if post.child is None and post.is_wanted]

    def _start_due(self) -> None:
        for post in self._missing:
            if post.due_at <= monotonic():
                self._start(post)

    def _start(self, post: _Post) -> None:
        try:
            child = post.child = Child(post.name, post.run)
        except OSError as fault:  # no memory, or no process more
            _log.error("process_cannot_start process=%s fault='%s'", post.name, fault.strerror)
            post.due_at = monotonic() + LONGEST_PAUSE
            return
        self._selector.register(child.control, EVENT_READ, post)
        if post is self._writer:
            for worker in self._workers:
                self._link(worker)
        elif post is not self._sender:
            self._link(post)

    def _link(self, worker: _Post) -> None:
        if worker.child and self._writer.child:
            hand_link(worker.child.control, self._writer.child.control)

    def _hear(self, post: _Post) -> None:
        assert post.child
        said = hear(post.child.control)
        if said.word is Word.READY and not self._is_ready:
            self._is_ready = True
            self._on_ready()
        elif said.word in (Word.ADDRESSES, Word.NO_ADDRESSES):
            self._want_sender(said.word is Word.ADDRESSES)
        elif said.word is None and not post.is_wanted:
            _ = post.child.exit_code
            self._forget(post)
        elif said.word is None:
            self._restart_later(post, post.child)

    def _want_sender(self, is_wanted: bool) -> None:
        self._sender.is_wanted = is_wanted
        if not is_wanted and self._sender.child:
            say(self._sender.child.control, Word.STOP)

    def _restart_later(self, post: _Post, child: Child) -> None:
        ended = child.exit_text
        post.pause = 0.0 if child.ran >= RUNS_WELL_AFTER else _grown(post.pause)
        post.due_at = monotonic() + post.pause
        self._forget(post)
        _log.error(
            "process_failed process=%s pid=%d reason='%s' starts_again_in=%.1fs",
            *(post.name, child.pid, ended, post.pause),
        )

    def _forget(self, post: _Post) -> None:
        if post.child:
            self._selector.unregister(post.child.control)
            post.child.forget()
            self._forget_row(post.row)
            post.child = None


def _grown(pause: float) -> float:
    return min(pause * 2, LONGEST_PAUSE) if pause else FIRST_PAUSE


def _end(children: Sequence[Child], latest: float) -> None:
    """Wait for their end, and kill those that are late."""
    while not all(child.has_ended for child in children) and monotonic() < latest:
        sleep(_LOOKS_EVERY)
    for child in children:
        if not child.has_ended:
            _log.warning("process_killed process=%s pid=%d", child.name, child.pid)
            child.send(signal.SIGKILL)
            _ = child.exit_code

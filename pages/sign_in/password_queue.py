"""The one thread that hashes passwords, and who waits for it.

Hashing takes a core for some 20 ms and 19 MiB. One thread, so that a flood of attempts takes neither both
cores nor the memory. Who waits is taken by urgency, and among equals the newest first: behind a flood
the oldest have given up, and a queue in order would answer nobody in time.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any, TypeVar

MOST_WAITING = 200
"""Some five seconds of work; the least urgent is turned away."""

RETRY_AFTER = 5
"""Seconds until one that was turned away should come again."""

Answer = TypeVar("Answer")
Urgency = tuple[float, ...]


class QueueFull(Exception):
    """Too many wait, and all of the others are more urgent."""


@dataclass(order=True)
class _Waiting:
    urgency: Urgency
    number: int
    work: Callable[[], Any] = field(compare=False)
    answer: Future[Any] = field(compare=False, default_factory=Future)


class PasswordQueue:
    """Work with passwords, one at a time."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._waiting: list[_Waiting] = []
        self._changed = Condition()
        self._thread: Thread | None = None
        self._count = 0

    async def run(self, work: Callable[[], Answer], urgency: Urgency) -> Answer:
        """What the work returns or raises, done on the thread. Raises QueueFull. Higher goes first."""
        return await asyncio.wrap_future(self._put(work, urgency))

    def _put(self, work: Callable[[], Answer], urgency: Urgency) -> Future[Answer]:
        with self._changed:
            self._count += 1
            waiting = _Waiting(urgency, self._count, work)
            insort(self._waiting, waiting)
            last = self._waiting.pop(0) if len(self._waiting) > self._most_waiting else None
            if self._thread is None:
                self._thread = Thread(target=self._work, name="passwords", daemon=True)
                self._thread.start()
            self._changed.notify()
        if last is not None and last.answer.set_running_or_notify_cancel():
            last.answer.set_exception(QueueFull())
        return waiting.answer

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                next_one = self._waiting.pop()
            if not next_one.answer.set_running_or_notify_cancel():
                continue  # whoever asked has gone
            try:
                next_one.answer.set_result(next_one.work())
            except BaseException as error:
                next_one.answer.set_exception(error)

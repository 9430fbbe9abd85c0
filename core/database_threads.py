"""Threads for work on the database: a database that hangs holds up nobody, and collects no threads."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from threading import BoundedSemaphore, Thread
from typing import TypeVar

MOST_THREADS = 8
"""Threads at a time. One that is given up counts until the database lets go of it."""

AT_A_TIME = 4
"""Of these, the ones that an event loop waits for; the others are those that it has given up."""

LOOK_EVERY = 0.1
"""Seconds between two looks of who waits whether it is still worth it."""

MOST_WAITING = 400
"""Calls of an event loop that may wait: a database that hangs must not collect requests."""

Answer = TypeVar("Answer")
Longer = Callable[[], float]
IsVain = Callable[[], bool]


class NoThread(Exception):
    """Every thread waits for the database."""


class TooManyWaiting(NoThread):
    """Every thread waits for the database, and so many calls for a thread that no more may."""


class DatabaseThreads:
    """At most MOST_THREADS threads: for threads by `ask`, for one event loop by `run`."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._free = BoundedSemaphore(MOST_THREADS)
        self._turns = asyncio.Semaphore(AT_A_TIME)
        self._most_waiting = most_waiting
        self._waiting = 0

    def ask(
        self,
        work: Callable[[], Answer],
        within: float,
        longer: Longer = lambda: 0.0,
        is_vain: IsVain = lambda: False,
    ) -> Answer:
        """What the work returns, within so many seconds from now; the wait for a thread counts.

        When they are over, or as soon as the wait `is_vain`, it is waited for as many seconds more as
        `longer` says. Raises NoThread when none has become free, or when it is in vain from the
        beginning, TimeoutError when the work takes longer.
        """
        until = time.monotonic() + within
        if not self._take_place(until, is_vain):
            raise NoThread
        answer = self._start(work)
        while (left := _next_wait(until, is_vain)) and not wait([answer], left).done:
            pass
        if not answer.done():
            wait([answer], longer())
        return answer.result(0)

    async def run(
        self,
        work: Callable[[], Answer],
        within: float | None = None,
        longer: Longer = lambda: 0.0,
        is_vain: IsVain = lambda: False,
    ) -> Answer:
        """What the work returns; TimeoutError so many seconds after its turn has come.

        When they are over, or as soon as the wait `is_vain`, it is waited for as many seconds more as
        `longer` says. Raises NoThread when its turn comes and none is free or it is in vain, and
        TooManyWaiting.
        """
        if self._waiting >= self._most_waiting:
            raise TooManyWaiting
        self._waiting += 1
        try:
            async with self._turns:
                if is_vain() or not self._free.acquire(blocking=False):
                    raise NoThread
                answer = asyncio.wrap_future(self._start(work))
                until = math.inf if within is None else time.monotonic() + within
                try:
                    while (left := _next_wait(until, is_vain)) and not answer.done():
                        await asyncio.wait([answer], timeout=left)
                    if not answer.done():
                        await asyncio.wait([answer], timeout=longer())
                    if not answer.done():
                        raise TimeoutError
                    return answer.result()
                finally:
                    answer.cancel()  # nobody waits any more
        finally:
            self._waiting -= 1

    def _take_place(self, until: float, is_vain: IsVain) -> bool:
        """Whether a thread has become free, which is taken, before the time is over and the wait in vain."""
        while left := _next_wait(until, is_vain):
            if self._free.acquire(timeout=left):
                return True
        return False

    def _start(self, work: Callable[[], Answer]) -> Future[Answer]:
        """What the work will return, on a thread whose place has been taken."""
        answer: Future[Answer] = Future()
        answer.set_running_or_notify_cancel()  # who gives up cancels the wait, not the work
        Thread(target=self._work, args=(work, answer), name="database", daemon=True).start()
        return answer

    def _work(self, work: Callable[[], Answer], answer: Future[Answer]) -> None:
        try:
            give = partial(answer.set_result, work())
        except BaseException as error:
            give = partial(answer.set_exception, error)
        self._free.release()  # first: who gets the answer may ask again at once
        give()


def _next_wait(until: float, is_vain: IsVain) -> float:
    """Seconds to wait until the next look; 0 once the time is over or the wait in vain."""
    left = until - time.monotonic()
    return 0.0 if left <= 0 or is_vain() else min(left, LOOK_EVERY)

"""A thread that repeats small tasks and survives their failures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Event, Thread
from time import monotonic

from msgspec import Struct

_log = logging.getLogger("collector.refresher")


class Task(Struct):
    """A function that is repeated, and the seconds between two runs."""

    name: str
    run: Callable[[], None]
    every: float
    due_at: float = 0.0
    is_failing: bool = False


class Refresher:
    """Runs each task when it is due, until stopped."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks
        self._stop = Event()
        self._thread = Thread(target=self._run, name="refresher", daemon=True)

    def start(self) -> None:
        """Begin; each task is due after its own time for the first time."""
        for task in self._tasks:
            task.due_at = monotonic() + task.every
        self._thread.start()

    def stop(self) -> None:
        """End after the task that is running."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(max(0.0, min(t.due_at for t in self._tasks) - monotonic())):
            for task in self._tasks:
                if task.due_at <= monotonic():
                    _attempt(task)
                    task.due_at = monotonic() + task.every


def _attempt(task: Task) -> None:
    """A fault is logged once when it begins, and once when it is over."""
    try:
        task.run()
    except Exception as fault:
        if not task.is_failing:
            _log.warning("refresh_failed task=%s fault=%s", task.name, type(fault).__name__)
        task.is_failing = True
    else:
        if task.is_failing:
            _log.info("refresh_works_again task=%s", task.name)
        task.is_failing = False

"""Who waits for the thread that hashes, and in which order they are taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event

import pytest

from pages.sign_in.password_queue import PasswordQueue, QueueFull
from tests.helpers.event_loop import run

WITHIN = 30


class BusyQueue:
    """A queue whose thread is held, so that what is put in waits; `order`: what was done since."""

    def __init__(self, most_waiting: int = 200) -> None:
        self.order: list[str] = []
        self._queue = PasswordQueue(most_waiting)
        self._held, self._freed = Event(), Event()
        self._first: asyncio.Task[None] | None = None

    async def hold(self) -> None:
        self._first = asyncio.create_task(self._queue.run(self._wait, (9,)))
        assert await asyncio.to_thread(self._held.wait, WITHIN)

    async def put(self, name: str, *urgency: float) -> asyncio.Task[None]:
        """The task of work that waits by now."""
        work: Callable[[], None] = lambda: self.order.append(name)  # noqa: E731
        task = asyncio.create_task(self._queue.run(work, urgency))
        await asyncio.sleep(0)
        return task

    async def free(self, *tasks: asyncio.Task[None]) -> list[object]:
        """What the tasks ended with."""
        self._freed.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    def _wait(self) -> None:
        self._held.set()
        assert self._freed.wait(WITHIN)


def test_most_urgent_goes_first_and_among_equals_the_newest() -> None:
    async def story() -> list[str]:
        queue = BusyQueue()
        await queue.hold()
        tasks = [
            await queue.put(name, urgency)
            for name, urgency in (("b", 1), ("d", 0), ("a", 1), ("c", 0))
        ]
        await queue.free(*tasks)
        return queue.order

    assert run(story()) == ["a", "b", "c", "d"]


def test_full_queue_turns_away_the_oldest_of_the_least_urgent() -> None:
    async def story() -> tuple[list[object], list[str]]:
        queue = BusyQueue(most_waiting=3)
        await queue.hold()
        tasks = [
            await queue.put(name, urgency)
            for name, urgency in (
                ("known", 1),
                ("old", 0),
                ("new", 0),
                ("newest", 0),
                ("least", -1),
            )
        ]
        return await queue.free(*tasks), queue.order

    ended, order = run(story())
    assert [isinstance(each, QueueFull) for each in ended] == [False, True, False, False, True]
    assert order == ["known", "newest", "new"]


def test_work_of_whoever_has_gone_is_not_done() -> None:
    async def story() -> list[str]:
        queue = BusyQueue()
        await queue.hold()
        gone, stays = await queue.put("gone", 1), await queue.put("stays", 0)
        gone.cancel()
        await asyncio.wait({gone})
        await asyncio.sleep(0)  # the thread's side is told right after
        await queue.free(gone, stays)
        return queue.order

    assert run(story()) == ["stays"]


def test_fault_of_the_work_reaches_whoever_waits_and_stops_nobody_else() -> None:
    queue = PasswordQueue()

    def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run(queue.run(fail, ()))
    assert run(queue.run(lambda: "still there", ())) == "still there"

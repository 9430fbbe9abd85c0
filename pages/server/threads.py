"""Database work of the routes: on threads of its own, so that no other page or stream waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from core.deadline import DatabaseUnavailable

AT_A_TIME = 4
"""Questions of the routes that the database gets at a time; the pages have places of their own."""

MOST_WAITING = 400
"""Questions that may wait for a thread: a database that hangs must not collect requests."""

Answer = TypeVar("Answer")
_threads = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="chat route")
_waiting = 0


async def off_loop(work: Callable[[], Answer]) -> Answer:
    """What the work returns; to be called on the event loop. DatabaseUnavailable when too much waits."""
    global _waiting
    if _waiting >= MOST_WAITING:
        raise DatabaseUnavailable("The database does not answer: too many questions wait for it.")
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work)
    finally:
        _waiting -= 1

"""The memory of pages that were closed, given back.

Streamlit keeps the session of a closed page for a browser that comes back (server.disconnectedSessionTTL),
and ends it only when another page is closed after that: of the last viewers everything would stay. What a
session leaves is in cycles, which Python looks for rarely in a process that has much, and what is freed
is not given back by itself.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pyarrow as pa
from streamlit.runtime import Runtime
from streamlit.runtime.session_manager import SessionStorage

from pages.server.shared import forget_unused

LOOK_EVERY = 20.0
"""Seconds between two looks whether a session has ended."""

_MOST_ARENAS = -8
"""M_ARENA_MAX of glibc."""

_C = ctypes.CDLL(None)
"""The C library. Another one than glibc has neither of the functions that are called."""

_log = logging.getLogger("pages.closed")


@asynccontextmanager
async def freed_pages() -> AsyncGenerator[None]:
    """While it lasts, the memory of closed pages is given back."""
    looking = asyncio.create_task(_look(), name="closed pages")
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def _look() -> None:
    before = _sessions()
    while True:
        await asyncio.sleep(LOOK_EVERY)
        try:
            now = _sessions()
            if forget_unused() or now != before:
                await asyncio.to_thread(give_back)
            before = now
        except Exception as fault:
            _log.warning("closed_pages_not_freed fault=%s", type(fault).__name__)


def _sessions() -> tuple[int, frozenset[str]]:
    """How many there have ever been, and the ids of those that are open or may be opened again; others are ended."""
    manager: Any = Runtime.instance()._session_mgr
    end_expired(manager._session_storage)
    ids = frozenset(each.session.id for each in manager.list_sessions())
    return manager._connect_count, ids


def end_expired(storage: SessionStorage) -> None:
    """End the sessions that are kept longer than they should be. On the event loop, as they end tasks of it."""
    cache = getattr(storage, "_cache", None)
    if cache is not None:
        cache.expire()


def give_back() -> None:
    """Free what nobody refers to any more, and give the system back what is free: 10 to 40 ms."""
    gc.collect()
    with suppress(OSError, AttributeError):
        _C.malloc_trim(0)


def keep_little() -> None:
    """From now on what is freed can be given back. To be called at the start.

    Arrow's own allocator keeps what threads that have ended had freed, and glibc keeps as much for each of
    many threads: 16 and 15 MiB after eight viewers who sort 10,000 visitors.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    with suppress(OSError, AttributeError):
        _C.mallopt(_MOST_ARENAS, 2)

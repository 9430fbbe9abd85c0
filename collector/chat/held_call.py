"""A call that is answered once there is something to say, for as long as its client is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from collector.http.body import Receive
from core.faults import place_fault

Work = Callable[[], Awaitable[None]]

_log = logging.getLogger("collector.stream")


async def while_connected(receive: Receive, work: Work, cut_off: Callable[[], None]) -> None:
    """Do the work, which answers the call, until it has or the client has gone away."""
    task = asyncio.create_task(_or_cut_off(work, cut_off))
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _or_cut_off(work: Work, cut_off: Callable[[], None]) -> None:
    """A response that has begun cannot become a refusal: the client comes again."""
    try:
        await work()
    except Exception as fault:
        if not isinstance(
            fault, OSError | RuntimeError
        ):  # what uvloop raises when the client has left
            _log.error("stream_failed fault=%s at=%s", type(fault).__name__, place_fault(fault))
        cut_off()

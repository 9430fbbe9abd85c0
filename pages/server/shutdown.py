"""The end of the process: a web server waits for its open answers, and a stream never ends by itself."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def on_shutdown(end_streams: Callable[[], None]) -> Generator[None]:
    """`end_streams` is called on the event loop when the process is asked to end, before its server waits.

    The server's own handlers run as before. In a thread that gets no signals nothing is called: then
    it is not the process that ends.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    handlers: dict[int, Any] = {number: signal.getsignal(number) for number in SIGNALS}

    def on_signal(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(end_streams)
        handler = handlers[number]
        if callable(handler):
            handler(number, frame)

    for number in SIGNALS:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

"""The end of the process: a web server waits for open responses, and a stream never ends by itself."""

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
    """Call `end_streams` on the event loop when the process gets a signal to end, before its server waits.

    The server's own handlers run as before. In a thread that gets no signals nothing is called: there
    the end of the server is not the end of the process.
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

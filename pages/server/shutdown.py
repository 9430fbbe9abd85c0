"""The end of the process: a web server waits for its open answers, and a stream never ends by itself."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def on_shutdown(tell: Callable[[], None]) -> Generator[None]:
    """`tell` is called on the event loop when the process is asked to end, before its server waits.

    The server learns of the signal as before. Without signals of its own (in a thread) nothing is
    told: then it is not the process that ends.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {sign: signal.getsignal(sign) for sign in SIGNS}

    def hear(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(tell)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for sign in SIGNS:
        signal.signal(sign, hear)
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)

"""A worker of a collector: answers visitors until it is to stop, and leaves the writing to the writer."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn

from collector.app import App
from collector.control import Word, say
from collector.server import server_config


def serve_app(app: App, listener: socket.socket, control: socket.socket) -> None:
    """Serve until SIGTERM; says by the control when it begins."""
    WorkerServer(app, lambda: say(control, Word.READY)).run([listener])


def end_at_once() -> None:
    """End this process: its parent has ended before it."""
    os._exit(1)


class WorkerServer(uvicorn.Server):
    def __init__(self, app: App, on_started: Callable[[], None]) -> None:
        super().__init__(server_config(app))
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Of the two only the parent's: a Ctrl-C reaches every process of a terminal, and the parent tells."""
        signal.signal(signal.SIGTERM, self.handle_exit)
        yield

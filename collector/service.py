"""What a collector serves: what its processes do, and what each has of the parent that they were forked off."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from msgspec import Struct
from sqlalchemy import Engine

from collector.app import build_app, system_clock
from collector.children import Children
from collector.metrics import Metrics, forget_process, process_numbers
from collector.notices.sender import SendingProcess
from collector.shared_limits import SharedLimits, shared_limits
from collector.shared_numbers import SharedNumbers
from collector.warm_up import warm_up
from collector.worker_process import end_at_once, serve_app
from collector.worker_slot import WRITER_ROW, WorkerSlot
from collector.writer_process import build_writer
from core.database import sqlite_file
from core.open_file import FileRule, inode_of
from core.settings import Settings

GARBAGE_AFTER = 50_000, 10, 10
"""New objects before Python looks for garbage among them; such looks before it looks among older ones; those
before it looks at all: some minutes of 30 requests a second. What was loaded at the start is frozen."""

LOOKS_EVERY = 0.5
"""Seconds between two questions whether it is to go on."""


class Service(Struct):
    """What it serves. engine: its processes', with which the parent connects to nothing. let_go_in_child: gives back
    what the parent has open of the database's file; keeps the serving lock where the process writes."""

    settings: Settings
    engine: Engine
    rule: FileRule
    listener: socket.socket
    workers: int
    let_go_in_child: Callable[[bool], None] = lambda keeps_lock: None

    def serve(
        self, awake: socket.socket, is_over: Callable[[], bool], on_ready: Callable[[], None]
    ) -> None:
        """Until `is_over`; `awake` says when to ask. on_ready: is called once visitors are answered."""
        shared = SharedMemory(
            self.workers,
            process_numbers(2 + self.workers),
            shared_limits(self.workers) if self.workers > 1 else None,
        )
        write, work = partial(self._write, shared), partial(self._work, shared)
        send = partial(self._send, shared)
        children = Children(self.workers, write, work, send, on_ready, shared.forget)
        try:
            children.run(awake, is_over, LOOKS_EVERY)
        finally:
            children.stop()

    def _write(self, shared: SharedMemory, control: socket.socket) -> None:
        self.listener.close()
        self.let_go_in_child(True)
        _collect_rarely()
        writer = build_writer(
            self.settings, self.engine, shared.numbers, control, system_clock, on_lost=end_at_once
        )
        writer.run()
        file = sqlite_file(self.settings.database_url)
        if file is None or inode_of(file) == self.rule.only:
            self.engine.dispose()  # who closes the last connection to another file would take away its log

    def _work(self, shared: SharedMemory, row: int, control: socket.socket) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until it has something to answer
        self.let_go_in_child(False)
        _collect_rarely()
        slot = WorkerSlot(shared.numbers, row, control, shared.limits)
        app = build_app(self.settings, self.engine, slot, on_lost=end_at_once)
        serve_app(app, self.listener, control)

    def _send(self, shared: SharedMemory, control: socket.socket) -> None:
        self.listener.close()
        self.let_go_in_child(False)
        metrics = Metrics(shared.numbers, 1 + self.workers)
        address = self.settings.dashboard_address
        SendingProcess(self.engine, metrics, address, system_clock).run(control)


class SharedMemory(NamedTuple):
    """The memory that the processes share. limits: where there are several workers."""

    workers: int
    numbers: SharedNumbers
    limits: SharedLimits | None

    def forget(self, row: int) -> None:
        """The process of this row has ended: it is at nothing any more, and has nothing open."""
        forget_process(self.numbers, row)
        if self.limits and WRITER_ROW < row <= self.workers:
            self.limits.forget_worker(row)


@contextmanager
def kept_shared(workers: int) -> Generator[None]:
    """While it lasts, processes that are forked off this one share the memory of what is loaded now.

    Python does not look for garbage in it, which would write into all of it. What only a visitor needs is loaded
    now where several workers would each load it later; a worker alone loads it for the first one, in 0.1 s.
    """
    if workers > 1:
        warm_up()
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _collect_rarely() -> None:
    gc.set_threshold(*GARBAGE_AFTER)

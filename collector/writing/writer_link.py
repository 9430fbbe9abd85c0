"""A worker's link to the writer: what waits goes there, its results come back, all on the event loop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from time import monotonic

import msgspec

from collector.metrics import Gauge, Metrics
from collector.writing.codec import (
    ActionCodec,
    decode_held,
    decode_hit_results,
    encode_counts,
    encoded_list,
)
from collector.writing.commit_state import Failing, WriterState
from collector.writing.counters import Counters
from collector.writing.frames import FrameKind, FrameReader, frame
from collector.writing.write_queue import WriteQueue, give

COUNTS_EVERY = 1.0
"""Seconds after which the writer is told what was counted here, and other workers what this one is at."""

CLOSES_WITHIN = 1.0
"""Seconds in which the writer has answered what it has, when the worker ends."""

_LOOKS_EVERY = 0.01
_decode_state = msgspec.msgpack.Decoder(Failing | None).decode


class WriterLink:
    """Sends at the end of each turn of the event loop what has come in it, and much of it sooner. A new writer takes
    over from one that has ended: what that one had, and has not answered, is refused.
    """

    def __init__(
        self,
        queue: WriteQueue,
        counters: Counters,
        state: WriterState,
        actions: ActionCodec,
        metrics: Metrics,
    ) -> None:
        self._queue = queue
        self._counters = counters
        self._state = state
        self._actions = actions
        self._metrics = metrics
        self._connection: _Connection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._has_linked = asyncio.Event()
        queue.send_soon, queue.send_now = self._send_soon, self._send

    def start(self) -> None:
        """Begin to tell what is counted, and to refuse what waits for too long."""
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._tell_counts()),
            loop.create_task(self._queue.answer_overdue()),
        ]

    async def connect(self, writer: socket.socket) -> None:
        """Use this socket from now on."""
        await asyncio.get_running_loop().create_unix_connection(
            lambda: _Connection(self), sock=writer
        )

    def use(self, connection: _Connection) -> None:
        """Send to the writer at its other end what waits, and refuse what another one had."""
        # What comes meanwhile waits for the new one: it is numbered from the beginning.
        before, self._connection = self._connection, None
        self._lose(before)
        self._connection = connection
        self._send()

    async def first_writer(self, within: float) -> None:
        """Wait until there is one, but no longer than so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._has_linked.wait(), within)

    async def stop(self) -> None:
        """End, once what waits is committed; after CLOSES_WITHIN in any case, and at once where nobody writes."""
        self._queue.close()
        self._send_counts()
        latest = monotonic() + CLOSES_WITHIN
        while self._connection and not self._queue.is_empty and monotonic() < latest:
            await asyncio.sleep(_LOOKS_EVERY)
        for task in self._tasks:
            task.cancel()
        if self._connection:
            self._connection.close()

    def receive(self, connection: _Connection, kind: FrameKind, content: bytes) -> None:
        """Take what the writer says."""
        if connection is not self._connection:
            return
        queue = self._queue
        if kind is FrameKind.HIT_RESULTS:
            numbers, results = decode_hit_results(content)
            give(queue.hits.end(numbers), results)
        elif kind is FrameKind.ACTION_RESULTS:
            numbers, done = self._actions.decode_results(content)
            waiting = queue.actions.end(numbers)
            for each in waiting:
                self._metrics.action_committed(monotonic() - each.since)
            give(waiting, done)
        elif kind is FrameKind.HELD_HITS:
            queue.hits.hold(decode_held(content))
        elif kind is FrameKind.HELD_ACTIONS:
            queue.actions.hold(decode_held(content))
        elif kind is FrameKind.STATE:
            self._state.failing = _decode_state(content)
            self._state.is_linked = True
            self._has_linked.set()
            return
        self._send()

    def lose(self, connection: _Connection) -> None:
        """The writer at its other end has ended."""
        if connection is self._connection:
            self._connection = None
            self._lose(connection)

    def _lose(self, connection: _Connection | None) -> None:
        if connection:
            connection.close()
            self._state.is_linked = False
            self._queue.refuse_sent()

    def _send_soon(self) -> None:
        asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        self._metrics.set(Gauge.DEPTH, self._queue.depth)
        if self._connection is None:
            return
        hits, actions = self._queue.take()
        if hits:
            self._connection.write(frame(FrameKind.HITS, encoded_list(hits)))
        if actions:
            self._connection.write(frame(FrameKind.ACTIONS, encoded_list(actions)))

    async def _tell_counts(self) -> None:
        while True:
            await asyncio.sleep(COUNTS_EVERY)
            self._send_counts()
            self._metrics.note()

    def _send_counts(self) -> None:
        if self._connection and not self._counters.is_empty():
            self._connection.write(frame(FrameKind.COUNTS, encode_counts(self._counters.take())))


class _Connection(asyncio.Protocol):
    """One socket to one writer."""

    def __init__(self, link: WriterLink) -> None:
        self._link = link
        self._frames = FrameReader()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._link.use(self)

    def data_received(self, data: bytes) -> None:
        for kind, content in self._frames.read(data):
            self._link.receive(self, kind, content)

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.lose(self)

    def write(self, data: bytes) -> None:
        if self._transport:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport:
            self._transport.close()

"""The writer's inbox: what the workers have sent, and the results that go back to them."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Sequence
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from time import monotonic
from typing import Any

from msgspec import Struct

from collector.control import Word, hear
from collector.writing.codec import ActionCodec, decode_counts, decode_hits, encode
from collector.writing.commit_state import Failing
from collector.writing.counters import Counters
from collector.writing.frames import FrameKind, FrameReader, frame

_PIECE = 262_144
"""Bytes that are read of one worker before it is the next one's turn."""


class WorkerLink:
    """The socket to one worker. What it does not take yet is held: no more than the results of what it may have sent.

    hits, actions: how many of each have come, by which they are numbered.
    """

    def __init__(self, worker: socket.socket) -> None:
        worker.setblocking(False)
        self.socket = worker
        self.frames = FrameReader()
        self.is_open = True
        self.unsent = bytearray()
        self.hits = 0
        self.actions = 0

    def receive(self) -> bytes | None:
        """What has arrived; b"": nothing yet; None: the worker has ended."""
        try:
            return self.socket.recv(_PIECE) or None
        except BlockingIOError:
            return b""
        except ConnectionError:
            return None

    def send(self, data: bytes = b"") -> None:
        """Send it now, or as much as the worker takes, and the rest later."""
        self.unsent += data
        try:
            while self.unsent:
                del self.unsent[: self.socket.send(self.unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self.unsent.clear()  # it has ended: nobody waits for these


class Sent(Struct, gc=False):
    """A message, the worker that it came from, its number among that one's, and when it came (monotonic)."""

    link: WorkerLink
    number: int
    message: Any
    since: float


class Inbox:
    """The messages of all workers, hits and actions in the order in which they came.

    control: by it the links come, and the word to stop. on_lost: is called when nobody is at its other end any more,
    and none had said to stop.
    """

    def __init__(
        self,
        control: socket.socket,
        codec: ActionCodec,
        counters: Counters,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self.hits: deque[Sent] = deque()
        self.actions: deque[Sent] = deque()
        self._codec = codec
        self._counters = counters
        self._on_lost = on_lost
        self._state = frame(FrameKind.STATE, encode(None))
        self._is_stopping = False
        self._links: set[WorkerLink] = set()
        self._selector = DefaultSelector()
        self._selector.register(control, EVENT_READ)
        self._control = control

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self.hits and not self.actions

    @property
    def is_over(self) -> bool:
        """Whether all has been taken, and nothing more will come."""
        return self._is_stopping and not self._links and self.is_empty

    @property
    def is_stopping(self) -> bool:
        """Whether the word to stop has come."""
        return self._is_stopping

    def read(self, seconds: float = 0.0) -> None:
        """Take in what has arrived; if nothing has, wait until something does, at most so long."""
        for key, events in self._selector.select(seconds):
            if key.data is None:
                self._obey()
                continue
            if events & EVENT_WRITE:
                self._send(key.data)
            if events & EVENT_READ:
                self._read(key.data)

    def take_hits(self, most: int) -> Sequence[Sent]:
        """The oldest hits, at most so many."""
        return _take(self.hits, most)

    def take_actions(self, most: int) -> Sequence[Sent]:
        """The oldest actions, at most so many."""
        return _take(self.actions, most)

    def give_hits(self, batch: Sequence[Sent], results: Sequence[Struct]) -> None:
        """Send the results of hits to who has sent these."""
        for link, numbers, own in _by_link(batch, results):
            self._send(link, frame(FrameKind.HIT_RESULTS, encode((numbers, own))))

    def give_actions(self, batch: Sequence[Sent], results: Sequence[Struct]) -> None:
        """Send the results of actions to who has sent these."""
        for link, numbers, own in _by_link(batch, results):
            self._send(
                link, frame(FrameKind.ACTION_RESULTS, self._codec.encode_results(numbers, own))
            )

    def hold_hits(self, held: Sequence[Sent]) -> None:
        """Tell who has sent these hits that they wait here for a busy site, so that others may come."""
        for link, numbers, _ in _by_link(held, held):
            self._send(link, frame(FrameKind.HELD_HITS, encode(numbers)))

    def hold_actions(self, held: Sequence[Sent]) -> None:
        """The same of actions."""
        for link, numbers, _ in _by_link(held, held):
            self._send(link, frame(FrameKind.HELD_ACTIONS, encode(numbers)))

    def tell_state(self, failing: Failing | None) -> None:
        """Tell every worker, and each that comes, whether commits work."""
        self._state = frame(FrameKind.STATE, encode(failing))
        for link in self._links:
            self._send(link, self._state)

    def _obey(self) -> None:
        said = hear(self._control)
        if said.link:
            self._add(WorkerLink(said.link))
        elif said.word is Word.STOP:
            self._is_stopping = True
        elif said.word is None:
            self._selector.unregister(self._control)
            if not self._is_stopping:
                self._on_lost()

    def _add(self, link: WorkerLink) -> None:
        self._links.add(link)
        self._selector.register(link.socket, EVENT_READ, link)
        self._send(link, self._state)  # so that the worker knows that somebody is there

    def _read(self, link: WorkerLink) -> None:
        data = link.receive()
        if data is None:
            self._drop(link)
            return
        now = monotonic()
        for kind, content in link.frames.read(data):
            if kind is FrameKind.HITS:
                hits = decode_hits(content)
                self.hits.extend(
                    Sent(link, at, hit, now) for at, hit in enumerate(hits, link.hits + 1)
                )
                link.hits += len(hits)
            elif kind is FrameKind.ACTIONS:
                actions = self._codec.decode_actions(content)
                first = link.actions + 1
                self.actions.extend(
                    Sent(link, at, each, now) for at, each in enumerate(actions, first)
                )
                link.actions += len(actions)
            elif kind is FrameKind.COUNTS:
                self._counters.add(decode_counts(content))

    def _send(self, link: WorkerLink, data: bytes = b"") -> None:
        if not link.is_open:
            return
        link.send(data)
        events = EVENT_READ | EVENT_WRITE if link.unsent else EVENT_READ
        if self._selector.get_key(link.socket).events != events:
            self._selector.modify(link.socket, events, link)

    def _drop(self, link: WorkerLink) -> None:
        """What it has sent whole is committed yet."""
        link.is_open = False
        self._links.discard(link)
        self._selector.unregister(link.socket)
        link.socket.close()


def _take(lane: deque[Sent], most: int) -> Sequence[Sent]:
    return [lane.popleft() for _ in range(min(len(lane), most))]


def _by_link(
    batch: Sequence[Sent], results: Sequence[Struct]
) -> Sequence[tuple[WorkerLink, list[int], list[Struct]]]:
    """The numbers and results of each worker."""
    own: dict[WorkerLink, tuple[list[int], list[Struct]]] = {}
    for sent, result in zip(batch, results, strict=True):
        found = own.get(sent.link)
        if found is None:
            found = own[sent.link] = [], []
        found[0].append(sent.number)
        found[1].append(result)
    return [(link, *found) for link, found in own.items()]

"""A request that the protocol gives to its route itself: no scope, no task and no message of ASGI.

A beacon is one. To the protocol it is what uvicorn's cycle is of any other request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from collector.http.body import MAX_BYTES
from collector.http.known_heads import KnownHeads
from collector.http.request_head import Headers
from collector.http.responses import Response

GiveAnswer = Callable[[Response], None]


class DirectRoute(Protocol):
    """What takes such requests. It calls `answer` once, with whatever it is, and never raises."""

    def is_at(self, target: bytes) -> bool:
        """Whether it answers this target of a request line, whatever the method."""
        ...

    def read_head(self, method: str, headers: Headers) -> Any:
        """What `begin` wants of a head: the same for the same head, as it may be kept and given again."""
        ...

    def begin(self, head: Any, peer: str, answer: GiveAnswer) -> Any:
        """Take the head; the answer may come before the body. Returns what `go_on` wants."""
        ...

    def go_on(self, incoming: Any, body: bytes) -> None:
        """Take the body, of one that is too large only its first bytes, more than MAX_BYTES."""
        ...


class DirectConnection(Protocol):
    """What such a request wants of its connection."""

    def ask_for_body(self) -> None:
        """Tell the peer, which waits for that, to go on."""
        ...

    def send_answer(self, request: DirectRequest, response: Response) -> None:
        """Send it, and begin with the next request."""
        ...


class DirectRequest:
    """It begins when those before it are answered; until then it holds what has arrived of it."""

    __slots__ = (
        "_body",
        "_connection",
        "_head",
        "_incoming",
        "_is_asking",
        "_is_handed_over",
        "_is_whole",
        "_peer",
        "_route",
        "has_begun",
        "keep_alive",
        "method",
        "response_complete",
    )

    def __init__(
        self,
        connection: DirectConnection,
        route: DirectRoute,
        method: str,
        peer: str,
        head: Any,
        *,
        keep_alive: bool = True,
        is_asking: bool = False,
    ) -> None:
        """head: what the route has read in it. is_asking: the peer waits until it is told to send the body
        (`Expect: 100-continue`)."""
        self.method = method
        self.keep_alive = keep_alive
        self.has_begun = False
        self.response_complete = False
        self._connection = connection
        self._route = route
        self._peer = peer
        self._head = head
        self._is_asking = is_asking
        self._is_whole = False
        self._is_handed_over = False
        self._body = b""
        self._incoming: Any = None

    def begin(self) -> None:
        """Its turn has come."""
        self.has_begun = True
        self._incoming = self._route.begin(self._head, self._peer, self.answer)
        if self.response_complete:
            self._incoming = None
        elif self._is_whole:
            self._hand_over()
        elif self._is_asking:
            self._connection.ask_for_body()

    def take_whole(self, body: bytes) -> None:
        """Its turn has come, and all of it is there."""
        self.has_begun = self._is_whole = self._is_handed_over = True
        incoming = self._route.begin(self._head, self._peer, self.answer)
        if not self.response_complete:
            self._route.go_on(incoming, body)

    def learn(self, heads: KnownHeads, data: bytes, length: int) -> None:
        """Have its head known: it was all of this data, with a body of this length, and nobody is asked for it."""
        if self.keep_alive and not self._is_asking:
            heads.learn(data, length, self.method, self._head)

    def add(self, body: bytes) -> None:
        """A part of the body has arrived."""
        if self._is_whole:
            return
        self._body += body
        if len(self._body) > MAX_BYTES:
            self.complete()

    def complete(self) -> None:
        """As much of the body has arrived as is read."""
        self._is_whole = True
        if self.has_begun:
            self._hand_over()

    def answer(self, response: Response) -> None:
        """Send the answer. What comes after the first one, or after the peer has left, is dropped."""
        self._incoming = None  # which knows this function: else only a collection would free both
        if not self.response_complete:
            self.response_complete = True
            self._connection.send_answer(self, response)

    def leave(self) -> None:
        """The peer has left: what has not arrived whole will not go on."""
        if not self._is_handed_over:
            self._incoming = None

    def _hand_over(self) -> None:
        if not (self._is_handed_over or self.response_complete):
            self._is_handed_over = True
            self._route.go_on(self._incoming, self._body)

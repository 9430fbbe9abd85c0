"""The HTTP protocol with bounds: what a peer sends, reads, or leaves undone costs it its own connection only.

The bounds stand beside it, a file each: `request_size.py`, `request_head.py`, `connections.py` with the
deadlines. This file tells them what happens, and does what they say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from collector.http.connections import BoundedConnection, Connections
from collector.http.deadline import Deadline
from collector.http.direct_protocol import CUT_OFF, DirectProtocol
from collector.http.joined_writes import JoinedWrites
from collector.http.refusal import Refusal, RequestRefused
from collector.http.request_head import by_name, refusal_of_head
from collector.http.request_size import LONGEST_TARGET, PIECE, RequestSize

MOST_PIPELINED = 8
"""Requests that may wait for the answer to the one before them, or come together with it: who is answered at once could
else have thousands answered in one turn of the event loop. No browser sends any, no proxy of note does."""

MOST_DROPPED = 1_048_576
"""Bytes that a peer may still send, unread, after it was refused."""

_HOLDS = "visitor_monitor.holds"


def cut_off_of(scope: Mapping[str, Any]) -> Callable[[], None]:
    """A function that ends the request's connection at once, whatever is still to be written.

    Such a request is not waited for when the collector stops: it lasts as long as it likes.
    """
    extensions = scope["extensions"]
    extensions[_HOLDS] = True
    return extensions[CUT_OFF]


class Protocol(DirectProtocol):
    """One connection. The application has the Connections of its process in `connections`."""

    transport: JoinedWrites  # type: ignore[assignment]
    url: bytes

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._connections: Connections = cast(Any, self).app.connections
        self._deadline: Deadline[BoundedConnection] | None = None
        self._size = RequestSize()
        self._is_ending = False  # what arrives is no longer read
        self._dropped = 0

    # What a peer does

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve a connection."""
        joined = JoinedWrites(transport, self.loop, self._wrote)
        super().connection_made(cast(Any, joined))
        if self._connections.admit(self, self.peer):
            self._wait_for(self._connections.heads)
        else:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, and all that it has left behind."""
        super().connection_lost(exc)
        self._wait_for(None)
        self._connections.leave(self)
        self._is_ending = True
        self.pipeline.clear()
        # What refers to this connection, so that it goes at once and not with Python's collector of garbage.
        self.transport.forget()
        self.parser = self.cycle = cast(Any, None)

    def data_received(self, data: bytes) -> None:
        """Read what has arrived, in pieces that no bound is much exceeded by."""
        if self._is_ending:
            self._drop(len(data))
            return
        self._size.begin_read()
        is_between = self._is_between_requests
        if is_between and (known := self.known_heads.find(data)) is not None:
            self._wait_for(None)
            self.begin_known(known, data[known.size :])
            return
        try:
            if len(data) <= PIECE:
                self._read(data)
            else:
                view = memoryview(data)
                for start in range(0, len(data), PIECE):
                    self._read(view[start : start + PIECE])
        except HttpParserUpgrade:
            self._end_after_answer()  # what follows is in another protocol
        except RequestRefused as refused:
            self.refuse(refused.refusal)
        except HttpParserError as fault:
            cause = fault.__context__
            self.refuse(cause.refusal if isinstance(cause, RequestRefused) else Refusal.MALFORMED)
        else:
            if is_between and self._size.is_one_whole:
                self.learn(data)
            self._await_next()

    # What the parser finds

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        self._size.begin()
        if self._size.came_together > MOST_PIPELINED + 1 or len(self.pipeline) >= MOST_PIPELINED:
            raise RequestRefused(Refusal.PIPELINED)
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Read a part of the address."""
        self.url += url
        if len(self.url) > LONGEST_TARGET:
            raise RequestRefused(Refusal.TARGET_SIZE)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header. One that follows the body is none: a proxy has not looked at it."""
        if not self._size.is_in_body:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Begin to answer, once the head is what it must be."""
        version = self.parser.get_http_version()
        self.by_name = by_name(self.headers)
        refusal = refusal_of_head(version, self.url, self.headers, self.by_name)
        if refusal is not None:
            raise RequestRefused(refusal)
        self._size.complete_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request has arrived."""
        self._size.complete()
        super().on_message_complete()

    # What the application and the server do

    def on_response_complete(self) -> None:
        """Answer the next request, if it is there already, else wait for it."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self._is_ending:
            self.transport.close()
            return
        self.flow.resume_reading()
        if self.pipeline:
            self.begin_next()
        else:
            self._await_next()

    def shutdown(self) -> None:
        """End the connection, after the answer to a request that has arrived whole.

        A response that stays open by nature is not waited for.
        """
        self._connections.stop()
        cycle = self.cycle
        is_scoped = isinstance(cycle, RequestResponseCycle)
        holds = is_scoped and _HOLDS in cast(Any, cycle.scope)["extensions"]
        is_half_there = self._size.is_in_body and not self.pipeline
        if holds or is_half_there or (self._is_ending and not self.is_busy):
            self.abort()
        else:
            self._end_after_answer()
            if self.config.timeout_graceful_shutdown:
                self.loop.call_later(self.config.timeout_graceful_shutdown, self.give_up)

    # What is done with a connection

    @property
    def is_busy(self) -> bool:
        """Whether a request is answered that has arrived."""
        cycle = self.cycle
        if self.pipeline:
            return True
        return cycle is not None and not cycle.response_complete and not self._size.is_in_body

    @property
    def sent(self) -> int:
        """Bytes that were sent to the peer so far."""
        return self.transport.sent

    @property
    def unread(self) -> int:
        """Bytes of them that wait here, as the peer does not read."""
        return self.transport.unread

    def refuse(self, refusal: Refusal) -> None:
        """Say why, and end; requests before this one are answered first, and instead."""
        if refusal is Refusal.SLOW_HEAD and not self._size.head:
            refusal = Refusal.SILENT
        self._connections.count(refusal)
        if self.is_busy:
            self._end_after_answer()
        elif not refusal.status:
            self.close()
        else:
            self._refuse_aloud(refusal)

    def close(self) -> None:
        """End once everything is sent."""
        self._is_ending = True
        self._wait_for(None)
        self.transport.close()

    def abort(self) -> None:
        """End at once."""
        self._is_ending = True
        self._wait_for(None)
        self.transport.abort()

    def _refuse_aloud(self, refusal: Refusal) -> None:
        if self._size.is_in_body and self._has_answered():
            self.abort()
            return
        if self.transport.is_closing():
            self.abort()
            return
        self._is_ending = True
        self.transport.write(refusal.response)
        self.transport.write_eof()
        self.flow.resume_reading()
        self._wait_for(self._connections.lingering)

    def _has_answered(self) -> bool:
        """Whether the answer has begun to a request that does not go on; else it gets none any more."""
        cycle = self.cycle
        if isinstance(cycle, RequestResponseCycle):
            cycle.disconnected = True
            cycle.message_event.set()
            return cycle.response_started
        return cycle is not None and cycle.response_complete

    def _end_after_answer(self) -> None:
        """Read nothing more, answer the request that is being answered, and end."""
        is_busy = self.is_busy
        if is_busy and not self.pipeline and self.cycle is not None:
            self.cycle.keep_alive = False
        self._is_ending = True
        self._wait_for(None)
        self.pipeline.clear()
        if not is_busy or self.is_held:
            self.transport.close()

    def _read(self, piece: bytes | memoryview) -> None:
        self.parser.feed_data(piece)
        refusal = self._size.add(len(piece))
        if refusal is not None:
            raise RequestRefused(refusal)

    @property
    def _is_between_requests(self) -> bool:
        """Whether the next byte is the first one of a request which is answered at once."""
        size, cycle = self._size, self.cycle
        if size.has_begun or size.head or self.pipeline or self.flow.write_paused:
            return False
        return cycle is None or cycle.response_complete

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > MOST_DROPPED:
            self.abort()

    def _await_next(self) -> None:
        """Wait for what has to arrive next, if anything."""
        connections, size = self._connections, self._size
        if size.is_in_body:
            self._wait_for(connections.bodies)
        elif size.head:
            self._wait_for(connections.heads)
        elif self.is_busy:
            self._wait_for(None)
        else:
            self._wait_for(connections.idle)

    def _wait_for(self, deadline: Deadline[BoundedConnection] | None) -> None:
        if deadline is self._deadline:
            return
        now = self.loop.time()
        if self._deadline is not None:
            self._deadline.end(self)
        self._deadline = deadline
        if deadline is not None:
            deadline.begin(self, now)

    def _wrote(self) -> None:
        self._connections.unread.wrote(self, self.loop.time())

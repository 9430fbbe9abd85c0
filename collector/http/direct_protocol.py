"""uvicorn's HTTP protocol, where a route may be direct: its requests need no scope, no task and no message of ASGI.

All others are answered by uvicorn's cycle. Both wait in one pipeline, and are answered in their order.
A base class of its own, because what a connection may cost (`protocol.py`) has nothing to do with who answers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast

from httptools import HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from collector.http.default_lines import default_lines
from collector.http.direct_request import DirectRequest, DirectRoute
from collector.http.joined_writes import JoinedWrites
from collector.http.known_heads import KnownHead, KnownHeads
from collector.http.request_head import Headers
from collector.http.responses import CONTINUE, Response, refused
from core.reasons import Reason

CUT_OFF = "visitor_monitor.cut_off"
"""The extension of a scope that ends its connection at once."""


class DirectProtocol(HttpToolsProtocol):
    """One connection. The application has its direct route in `direct`, or None, and the heads of its process in
    `known_heads`.

    cycle: of the request that arrives, or has arrived last. by_name: its headers, once all are there.
    """

    parser: HttpRequestParser  # type: ignore[assignment]
    transport: JoinedWrites  # type: ignore[assignment]
    by_name: Headers
    cycle: RequestResponseCycle | DirectRequest | None  # type: ignore[assignment]
    pipeline: deque[tuple[RequestResponseCycle | DirectRequest, Any]]  # type: ignore[assignment]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.peer = ""
        self.known_heads: KnownHeads = cast(Any, self).app.known_heads
        self._direct: DirectRoute | None = cast(Any, self).app.direct
        self._answering: DirectRequest | None = None
        self.is_held = False  # the next request waits until the peer reads; none is being answered

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve a connection."""
        super().connection_made(transport)
        self.peer = self.client[0] if self.client else ""

    def connection_lost(self, exc: Exception | None) -> None:
        """A direct request that has arrived goes on: its hit is committed all the same."""
        if isinstance(self.cycle, DirectRequest):
            self.cycle.leave()
            self.cycle = None
        self._answering = None
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to read a request; its scope is made once it is known that it needs one."""
        self.url = b""
        self.headers = []

    def on_headers_complete(self) -> None:
        """Begin to answer, or have it wait for those before it."""
        if self.transport.is_closing():
            return
        self.expect_100_continue = self.by_name.get(b"expect", b"").lower() == b"100-continue"
        if self._direct is None or not self._direct.is_at(self.url):
            self._begin_scope()
            super().on_headers_complete()
            return
        before, request = self.cycle, self._direct_request(self._direct)
        self.cycle = request  # type: ignore[assignment]
        if before is None or before.response_complete:
            self._begin(request, None)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((request, None))

    def on_body(self, body: bytes) -> None:
        """Read a part of the body."""
        if isinstance(self.cycle, DirectRequest):
            self.cycle.add(body)
        elif self.cycle is not None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has arrived."""
        if isinstance(self.cycle, DirectRequest):
            self.cycle.complete()
        elif self.cycle is not None:
            super().on_message_complete()

    def begin_known(self, known: KnownHead, body: bytes) -> None:
        """Begin to answer a direct request that is there whole; nothing is before it, and the peer has read."""
        if self.transport.is_closing() or self._direct is None:
            return
        request = DirectRequest(self, self._direct, known.method, self.peer, known.head)
        self.cycle = self._answering = request  # type: ignore[assignment]
        request.take_whole(body)

    def learn(self, data: bytes) -> None:
        """Remember the head of the one whole request that was all of this data, if it says how long that is."""
        request, headers = self.cycle, self.by_name
        if not isinstance(request, DirectRequest) or self.transport.is_closing():
            return
        length = headers.get(b"content-length", b"")
        if length.isdigit() and b"transfer-encoding" not in headers:
            request.learn(self.known_heads, data, int(length))

    def resume_writing(self) -> None:
        """The peer has read: go on with what waits for that."""
        super().resume_writing()
        if self.is_held:
            self.is_held = False
            self.begin_next()

    def begin_next(self) -> None:
        """Begin to answer the next one of those that wait, if any."""
        if self.pipeline and not self.is_held:
            self._begin(*self.pipeline.pop())

    def ask_for_body(self) -> None:
        """Tell the peer, which waits for that, to go on."""
        self.transport.write(CONTINUE)

    def send_answer(self, request: DirectRequest, response: Response) -> None:
        """Send it, and begin with the next request."""
        transport = self.transport
        if transport.is_closing():
            return
        is_last = response.head.ends or not request.keep_alive
        more = default_lines(self.server_state.default_headers)
        has_body = request.method != "HEAD"
        transport.write_now(response.as_sent(more, is_last=is_last, has_body=has_body))
        if is_last:
            transport.close()
        self.on_response_complete()

    def give_up(self) -> None:
        """The process ends, and this request has waited for long: its client is to send it again."""
        if self._answering is not None:
            self._answering.answer(refused(Reason.NOT_COMMITTED))

    def _direct_request(self, route: DirectRoute) -> DirectRequest:
        parser = self.parser
        method = parser.get_method().decode()
        return DirectRequest(
            self,
            route,
            method,
            self.peer,
            route.read_head(method, self.by_name),
            keep_alive=parser.should_keep_alive() and parser.get_http_version() != "1.0",
            is_asking=self.expect_100_continue,
        )

    def _begin_scope(self) -> None:
        """What uvicorn makes of the first byte of a request."""
        url, headers, is_asking = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, is_asking
        self.headers += headers  # the scope has this list
        cast(Any, self.scope)["extensions"] = {CUT_OFF: self.transport.abort}

    def _begin(self, request: RequestResponseCycle | DirectRequest, app: Any) -> None:
        """Begin to answer; a direct request waits until the peer has read what was sent before.

        uvicorn's cycle waits for that when it sends.
        """
        if isinstance(request, RequestResponseCycle):
            self._answering = None
            self._start_asgi_task(request, app)
        elif self.flow.write_paused:
            self.is_held = True
            self.flow.pause_reading()
            self.pipeline.append((request, None))
        else:
            self._answering = request
            request.begin()

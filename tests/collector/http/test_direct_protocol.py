"""A direct request waits until its peer has read what was sent before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.server import ServerState

from collector.http import responses
from collector.http.connections import Connections
from collector.http.held_counts import OwnCounts
from collector.http.known_heads import KnownHeads
from collector.http.protocol import MOST_PIPELINED, Protocol
from collector.http.refusal import Refusal
from collector.metrics import Metrics, process_numbers
from collector.server import server_config
from core.client import Clients
from tests.helpers.raw_connection import get


class Peer:
    """The transport of a connection; it notes what is sent."""

    def __init__(self) -> None:
        self.received = b""
        self.is_over = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 5_000) if name == "peername" else default

    def is_closing(self) -> bool:
        return self.is_over

    def write(self, data: bytes) -> None:
        self.received += data

    def close(self) -> None:
        self.is_over = True

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    @property
    def answers(self) -> int:
        """How many it has been given."""
        return self.received.count(b"HTTP/1.1 204 ")


class Application:
    """All its paths are direct, and answered at once."""

    def __init__(self) -> None:
        self.connections = Connections(
            5,
            Clients((), lambda _: None),
            Metrics(process_numbers(1), 0, tuple(Refusal)),
            OwnCounts(),
        )
        self.direct = self
        self.known_heads = KnownHeads()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    def is_at(self, _target: bytes) -> bool:
        return True

    def read_head(self, _method: str, _headers: Any) -> None: ...

    def begin(self, _head: None, _peer: str, answer: Callable[..., None]) -> None:
        answer(responses.nothing_new())

    def go_on(self, _incoming: None, _body: bytes) -> None: ...


def on_loop(test: Callable[[Protocol, Peer], None]) -> None:
    """Run the test with a connection."""

    async def run() -> None:
        config = server_config(Application())
        config.load()
        protocol, peer = Protocol(config, ServerState(), {}), Peer()
        transport: Any = peer
        protocol.connection_made(transport)
        test(protocol, peer)
        protocol.connection_lost(None)

    asyncio.run(run())


def test_request_is_answered_once_the_peer_has_read():
    def test(protocol: Protocol, peer: Peer) -> None:
        protocol.pause_writing()
        protocol.data_received(get("/a") * 3)
        assert peer.answers == 0
        protocol.resume_writing()
        assert peer.answers == 3
        protocol.data_received(get("/a"))
        assert peer.answers == 4

    on_loop(test)


def test_answer_that_fills_the_peer_holds_the_next_one():
    def test(protocol: Protocol, peer: Peer) -> None:
        write = peer.write

        def fill(data: bytes) -> None:
            write(data)
            protocol.pause_writing()

        peer.write = fill  # type: ignore[method-assign]
        protocol.data_received(get("/a") * 3)
        assert peer.answers == 1
        protocol.resume_writing()
        assert peer.answers == 2

    on_loop(test)


def test_connection_ends_where_too_many_wait_for_that():
    def test(protocol: Protocol, peer: Peer) -> None:
        protocol.data_received(get("/a"))
        protocol.pause_writing()
        for _ in range(MOST_PIPELINED + 1):
            assert not peer.is_over
            protocol.data_received(get("/a"))
        assert peer.is_over
        assert peer.answers == 1

    on_loop(test)


def test_held_connection_ends_at_a_stop():
    def test(protocol: Protocol, peer: Peer) -> None:
        protocol.pause_writing()
        protocol.data_received(get("/a"))
        protocol.shutdown()
        assert peer.is_over

    on_loop(test)

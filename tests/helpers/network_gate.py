"""A small proxy in front of the real collector: it records what passes, and makes faults on demand.

A fault is a function (passage, forward) -> Reply | None; None closes the connection unanswered.
Beacons and the chat's requests have faults of their own. Streams, and calls of listeners, are passed on as they
come, and end with the browser's connection.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, X-Drop-Reason",
}


@dataclass
class Passage:
    """One request as the browser sent it; `shop` is the site key, or the page's first host label."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    shop: str
    status: int = 0

    @property
    def is_beacon(self) -> bool:
        return self.path == "/v1/beacon" and self.method == "POST"

    @property
    def beacon(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def chat(self) -> str:
        """The action of a request of the chat: "send", "stream", ...; "" for other requests."""
        _, is_chat, action = self.path.partition("/v1/conversation/")
        return action if is_chat and self.method == "POST" else ""


@dataclass
class Reply:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: Iterator[bytes] | None = None
    end_stream: Callable[[], object] = bool


Forward = Callable[[Passage], Reply | None]
Fault = Callable[[Passage, Forward], Reply | None]


class NetworkGate:
    """The requests that passed, and the fault of each shop."""

    def __init__(self, port: int, collector_port: int) -> None:
        self.passages: list[Passage] = []
        self.faults: dict[str, Fault] = {}
        self.chat_faults: dict[str, Fault] = {}
        self.collector_port = collector_port
        self.taken_off = ""
        """The begin of a path that the collector does not get to see."""
        self.url = f"http://127.0.0.1:{port}"

    def take(self, passage: Passage) -> Reply | None:
        self.passages.append(passage)
        faults = self.faults if passage.is_beacon else self.chat_faults if passage.chat else {}
        fault = faults.get(passage.shop)
        reply = fault(passage, self.forward) if fault else self.forward(passage)
        passage.status = reply.status if reply else 0
        return reply

    def forward(self, passage: Passage) -> Reply | None:
        connection = HTTPConnection("127.0.0.1", self.collector_port, timeout=30)
        headers = {name: value for name, value in passage.headers.items() if name != "connection"}
        try:
            path = passage.path.removeprefix(self.taken_off)
            connection.request(passage.method, path, passage.body or None, headers)
            upstream = connection.sock
            answer = connection.getresponse()
            is_stream = answer.headers["X-Accel-Buffering"] == "no"
            body = b"" if is_stream else answer.read()
        except (OSError, HTTPException):
            connection.close()
            return None
        kept = {k: v for k, v in answer.getheaders() if k.lower() not in _OWN_HEADERS}
        if is_stream:
            end_stream = partial(upstream.shutdown, socket.SHUT_RDWR)
            return Reply(answer.status, kept, b"", _parts(answer, connection), end_stream)
        connection.close()
        return Reply(answer.status, kept, body)


_OWN_HEADERS = ("content-length", "transfer-encoding", "connection", "date")


def _parts(answer: HTTPResponse, connection: HTTPConnection) -> Iterator[bytes]:
    """The parts of a response, as they arrive."""
    with closing(connection), suppress(OSError, HTTPException):
        while part := answer.read1():
            yield part


def refuse(passage: Passage, forward: Forward) -> Reply | None:
    """A fault: the collector is down."""
    return None


def lose(passage: Passage, forward: Forward) -> Reply | None:
    """A fault: the collector takes the beacon, but its answer never arrives."""
    forward(passage)
    return None


def answer(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Fault:
    """A fault: this answer in place of the collector's."""
    return lambda passage, forward: Reply(status, {**OPEN, **(headers or {})}, body)


def slow(seconds: float) -> Fault:
    def wait(passage: Passage, forward: Forward) -> Reply | None:
        time.sleep(seconds)
        return forward(passage)

    return wait


def buffer(passage: Passage, forward: Forward) -> Reply | None:
    """A fault: the proxy passes a response on only when it is complete."""
    reply = forward(passage)
    if reply is not None and reply.stream is not None:
        reply.body, reply.stream = b"".join(reply.stream), None
    return reply


def rewrite(change: Callable[[dict[str, Any]], None]) -> Fault:
    """A fault: the collector gets a changed beacon."""

    def pass_changed(passage: Passage, forward: Forward) -> Reply | None:
        beacon = passage.beacon
        change(beacon)
        body = json.dumps(beacon).encode()
        headers = {**passage.headers, "content-length": str(len(body))}
        return forward(Passage(**{**vars(passage), "body": body, "headers": headers}))

    return pass_changed


def first(times: int, fault: Fault) -> Fault:
    """The fault for the first beacons, then none."""
    left = iter(range(times))
    lock = threading.Lock()

    def limited(passage: Passage, forward: Forward) -> Reply | None:
        with lock:
            is_faulty = next(left, None) is not None
        return fault(passage, forward) if is_faulty else forward(passage)

    return limited


@contextmanager
def open_gate(collector_port: int) -> Iterator[NetworkGate]:
    """A gate on a free port."""

    class GateHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            shop = _shop_of(headers, body)
            passage = Passage(self.command, self.path, headers, body, time.monotonic(), shop)
            reply = gate.take(passage)
            if reply is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.stream is not None:
                self.send_header("Connection", "close")
            elif reply.status != 204:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if reply.stream is not None:
                threading.Thread(target=self._await_end, args=[reply], daemon=True).start()
            for part in reply.stream or [reply.body]:
                self.wfile.write(part)

        def _await_end(self, reply: Reply) -> None:
            """End the stream once the browser has left; it sends nothing more on this connection."""
            with suppress(OSError, ValueError):
                self.connection.recv(1, socket.MSG_PEEK)
            with suppress(OSError):
                reply.end_stream()

        do_GET = do_POST = do_OPTIONS = _pass

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with serving(GateHandler) as port:
        gate = NetworkGate(port, collector_port)
        yield gate


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """An HTTP server in a thread; yields its port."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # browsers close connections at any time

    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def _shop_of(headers: dict[str, str], body: bytes) -> str:
    try:
        return json.loads(body)["k"]
    except (ValueError, KeyError, TypeError):
        page = headers.get("origin") or headers.get("referer") or ""
        return (urlsplit(page).hostname or "").partition(".")[0]


def held(is_let_through: threading.Event) -> Fault:
    """A fault: parts of a stream arrive only while the event is set."""

    def hold(parts: Iterator[bytes]) -> Iterator[bytes]:
        for part in parts:
            is_let_through.wait(60)
            yield part

    def pass_on(passage: Passage, forward: Forward) -> Reply | None:
        reply = forward(passage)
        if reply and reply.stream:
            reply.stream = hold(reply.stream)
        return reply

    return pass_on

"""The attacks, each a function of the collector's port: how many of its connections were open at its end."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

GIVES_UP_AFTER = 15.0
"""Seconds that an attack goes on, or waits for its connections to be closed."""

MEBIBYTE = 1 << 20
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
SCRIPT = b"GET /embed/visitor-monitor-chat.js HTTP/1.1\r\nHost: x\r\n\r\n"
BEACON = b"POST /v1/beacon HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"POST /v1/beacon HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


class Attack(NamedTuple):
    """files: how many the collector may open, 0 for as many as the system allows."""

    run: Callable[[int], int]
    files: int = 0


def pipeline_unread(port: int) -> int:
    """24 MiB of requests on four connections, of which no answer is read."""
    return _pour(_open(port, 4), GET * (MEBIBYTE // len(GET)), 6)


def endless_header(port: int) -> int:
    """A header of 64 MiB."""
    (connection,) = _open(port, 1)
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: ")
    return _pour([connection], b"a" * MEBIBYTE, 64)


def endless_trailer(port: int) -> int:
    """32 MiB of headers after a body."""
    (connection,) = _open(port, 1)
    connection.sendall(CHUNKED + b"2\r\n{}\r\n0\r\n")
    return _pour([connection], b"A: b\r\n" * (MEBIBYTE // 6), 32)


def half_heads(port: int) -> int:
    """800 requests without an end."""
    return _wait(_send(_open(port, 800), b"GET /healthz HTTP/1.1\r\nHost:"))


def half_bodies(port: int) -> int:
    """800 beacons without an end."""
    return _wait(_send(_open(port, 800), BEACON + b"{"))


def bodies_for_nobody(port: int) -> int:
    """400 requests with a body that no route reads, and that never ends."""
    head = GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 1000000000\r\n\r\n")
    connections = _send(_open(port, 400), head)
    return _pour(connections, b"a" * 65_536, 4) and _wait(connections)


def unread_answers(port: int) -> int:
    """100 connections that ask for a script 4,000 times, one after another, and read nothing."""
    connections = _open(port, 100)
    for connection in connections:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    _send(connections, b"")
    until = time.monotonic() + GIVES_UP_AFTER / 2
    while time.monotonic() < until:
        for connection in connections:
            with suppress(OSError):
                connection.send(SCRIPT)
        time.sleep(0.002)
    return _wait(connections)


def flood_of_connections(port: int) -> int:
    """2,000 connections on which nothing comes, to a collector that may open 1,024 files."""
    return _wait(_open(port, 2_000))


def reconnects(port: int) -> int:
    """20,000 connections, each closed in the middle of a request that waits for another."""
    until = time.monotonic() + GIVES_UP_AFTER
    for _ in range(20_000):
        if time.monotonic() > until:
            break
        for connection in _send(_open(port, 1), GET * 4 + BEACON + b"{"):
            connection.close()
    return 0


ATTACKS = {
    "pipeline-unread": Attack(pipeline_unread),
    "endless-header": Attack(endless_header),
    "endless-trailer": Attack(endless_trailer),
    "half-heads": Attack(half_heads),
    "half-bodies": Attack(half_bodies),
    "bodies-for-nobody": Attack(bodies_for_nobody),
    "unread-answers": Attack(unread_answers),
    "connections": Attack(flood_of_connections, files=1_024),
    "reconnects": Attack(reconnects),
}


def _open(port: int, number: int) -> list[socket.socket]:
    connections: list[socket.socket] = []
    for _ in range(number):
        connection = socket.socket()
        connection.settimeout(2)
        with suppress(OSError):
            connection.connect(("127.0.0.1", port))
        connections.append(connection)
    return connections


def _send(connections: list[socket.socket], data: bytes) -> list[socket.socket]:
    for connection in connections:
        with suppress(OSError):
            connection.sendall(data)
        connection.setblocking(False)
    return connections


def _pour(connections: Iterable[socket.socket], data: bytes, times: int) -> int:
    """Send the data so many times, as fast as it is taken; how many connections were not closed."""
    until = time.monotonic() + GIVES_UP_AFTER
    rest = {connection: memoryview(data * times) for connection in connections}
    for connection in rest:
        connection.setblocking(False)
    is_open = dict.fromkeys(rest, True)
    while rest and time.monotonic() < until:
        for connection, left in list(rest.items()):
            try:
                rest[connection] = left[connection.send(left[:262_144]) :]
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:
                is_open[connection] = False
                del rest[connection]
                continue
            if not rest[connection]:
                del rest[connection]
    time.sleep(1)
    return sum(is_open.values())


def _wait(connections: list[socket.socket]) -> int:
    """How many have not been closed in time. What comes is not read, but where it is the end."""
    until = time.monotonic() + GIVES_UP_AFTER
    for connection in connections:
        connection.setblocking(False)
    while (held := sum(map(_is_open, connections))) and time.monotonic() < until:
        time.sleep(0.5)
    return held


def _is_open(connection: socket.socket) -> bool:
    """Whether the collector has not closed it: what it has sent before does not count."""
    if connection.fileno() < 0:
        return False
    state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state == 1  # TCP_ESTABLISHED

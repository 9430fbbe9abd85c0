"""A connection to a collector that sends exactly the bytes it is given."""

from __future__ import annotations

import socket
from contextlib import suppress
from types import TracebackType

ENDS_WITHIN = 30.0
"""Seconds that a test waits at most for a connection to end."""


def get(path: str, *headers: str, version: str = "1.1", host: str = "x") -> bytes:
    """A GET with these headers."""
    lines = [f"GET {path} HTTP/{version}", f"Host: {host}", *headers, "", ""]
    return "\r\n".join(lines).encode()


class RawConnection:
    """`received`: what has come so far. `is_over`: the collector has ended the connection."""

    def __init__(self, port: int, timeout: float = ENDS_WITHIN) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.received = b""
        self.is_over = False

    def __enter__(self) -> RawConnection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, data: bytes) -> RawConnection:
        """Send it all; what the collector no longer takes is left."""
        with suppress(ConnectionError, TimeoutError):
            self._socket.sendall(data)
        return self

    def read_until(self, mark: bytes) -> bytes:
        """What has come once the mark is in it, or the connection is over."""
        while mark not in self.received and not self.is_over:
            self._read()
        return self.received

    def read_to_end(self) -> bytes:
        """What has come until the collector has ended the connection. Raises TimeoutError."""
        while not self.is_over:
            self._read()
        return self.received

    def look_whether_over(self) -> bool:
        """Whether the collector has ended the connection by now, without waiting."""
        before = self._socket.gettimeout()
        self._socket.setblocking(False)
        with suppress(BlockingIOError):
            while not self.is_over:
                self._read()
        self._socket.settimeout(before)
        return self.is_over

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def _read(self) -> None:
        try:
            data = self._socket.recv(65_536)
        except ConnectionError:
            data = b""
        self.received += data
        self.is_over = not data


class UnreadConnection:
    """A connection of which nothing is read: the system takes little of an answer for it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setblocking(False)

    def __enter__(self) -> UnreadConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def asks_in_vain(self, request: bytes) -> bool:
        """Whether the collector has ended the connection, after one request more."""
        try:
            self._socket.send(request)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return False

"""A port for a server that a test starts."""

from __future__ import annotations

import random
import socket

_PORTS = range(20_000, 32_000)
"""Below those that the system gives to outgoing connections (32768 and up on Linux): one of these
may be given away between the moment when it is found free and the moment when the server listens."""


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port

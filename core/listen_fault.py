"""Whether a server can listen where it is to: asked before it starts, so that the cure can be told."""

from __future__ import annotations

import errno
import socket


def listen_fault(host: str, port: int, server: str) -> str:
    """Why nobody can listen there, with the cure; "" when it is free.

    server: "COLLECTOR" or "DASHBOARD", as in the names of its settings.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as fault:
        if fault.errno == errno.EADDRINUSE:
            return (
                f"Port {port} is in use: end the program that uses it, "
                f"or choose another: MONITOR_{server}_PORT={port + 10}"
            )
        return (
            f"Cannot listen on {host} port {port} ({fault.strerror or fault}): choose an address of this "
            f"machine and a port from 1024 on: MONITOR_{server}_HOST, MONITOR_{server}_PORT"
        )
    return ""

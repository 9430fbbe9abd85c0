"""A Python process that notes whom it asks outside this machine, and asks nobody."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_GUARD = """
import socket

NOTES = {notes!r}
HERE = ("127.", "::1", "localhost", "0.0.0.0", "::")


def refuse_outside(host):
    if host is not None and not str(host).startswith(HERE):
        with open(NOTES, "a") as notes:
            notes.write(f"{{host}}\\n")
        raise OSError(f"{{host}} is outside")


def guarded(function, host_of):
    def call(*arguments, **named):
        refuse_outside(host_of(*arguments))
        return function(*arguments, **named)
    return call


def host_of_address(_socket, address):
    return address[0] if isinstance(address, tuple) else None


class Guarded(socket.socket):
    connect = guarded(socket.socket.connect, host_of_address)
    connect_ex = guarded(socket.socket.connect_ex, host_of_address)


socket.socket = Guarded
socket.getaddrinfo = guarded(socket.getaddrinfo, lambda host, *_: host)
"""


class OutsideGuard:
    """The guard of the processes that are started with its `variables`."""

    def __init__(self, folder: Path) -> None:
        self._notes = folder / "asked"
        text = _GUARD.format(notes=str(self._notes))
        (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
        before = os.environ.get("PYTHONPATH")
        self.variables: dict[str, Any] = {
            "PYTHONPATH": f"{folder}{os.pathsep}{before}" if before else str(folder)
        }

    @property
    def asked(self) -> list[str]:
        """The names and addresses outside that were asked."""
        return self._notes.read_text(encoding="utf-8").split() if self._notes.exists() else []

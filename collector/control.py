"""The socket between a process of the collector and its parent: by it links come, and the word to stop.

One byte is a message; a link is a socket to another process, and comes with its message. What reads nothing has
lost its parent.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from enum import Enum
from typing import NamedTuple


class Word(bytes, Enum):
    """LINK: here is a socket to another process. STOP: end once what has arrived is done. READY: I serve.

    ADDRESSES, NO_ADDRESSES: there are, or are no more, addresses to which notices go, or mail servers.
    """

    LINK = b"L"
    STOP = b"S"
    READY = b"R"
    ADDRESSES = b"A"
    NO_ADDRESSES = b"N"


class Said(NamedTuple):
    """word: None when the other end is closed. link: the socket that came with it."""

    word: Word | None
    link: socket.socket | None = None


def say(control: socket.socket, word: Word) -> None:
    """Tell the other end; whoever has ended need not be told."""
    with suppress(OSError):
        control.send(word.value)


def hand_link(one: socket.socket, other: socket.socket) -> None:
    """Connect the two processes at the other ends of these controls with each other."""
    for control, end in zip((one, other), socket.socketpair(), strict=True):
        with end, suppress(OSError):  # whoever takes the place of one that has ended is linked anew
            socket.send_fds(control, [Word.LINK.value], [end.fileno()])


def hear(control: socket.socket) -> Said:
    """The next message; waits for it unless the socket is non-blocking."""
    try:
        said, links, _, _ = socket.recv_fds(control, 1, 1)
    except ConnectionError:
        return Said(None)
    if not said:
        return Said(None)
    return Said(Word(said), socket.socket(fileno=links[0]) if links else None)

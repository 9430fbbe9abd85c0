"""How messages travel between a worker and the writer: a length, a kind, and so many bytes."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct

_HEAD = Struct("!IB")


class FrameKind(IntEnum):
    """What a frame has. A worker sends the first three, the writer the others."""

    HITS = 1
    ACTIONS = 2
    COUNTS = 3
    HIT_RESULTS = 4
    ACTION_RESULTS = 5
    STATE = 6
    HELD_HITS = 7
    HELD_ACTIONS = 8


def frame(kind: FrameKind, content: bytes) -> bytes:
    """The bytes of one frame."""
    return _HEAD.pack(len(content), kind) + content


class FrameReader:
    """Puts together what arrives in pieces."""

    def __init__(self) -> None:
        self._held = bytearray()

    def read(self, data: bytes) -> Iterator[tuple[FrameKind, bytes]]:
        """The frames that are whole by now; what is left waits for more."""
        held = self._held
        held += data
        start = 0
        try:
            while len(held) - start >= _HEAD.size:
                length, kind = _HEAD.unpack_from(held, start)
                end = start + _HEAD.size + length
                if len(held) < end:
                    break
                content, start = bytes(held[start + _HEAD.size : end]), end
                yield FrameKind(kind), content
        finally:
            del held[:start]

"""The headers that uvicorn adds to every response, such as the date, as they travel."""

from __future__ import annotations

from collections.abc import Sequence

Pairs = Sequence[tuple[bytes, bytes]]

_known: tuple[Pairs, bytes] = ((), b"")


def default_lines(pairs: Pairs) -> bytes:
    """The lines of these headers. uvicorn makes a new list each second: they are written once for each."""
    global _known
    known, lines = _known
    if known is not pairs:
        lines = b"".join([b"%b: %b\r\n" % pair for pair in pairs])
        _known = pairs, lines
    return lines

"""The headers that uvicorn adds to every response, such as the date, as they travel."""

from __future__ import annotations

from collector.http.request_head import HeaderPairs

_known: tuple[HeaderPairs, bytes] = ((), b"")


def default_lines(pairs: HeaderPairs) -> bytes:
    """The lines of these headers. uvicorn makes a new list each second: they are written once for each."""
    global _known
    known, lines = _known
    if known is not pairs:
        lines = b"".join([b"%b: %b\r\n" % pair for pair in pairs])
        _known = pairs, lines
    return lines

"""Viewers' pages are drawn one after another, where many would be drawn at once: when a new picture has come.

Python runs one thread at a time anyhow. Eight that fight for it take a tenth more processor time for the same pages
than eight that take turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

LONGEST_WAIT = 0.2
"""Seconds: after a page that takes long, or waits for the database, nobody waits any longer."""

_turn = Lock()


@contextmanager
def turn() -> Iterator[None]:
    """Wait until no other page is being drawn, at most LONGEST_WAIT."""
    is_ours = _turn.acquire(timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        if is_ours:
            _turn.release()

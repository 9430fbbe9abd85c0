"""How much of a request has arrived: a head and what surrounds a body are bounded while they arrive.

The parser keeps an unfinished header until its end comes, and copies it with each piece: without a bound, 120 MiB
of one header took 17 s, in which nobody else was answered.
"""

from __future__ import annotations

from collector.http.refusal import Refusal

MOST_OF_HEAD = 16_384
"""Bytes of a request line and its headers together; a piece more where the head ends in it."""

LONGEST_TARGET = 8_192
"""Bytes of the address in the request line; RFC 9112 (3) asks for at least 8,000 octets of the whole line."""

MOST_HEADERS = 100
"""Headers of a request. Browsers send 15 to 25, a proxy and a CDN add some 20."""

MOST_OF_BODY = 131_072
"""Bytes of a body as it travels, eight times what a route reads: chunks of one byte each take six."""

PIECE = 4_096
"""Bytes that the parser gets at a time, so that it holds no more than that beyond a bound."""


class RequestSize:
    """Counts the bytes of the request that arrives now. The parser's callbacks say where it stands.

    head: bytes that have arrived of a head which is not whole yet. came_together: requests that began in this read.
    """

    __slots__ = ("_body", "_completed", "came_together", "has_begun", "head", "is_in_body")

    def __init__(self) -> None:
        self.came_together = 0
        self.head = 0
        self._body = 0
        self._completed = False
        self.has_begun = False
        self.is_in_body = False

    @property
    def is_one_whole(self) -> bool:
        """Whether one request began in this read, and is whole."""
        return self.came_together == 1 and not self.has_begun

    def begin_read(self) -> None:
        """Something has arrived, and is read now."""
        self.came_together = 0

    def begin(self) -> None:
        """The first byte of a request was read."""
        self.has_begun = True
        self.came_together += 1

    def complete_head(self) -> None:
        """The head is whole; a body may follow."""
        self.head = self._body = 0
        self.is_in_body = True

    def complete(self) -> None:
        """The request is whole."""
        self.head = 0
        self._completed = True
        self.has_begun = self.is_in_body = False

    def add(self, size: int) -> Refusal | None:
        """Why the request is refused after this piece, which the parser has read; None if it is not.

        A piece with the end of one part and the begin of another counts to the one that goes on.
        """
        if self._completed and not self.has_begun:
            self._completed = False
            return None
        self._completed = False
        if self.is_in_body:
            self._body += size
            return Refusal.BODY_SIZE if self._body > MOST_OF_BODY else None
        self.head += size
        return Refusal.HEAD_SIZE if self.head > MOST_OF_HEAD else None

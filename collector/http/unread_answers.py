"""Answers that their peers do not read: each keeps its connection and a buffer of memory."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

READ_WITHIN = 10.0
"""Seconds in which a peer must have read LEAST_READ bytes more, or everything."""

LEAST_READ = 4_096
"""Bytes: a slow line reads more in that time, and one byte now and then is not reading."""


class AnswerReader(Protocol):
    """A connection with what was sent to it so far, and what of that still waits here, in bytes."""

    @property
    def sent(self) -> int: ...

    @property
    def unread(self) -> int: ...


Reading = TypeVar("Reading", bound=AnswerReader)


class UnreadAnswers(Generic[Reading]):
    """The connections to which something was sent, until the system has taken all of it."""

    def __init__(self) -> None:
        self._since: dict[Reading, tuple[float, int]] = {}

    def wrote(self, reader: Reading, now: float) -> None:
        """Something was sent."""
        if reader not in self._since:
            self._since[reader] = now, reader.sent - reader.unread

    def end(self, reader: Reading) -> None:
        """The connection is gone."""
        self._since.pop(reader, None)

    def overdue(self, now: float) -> list[Reading]:
        """Those that have not read enough. Forgets those that have read everything."""
        found: list[Reading] = []
        for reader, (since, read) in list(self._since.items()):
            unread = reader.unread
            if not unread:
                del self._since[reader]
            elif reader.sent - unread - read >= LEAST_READ:
                self._since[reader] = now, reader.sent - unread
            elif now - since >= READ_WITHIN:
                found.append(reader)
        return found

    def unread(self) -> list[Reading]:
        """Those that have anything left to read."""
        return [reader for reader in self._since if reader.unread]

"""What waits for a site that somebody else writes just now, while all other sites go on.

On Postgres a transaction writes only sites whose locks it holds (core/locks.py). A batch tries the locks of
all its sites: what is of a busy one comes back and waits here, and what follows of that site stands
behind it. Each busy site then has batches of its own, for which its lock is awaited for some milliseconds at a
time: in the server's queue, so that two collectors of one busy site take turns. Actions for which a transaction had
no time left wait in the same way, on SQLite too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from math import inf
from time import monotonic
from typing import NamedTuple

from msgspec import Struct

from collector.writing.inbox import Sent
from collector.writing.write_queue import ANSWER_WITHIN
from core.locks import TAKE_WITHIN

TRIES_AT_ONCE = 10
"""So often the lock of a busy site is awaited without a pause: 0.2 s, in which any batch ends."""

SHORTEST_PAUSE = 0.1
"""Seconds between two further tries, for each busy site: the others wait for a fifth of the time at most."""

LONGEST_PAUSE = 0.5
"""Seconds between two tries while few sites are busy: so late a site goes on that is free again."""


MOST_IN_LINE = 10_000
"""Messages that wait for one busy site: some seconds of a saturated collector."""


class Turn(NamedTuple):
    """A batch; within: for how many seconds it may wait for a site's lock."""

    batch: Sequence[Sent]
    within: float


class _Line(Struct):
    """What waits for one site, when its lock is tried again, and how often it was in vain."""

    waiting: deque[Sent]
    due_at: float
    tries: int = 0


class SiteTurns:
    """The messages of one kind, a hit or an action, whose sites are busy."""

    def __init__(self) -> None:
        self._lines: dict[int, _Line] = {}
        self._held: list[Sent] = []

    @property
    def due_in(self) -> float:
        """Seconds until something is due; inf while nothing waits."""
        due_at = min((line.due_at for line in self._lines.values()), default=inf)
        return max(due_at - monotonic(), 0.0)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._lines

    def turns(self, taken: Sequence[Sent], most: int) -> Iterator[Turn]:
        """The batches to write now, each to be settled before the next is asked for: what was taken from
        the queue, without what must stand behind others, then of each busy site that is due at most
        so much."""
        batch = [sent for sent in taken if not self._stands_behind(sent)] if self._lines else taken
        if batch:
            yield Turn(batch, 0)
        now = monotonic()
        for site_id in [id for id, line in self._lines.items() if line.due_at <= now]:
            line = self._lines[site_id]
            yield Turn(
                [line.waiting[at] for at in range(min(most, len(line.waiting)))], TAKE_WITHIN
            )

    def settle(
        self, turn: Turn, results: Sequence[Struct | None]
    ) -> tuple[list[Sent], list[Struct]]:
        """The messages that have a result, with it. Those of a busy site, whose result is None, wait on."""
        done: list[Sent] = []
        given: list[Struct] = []
        for sent, result in zip(turn.batch, results, strict=True):
            if result is not None:
                done.append(sent)
                given.append(result)
            elif not turn.within:
                self._line_of(sent).waiting.append(sent)
                self._held.append(sent)
        if turn.within:
            self._settle_line(turn.batch[0].message.site_id, {id(each) for each in done})
        return done, given

    def take_held(self) -> list[Sent]:
        """What has begun to wait here since the last call."""
        held, self._held = self._held, []
        return held

    def take_overdue(self) -> list[Sent]:
        """What has waited for ANSWER_WITHIN, and the oldest of what is too much: it is to be refused, and
        is not written any more."""
        overdue: list[Sent] = []
        latest = monotonic() - ANSWER_WITHIN
        for site_id, line in list(self._lines.items()):
            waiting = line.waiting
            while waiting and (waiting[0].since <= latest or len(waiting) > MOST_IN_LINE):
                overdue.append(line.waiting.popleft())
            if not line.waiting:
                del self._lines[site_id]
        return overdue

    def _stands_behind(self, sent: Sent) -> bool:
        line = self._lines.get(sent.message.site_id)
        if line is None:
            return False
        line.waiting.append(sent)
        self._held.append(sent)
        return True

    def _line_of(self, sent: Sent) -> _Line:
        return self._lines.setdefault(sent.message.site_id, _Line(deque(), monotonic()))

    def _settle_line(self, site_id: int, done: set[int]) -> None:
        line = self._lines[site_id]
        if not done:
            line.tries += 1
            line.due_at = monotonic() + self._pause(line.tries)
            return
        line.waiting = deque(each for each in line.waiting if id(each) not in done)
        line.tries, line.due_at = 0, monotonic()
        if not line.waiting:
            del self._lines[site_id]

    def _pause(self, tries: int) -> float:
        if tries < TRIES_AT_ONCE:
            return 0.0
        least = SHORTEST_PAUSE * len(self._lines)
        return max(least, min(SHORTEST_PAUSE * (tries - TRIES_AT_ONCE + 1), LONGEST_PAUSE))

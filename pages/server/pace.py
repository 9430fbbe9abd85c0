"""How often it is said that a site has changed."""

from __future__ import annotations

from collections.abc import Mapping

TELL_EVERY = 2.0
"""Seconds: of one site it is said at most so often, in the server, so that all who look at it are told
the same revision and share one picture (reference: an agent's shortest refresh)."""


class Pace:
    """What is to be told of each site: at once when nothing was lately, else when TELL_EVERY is over."""

    def __init__(self) -> None:
        self._waiting: dict[str, int] = {}
        self._told_at: dict[str, float] = {}

    def add(self, revisions: Mapping[str, int]) -> None:
        """These sites, by their key, have these revisions."""
        self._waiting.update(revisions)

    def take_due(self, now: float) -> dict[str, int]:
        """What is to be told at `now` (seconds of any clock that never goes back)."""
        due = {key: revision for key, revision in self._waiting.items() if self._due_at(key) <= now}
        for key in due:
            del self._waiting[key]
            self._told_at[key] = now
        return due

    @property
    def next_at(self) -> float | None:
        """When the next of those that wait is due; None without one."""
        return min(map(self._due_at, self._waiting), default=None)

    def _due_at(self, key: str) -> float:
        return self._told_at.get(key, -TELL_EVERY) + TELL_EVERY

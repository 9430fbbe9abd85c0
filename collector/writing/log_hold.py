"""Since when a reader holds SQLite's log: what was written after its snapshot cannot be moved into the file."""

from __future__ import annotations

from datetime import datetime


class LogHold:
    """Found by what checkpoints get done: SQLite does not say who reads, nor since when."""

    def __init__(self) -> None:
        self._frame = 0
        self.since: datetime | None = None

    def note(self, frames: int, moved: int, now: datetime) -> None:
        """Note a checkpoint at `now`: the log had so many frames, of which so many are in the file.

        Short readers come and go, and each checkpoint gets further. One that ends where the last one
        ended, although more was written, is held by the same reader.
        """
        if moved >= frames:
            self.since = None
        elif self.since is None or moved != self._frame:
            self.since = now
        self._frame = moved

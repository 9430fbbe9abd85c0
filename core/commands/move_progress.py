"""How far a move is: a bar on a terminal, elsewhere a line once in a while, for a log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic

import click

TOLD_EVERY = 10.0
"""Seconds between two lines."""


@contextmanager
def move_progress(rows: int, done: int) -> Generator[Callable[[int], None]]:
    """What to tell of each bite's number of rows; so many were there before."""
    if sys.stderr.isatty():
        with click.progressbar(length=rows, label="Moving", file=sys.stderr) as bar:
            bar.update(done)
            yield bar.update
    else:
        yield MoveLines(rows, done).add


class MoveLines:
    """Says how many rows have arrived, and how long the others will take."""

    def __init__(self, rows: int, done: int) -> None:
        self._rows, self._before, self._done = rows, done, done
        self._began_at = self._told_at = monotonic()

    def add(self, rows: int) -> None:
        """So many more have arrived; a line when the last one is long ago."""
        self._done += rows
        now = monotonic()
        if now < self._told_at + TOLD_EVERY:
            return
        self._told_at = now
        rate = max(self._done - self._before, 1) / (now - self._began_at)
        left = max(self._rows - self._done, 0) / rate
        click.echo(f"{self._done:,} of {self._rows:,} rows, {left:.0f} seconds left.")

"""Rows of words, as a command writes them: one below the other."""

from __future__ import annotations

from collections.abc import Sequence

import click


def echo_rows(*rows: Sequence[str]) -> None:
    """Write the rows in columns; the first one has the headings."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())

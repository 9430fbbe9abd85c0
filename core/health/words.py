"""Lengths of time and sizes as a warning says them."""

from __future__ import annotations

from datetime import timedelta

_UNITS = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)
_STEP = 1_000
_SIZES = ("bytes", "kB", "MB", "GB", "TB")


def time_in_words(length: timedelta) -> str:
    """Rounded down, in the largest unit of which there are two: "3 days", "47 hours", "1 minute"."""
    for unit, word in _UNITS:
        if length >= 2 * unit:
            return f"{length // unit:,} {word}s"
    return "1 minute" if length >= timedelta(minutes=1) else "less than a minute"


def size_in_words(size: int) -> str:
    """In powers of 1,000, as disks are sold: "12 bytes", "4.2 GB", "812 MB"."""
    number, unit = float(size), 0
    while number >= _STEP and unit < len(_SIZES) - 1:
        number, unit = number / _STEP, unit + 1
    shown = f"{number:.1f}" if unit and number < 10 else f"{number:.0f}"
    return f"{shown} {_SIZES[unit]}"

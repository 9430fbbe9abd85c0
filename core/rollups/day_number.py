"""A local day as a number that people read: 30 November 2026 is 20261130."""

from __future__ import annotations

from datetime import date


def number_of(day: date) -> int:
    """As the tables have it."""
    return day.year * 10_000 + day.month * 100 + day.day

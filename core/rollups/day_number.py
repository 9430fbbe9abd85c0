"""A local day as a number that people read: 30 November 2026 is 20261130."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, bindparam


def number_of(day: date) -> int:
    """As the tables have it."""
    return day.year * 10_000 + day.month * 100 + day.day


def are_of(days: Iterable[date], column: Any) -> ColumnElement[bool]:
    """The condition that the column has one of these days, in an index that has more behind the day.

    A range of days would be read with all that is counted of them. The numbers stand in the statement: old SQLites take 999
    parameters, which three years have, and from a list in one parameter Postgres reads the whole history.
    """
    numbers = [number_of(day) for day in days]
    return column.in_(
        bindparam(None, numbers, BigInteger, expanding=True, literal_execute=True, unique=True)
    )

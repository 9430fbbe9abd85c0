"""By what visits are counted: the dimensions, and where a visit's value of each stands.

A visit belongs to the local day, and to the slot of 15 minutes, in which it began; so does all that is counted of it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, type_coerce
from sqlmodel import col

from core.enrich.browser import OTHER
from core.moment import to_milliseconds
from core.tables import Visit
from core.visits.calendar import Period


class Dimension(StrEnum):
    """What visits are counted by; the words stand in `trend_count`.`dimension`.

    SLOT: the beginning of its 15 minutes, in milliseconds. TIME: the first second of the class of its time on
    site (TIME_CLASSES). PAGE and CONTEXT: of each page that it saw, where a visit counts once for each value.
    VISITOR: the day on which its visitor came last (`core.rollups.visitor_counts`).
    """

    SLOT = "slot"
    TIME = "time"
    SOURCE = "source"
    CAMPAIGN = "campaign"
    COUNTRY = "country"
    DEVICE = "device"
    BROWSER = "browser"
    ENTRY_PAGE = "entry_page"
    EXIT_PAGE = "exit_page"
    RETURNING = "returning"
    PAGE = "page"
    CONTEXT = "context"
    VISITOR = "visitor"


class Returning(StrEnum):
    """Whether a visitor was there before. NOT_REMEMBERED: the site does not know."""

    NEW = "new"
    RETURNING = "returning"
    NOT_REMEMBERED = ""


OF_PAGES = frozenset({Dimension.PAGE, Dimension.CONTEXT})
"""They are counted of page views; all others of visits."""


def _time_classes() -> Sequence[int]:
    """Four to each doubling, in whole seconds, up to a week."""
    return sorted({0, *(round(2 ** (step / 4)) for step in range(78))})


TIME_CLASSES: Sequence[int] = _time_classes()
"""The first second of each class of a time on site: 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 16, 19, 23 ..., each a
fifth longer than the one before. By them a median of any days is told, right within one class."""


def time_class(seconds: int) -> int:
    """The first second of the class in which a time on site lies."""
    return TIME_CLASSES[bisect_right(TIME_CLASSES, max(seconds, 0)) - 1]


STARTED_AT: ColumnElement[int] = type_coerce(col(Visit.started_at), BigInteger)
"""In milliseconds: as it is stored."""

TIME_ON_SITE: ColumnElement[int] = type_coerce(col(Visit.last_seen_at), BigInteger) - STARTED_AT
"""In milliseconds: from the first to the last sign of life."""


def began_within(period: Period) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The condition that a visit began in the period, for visits that are looked for by something else: with a sum
    in it, no database takes the index on the begin for it."""
    began = STARTED_AT + 0
    return began >= to_milliseconds(period.from_at), began < to_milliseconds(period.until_at)


VALUES: Mapping[Dimension, Any] = {
    Dimension.SOURCE: col(Visit.source),
    Dimension.CAMPAIGN: col(Visit.campaign),
    Dimension.COUNTRY: col(Visit.country),
    Dimension.DEVICE: col(Visit.device),
    # What user agent databases call the browser that they do not know.
    Dimension.BROWSER: case((col(Visit.browser) == OTHER, ""), else_=col(Visit.browser)),
    Dimension.ENTRY_PAGE: col(Visit.entry_path),
    Dimension.EXIT_PAGE: col(Visit.current_path),
}
"""A visit's value of each dimension that is a text of its row; "": unknown, or none."""

RETURNING: ColumnElement[str] = case(
    (col(Visit.visit_number) == 0, Returning.NOT_REMEMBERED.value),
    (col(Visit.visit_number) == 1, Returning.NEW.value),
    else_=Returning.RETURNING.value,
)
"""Whether a visit's visitor was there before."""

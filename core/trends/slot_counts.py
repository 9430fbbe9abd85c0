"""Visits by the slot of 15 minutes in which they began, as columns of numpy: most values of what is counted of a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

import numpy as np
from sqlalchemy import BigInteger, Connection, cast, select

from core.moment import to_milliseconds
from core.rollups.counting import Count
from core.rollups.day_number import are_of
from core.rollups.dimensions import Dimension
from core.tables import Table
from core.trends.column_texts import Integers, read_integers

_count = Table.metadata.tables["trend_count"]


@dataclass(frozen=True, eq=False)
class SlotCounts:
    """Columns of one length. starts_at: milliseconds, each once, in ascending order. The others: as in
    `core.rollups.counting.Count`. A slot without a visit has no place."""

    starts_at: Integers
    visits: Integers
    page_views: Integers
    one_page_visits: Integers

    @classmethod
    def of(cls, counts: Sequence[Count], of_days: Integers | None = None) -> SlotCounts:
        """Added up: the counts of SLOT, and what `read_slots` gives."""
        found = np.array([(int(each.value), *each[2:5]) for each in counts], np.int64)
        columns = found.reshape(-1, 4).T
        if of_days is not None:
            columns = np.concatenate((of_days, columns), axis=1)
        slots, places = np.unique(columns[0], return_inverse=True)
        # Sums of floats are exact up to 2^53.
        sums = [np.bincount(places, column, len(slots)).astype(np.int64) for column in columns[1:]]
        has_visits = sums[0] > 0
        return cls(slots[has_visits], *(column[has_visits] for column in sums))

    def until(self, moment: datetime) -> SlotCounts:
        """Those of the slots that begin before it."""
        end = np.searchsorted(self.starts_at, to_milliseconds(moment))
        return SlotCounts(*(getattr(self, field.name)[:end] for field in fields(self)))


def read_slots(db: Connection, site_id: int, days: Sequence[date]) -> Integers | None:
    """What is counted of these days by slot, one row for each of the columns of `SlotCounts`.
    None: no days."""
    if not days:
        return None
    columns = (cast(_count.c.value, BigInteger), *(_count.c[each] for each in Count._fields[2:5]))
    of_days = select(*columns).where(
        _count.c.site_id == site_id,
        are_of(days, _count.c.day),
        _count.c.dimension == Dimension.SLOT.value,
    )
    return read_integers(db, of_days)

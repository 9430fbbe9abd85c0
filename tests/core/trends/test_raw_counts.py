"""What a page counts from raw rows is what the collector counts of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection
from sqlmodel import col

from core.rollups.counting import count_visits
from core.rollups.dimensions import Dimension
from core.rollups.visit_columns import read_visit_columns
from core.tables import Visit
from core.trends.raw_counts import count_rows
from core.visits.calendar import Period
from tests.helpers.past_visits import (
    PAGES,
    PastView,
    PastVisit,
    expected_counts,
    make_visits,
    store,
)

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = Period(SINCE, SINCE + timedelta(days=3))
IN_SITE = (col(Visit.site_id) == 7,)
HOSTILE = ('a","b', "\\", "it's, 1", "[1,2]", "ü 🇩🇪", "<b>", "a\x1fb", "null")
"""Texts that would be read as something else, were they only put behind one another."""


@pytest.mark.parametrize("seed", range(3))
def test_both_ways_of_counting_say_the_same(db: Connection, seed: int) -> None:
    store(db, [*make_visits(7, DAYS, 200, seed), *make_visits(8, DAYS, 20, seed)])
    assert sorted(count_rows(db, 7, IN_SITE, list(Dimension))) == sorted(
        count_visits(db, 7, read_visit_columns(db, 7, IN_SITE))
    )


def test_a_tab_of_very_many_views_and_spans_is_counted(db: Connection) -> None:
    [visit] = make_visits(7, DAYS, 1, seed=6)
    number, step = 4_000, 10_000
    views = [PastView(1, place, place * step, PAGES[place % 2], 4) for place in range(1, number)]
    spans = [(1, place * step + 3_000, 4_999) for place in range(1, number)]
    row = visit.row | {"page_count": len(views)}
    store(db, [replace(visit, row=row, views=views, spans=spans)])
    found = {count[:2]: count[2:] for count in count_rows(db, 7, IN_SITE, [Dimension.PAGE])}
    even, odd = number // 2 - 1, number // 2
    assert found == {
        ("page", "/"): (1, even, 0, even * 4),
        ("page", "/products/cup"): (1, odd, 0, odd * 4),
    }


def test_only_what_is_asked_for_is_counted(db: Connection) -> None:
    store(db, make_visits(7, DAYS, 50, seed=4))
    everything = [*count_rows(db, 7, IN_SITE, list(Dimension))]
    for asked in ([Dimension.TIME], [Dimension.SLOT, Dimension.TIME], [Dimension.CONTEXT]):
        of_these = [count for count in everything if count.dimension in asked]
        assert sorted(count_rows(db, 7, IN_SITE, asked)) == sorted(of_these)


def test_texts_of_visitors_are_values_whatever_they_are(db: Connection) -> None:
    def named(visit: PastVisit, text: str) -> PastVisit:
        views = [replace(view, page=(f"/{text}", text, "Product")) for view in visit.views]
        row = visit.row | {"source": text, "campaign": text, "entry_path": f"/{text}"}
        return replace(visit, row=row, views=views)

    made = make_visits(7, DAYS, 40, seed=5)
    visits = [named(visit, HOSTILE[place % len(HOSTILE)]) for place, visit in enumerate(made)]
    store(db, visits)
    found = {count[:2]: count[2:] for count in count_rows(db, 7, IN_SITE, list(Dimension))}
    assert found == expected_counts(visits)


def test_nothing_is_counted_of_no_visit(db: Connection) -> None:
    for asked in (list(Dimension), [Dimension.TIME]):
        assert [*count_rows(db, 7, IN_SITE, asked)] == []

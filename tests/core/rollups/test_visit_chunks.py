"""Chunks: the same visits as in the rows, so that whoever asks with a filter is told the same from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, select, update
from sqlmodel import col

from collector.writing.retention_chore import forget_visits
from core.database import reading, writing
from core.moment import EPOCH, to_milliseconds
from core.removal import delete_some, remove_site
from core.rollups import visit_chunks
from core.rollups.chunk_bytes import pack_views, pack_visits, unpack
from core.rollups.count_step import CountStep, ask_again, count_some
from core.rollups.site_counts import count_state, store_state
from core.rollups.visit_columns import OF_VIEWS, OF_VISITS, TEXTS, VisitColumns, read_visit_columns
from core.sites import add_site, change_site, existing_site
from core.tables import Site, Visit, VisitChunk
from core.trends import (
    DEFAULT_STEPS,
    Returning,
    TrendFilters,
    TrendPeriod,
    counted_days,
    funnel,
    last_days,
    trends,
    visit_parts,
)
from core.trends.counted_days import CountedSite
from core.trends.site_trends import LISTS
from core.trends.visit_parts import parts_of
from core.visitor_data import forget_visits_of
from core.visits.calendar import Period
from tests.helpers.day_counting import count_days
from tests.helpers.past_visits import PastVisit, make_visits, store

LATER = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = TrendPeriod(date(2026, 10, 24), date(2026, 10, 27), "Europe/Berlin")
FILTERS = (
    TrendFilters(device="Desktop"),
    TrendFilters(source="", country="NP"),
    TrendFilters(browser="", campaign="Spring"),
    TrendFilters(entry_page="/", exit_page="/cart"),
    TrendFilters(returning=Returning.RETURNING),
    TrendFilters(returning=""),
    TrendFilters(page="/products/tea"),
    TrendFilters(context="Purchased", page="/cart"),
    TrendFilters(context="", device="Phone"),
    TrendFilters(source="nobody's"),
    TrendFilters(page="/nowhere"),
)
_chunk = VisitChunk.metadata.tables["visit_chunk"]

MakeShop = Callable[[Sequence[PastVisit]], Site]


@pytest.fixture
def shop(database: Engine, monkeypatch: pytest.MonkeyPatch) -> MakeShop:
    """shop(visits): a site with these visits; make them for site 1. A chunk takes no more than some fifty of them."""
    monkeypatch.setattr(visit_chunks, "MOST_VISITS", 50)

    def shop(visits: Sequence[PastVisit]) -> Site:
        with writing(database) as db:
            site = add_site(db, name="Shop", key="shop", time_zone="Europe/Berlin", now=LATER)
            assert site.id == 1
            store(db, visits)
        return site

    return shop


def made(number: int, seed: int) -> list[PastVisit]:
    """Visits of the days and of those before."""
    before = make_visits(1, DAYS.before().bounds, number // 2, seed)
    return [*before, *make_visits(1, DAYS.bounds, number, seed + 1)]


def answers(database: Engine, site: Site) -> list[pd.DataFrame]:
    """All cards and the funnel, with each of the filters."""
    found: list[pd.DataFrame] = []
    with reading(database) as db:
        for filters in FILTERS:
            told = trends(db, site, DAYS, LATER, filters)
            found += [getattr(told, name) for name in ("totals", "series", "heat_map", *LISTS)]
            shown = funnel(db, site, DAYS, DEFAULT_STEPS, filters)
            found += [shown.steps, shown.by_source.assign(visits=shown.visits)]
    return found


def assert_same(found: list[pd.DataFrame], expected: list[pd.DataFrame]) -> None:
    """Each of them."""
    for one, other in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(one, other, check_dtype=False)


def stored(db: Connection) -> tuple[VisitColumns, list[int]]:
    """What is in the chunks together, and how many visits each has."""
    rows = db.execute(select(_chunk).order_by(_chunk.c.site_id, _chunk.c.since)).mappings().all()
    together = VisitColumns()
    for row in rows:
        columns = unpack(row["of_visits"], row["of_views"])
        assert (row["visits"], row["views"]) == (len(columns.number), len(columns.page))
        assert (row["first_began"], row["last_began"]) == (
            min(columns.began),
            max(columns.began),
        )
        together.extend(columns)
    return together, [row["visits"] for row in rows]


def in_order(columns: VisitColumns) -> list[tuple[object, ...]]:
    """Visit by visit, by their numbers."""
    texts = zip(*columns.texts, strict=True)
    views = columns.views_of_each()
    of_visits = zip(*(getattr(columns, name) for name in OF_VISITS), strict=True)
    return sorted(
        (*numbers, *text, *(tuple(getattr(columns, name)[place]) for name in OF_VIEWS))
        for numbers, text, place in zip(of_visits, texts, views, strict=True)
    )


def assert_chunks_are_the_rows(database: Engine) -> list[int]:
    """Returns how many visits each chunk has."""
    with reading(database) as db:
        until = count_state(db, existing_site(db, "shop")).chunked_until
        of_rows = read_visit_columns(
            db, 1, (col(Visit.site_id) == 1, col(Visit.last_activity_at) < until)
        )
        of_chunks, sizes = stored(db)
    assert in_order(of_chunks) == in_order(of_rows)
    return sizes


def assert_reads_chunks(database: Engine, site: Site) -> None:
    """No visit is read from its row."""
    with reading(database) as db:
        parts = parts_of(db, CountedSite.read(db, site), DAYS.bounds, FILTERS[0])
    assert parts and all(part.chunks for part in parts)


def test_filters_say_the_same_of_chunks_as_of_rows(
    database: Engine, shop: MakeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = shop(made(260, seed=1))
    of_rows = answers(database, site)
    count_days(database, to_milliseconds(LATER))
    assert len(assert_chunks_are_the_rows(database)) > 0
    assert_reads_chunks(database, site)
    assert_same(answers(database, site), of_rows)
    monkeypatch.setattr(visit_parts, "AT_ONCE", 60)  # several parts, on two connections
    assert_same(answers(database, site), of_rows)


def test_filters_say_the_same_while_some_visits_are_in_chunks(
    database: Engine, shop: MakeShop
) -> None:
    site = shop(made(80, seed=3))
    of_rows = answers(database, site)
    for _ in range(4):
        with writing(database) as db:
            count_some(db, site, LATER, 23)
        assert_chunks_are_the_rows(database)
        assert_same(answers(database, site), of_rows)


@pytest.mark.parametrize("most_ranges", [100, 2])
def test_very_many_visits_in_no_chunk_are_read_range_by_range_or_all_from_rows(
    database: Engine, shop: MakeShop, monkeypatch: pytest.MonkeyPatch, most_ranges: int
) -> None:
    site = shop(made(80, seed=27))
    of_rows = answers(database, site)
    for _ in range(2):
        with writing(database) as db:
            count_some(db, site, LATER, 30)
    monkeypatch.setattr(counted_days, "MOST_UNCOUNTED", 9)
    monkeypatch.setattr(counted_days, "MOST_RANGES", most_ranges)
    with reading(database) as db:
        parts = parts_of(db, CountedSite.read(db, site), DAYS.bounds, FILTERS[0])
    by_range = [part for part in parts if part.asked is None]
    assert (len(by_range), len(parts) - len(by_range)) == ((7, 1) if most_ranges == 100 else (1, 0))
    assert_same(answers(database, site), of_rows)


def test_funnel_says_that_it_is_done(database: Engine, shop: MakeShop) -> None:
    site = shop(made(40, seed=29))
    for _ in range(2):
        shares: list[float] = []
        with reading(database) as db:
            funnel(db, site, DAYS, DEFAULT_STEPS, progress=shares.append)
        assert shares[-1] == 1 and shares == sorted(shares)
        count_days(database, to_milliseconds(LATER))


def test_small_bites_fill_a_chunk_until_it_is_full(database: Engine, shop: MakeShop) -> None:
    site = shop(made(120, seed=5))
    is_last = False
    while not is_last:
        with writing(database) as db:
            is_last = count_some(db, site, LATER, 7).is_last
    sizes = assert_chunks_are_the_rows(database)
    assert len(sizes) == 4 and all(50 <= size < 60 for size in sizes[:-1])


def test_very_many_views_fill_a_chunk(
    database: Engine, shop: MakeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visit_chunks, "MOST_VIEWS", 20)
    site = shop(made(40, seed=5))
    is_last = False
    while not is_last:
        with writing(database) as db:
            is_last = count_some(db, site, LATER, 3).is_last
    assert max(assert_chunks_are_the_rows(database)) < 20


def test_forgotten_visitor_is_in_no_chunk(database: Engine, shop: MakeShop) -> None:
    visits = made(90, seed=7)
    site = shop(visits)
    count_days(database, to_milliseconds(LATER))
    with writing(database) as db:
        forget_visits_of(db, 1, [visit.row["id"] for visit in visits[::8]], LATER)
    with reading(database) as db:
        assert len(stored(db)[0].number) == len([*visits]) - len(visits[::8])
    assert_chunks_are_the_rows(database)
    assert_reads_chunks(database, site)


def test_chunks_go_with_their_visits(database: Engine, shop: MakeShop) -> None:
    site = shop(made(140, seed=9))
    count_days(database, to_milliseconds(LATER))
    much_later = to_milliseconds(LATER + timedelta(days=400))
    assert forget_visits(database, much_later, timedelta(days=90), 77).deleted == 77
    assert sum(assert_chunks_are_the_rows(database)) == 133
    of_chunks = answers(database, site)
    with writing(database) as db:
        store_state(db, 1, chunked_until=EPOCH)
    assert_same(of_chunks, answers(database, site))
    assert forget_visits(database, much_later, timedelta(days=90)).deleted == 133
    with reading(database) as db:
        assert db.execute(select(_chunk)).first() is None


def test_chunks_of_a_deleted_site_go_first(
    database: Engine, shop: MakeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visit_chunks, "DROPPED_AT_ONCE", 1)
    site = shop(made(100, seed=11))
    count_days(database, to_milliseconds(LATER))
    left = len(assert_chunks_are_the_rows(database))
    with writing(database) as db:
        remove_site(db, site.key, site.name, LATER)
        while left:
            delete_some(db, 1, 10, 1000)
            left -= 1
            assert len(db.execute(select(_chunk)).all()) == left
            assert len(db.execute(select(col(Visit.id))).all()) == 150
        while not delete_some(db, 1, 100, 1000).is_last:
            pass
        assert db.execute(select(_chunk)).first() is None


def test_visits_that_were_counted_before_there_were_chunks_are_put_into_some(
    database: Engine, shop: MakeShop
) -> None:
    site = shop(made(60, seed=13))
    of_rows = answers(database, site)
    count_days(database, to_milliseconds(LATER))
    with writing(database) as db:  # as an upgrade leaves it
        db.execute(_chunk.delete())
        store_state(db, 1, chunked_until=EPOCH)
        whole = trends(db, site, DAYS, LATER)
    for _ in range(3):
        with writing(database) as db:
            count_some(db, site, LATER, 25)
        assert_same(answers(database, site), of_rows)
    count_days(database, to_milliseconds(LATER))
    assert_reads_chunks(database, site)
    assert_same(answers(database, site), of_rows)
    with reading(database) as db:
        assert trends(db, site, DAYS, LATER).totals.equals(whole.totals)


def test_other_time_zone_leaves_chunks_as_they_are(database: Engine, shop: MakeShop) -> None:
    shop(made(100, seed=15))
    count_days(database, to_milliseconds(LATER))
    with reading(database) as db:
        before = db.execute(select(_chunk)).all()
    with writing(database) as db:
        site = change_site(db, "shop", time_zone="Pacific/Chatham")
    for _ in range(8):
        with writing(database) as db:
            count_some(db, site, LATER, 30)
        moved = replace(DAYS, time_zone="Pacific/Chatham")
        with reading(database) as db:
            assert CountedSite.read(db, site).unchunked is not None
            assert trends(db, site, moved, LATER, FILTERS[0]).totals["value"].iloc[0] > 0
    count_days(database, to_milliseconds(LATER))
    with reading(database) as db:
        assert db.execute(select(_chunk)).all() == before


def test_rebuild_makes_chunks_anew(database: Engine, shop: MakeShop) -> None:
    site = shop(made(60, seed=17))
    count_days(database, to_milliseconds(LATER))
    with writing(database) as db:
        db.execute(update(_chunk).values(of_visits=b"damaged"))
        ask_again(db, 1)
    count_days(database, to_milliseconds(LATER))
    assert sum(assert_chunks_are_the_rows(database)) == 90
    assert_reads_chunks(database, site)


def test_what_a_clock_that_ran_ahead_put_into_chunks_is_put_there_again(
    database: Engine, shop: MakeShop
) -> None:
    site = shop(made(40, seed=19))
    count_days(database, to_milliseconds(LATER + timedelta(days=30)))
    since = LATER - timedelta(hours=6)
    with writing(database) as db:
        store(db, make_visits(1, Period(since, since + timedelta(hours=2)), 5, seed=20))
    count_days(database, to_milliseconds(LATER))
    assert sum(assert_chunks_are_the_rows(database)) == 65
    with reading(database) as db:
        today = trends(db, site, last_days("Europe/Berlin", LATER, 1), LATER)
    assert today.totals.at[0, "value"] == 5


@pytest.mark.parametrize("ahead", [timedelta(hours=2), timedelta(days=1)])
def test_clock_that_ran_ahead_leaves_no_visit_behind_that_goes_on(
    database: Engine, shop: MakeShop, ahead: timedelta
) -> None:
    since = LATER - timedelta(hours=5)
    visits = make_visits(1, Period(since, LATER - timedelta(minutes=10)), 60, seed=21)
    for visit in visits:
        visit.row["last_activity_at"] = min(visit.row["last_activity_at"], LATER)
    shop(visits)
    for now in (LATER, LATER + ahead, LATER + timedelta(minutes=1)):
        count_days(database, to_milliseconds(now))
    last = visits[-1].row["id"]
    with writing(database) as db:  # its visitor clicks again
        of_last = (col(Visit.site_id) == 1, col(Visit.id) == last)
        db.execute(update(Visit).where(*of_last).values(last_activity_at=LATER))
    count_days(database, to_milliseconds(LATER + timedelta(hours=4)))
    assert sum(assert_chunks_are_the_rows(database)) == 60
    with writing(database) as db:
        forget_visits_of(db, 1, [last], LATER)
    assert sum(assert_chunks_are_the_rows(database)) == 59


def test_time_zone_that_changes_while_a_clock_runs_ahead_does_no_endless_work(
    database: Engine, shop: MakeShop
) -> None:
    shop(made(40, seed=23))
    ahead = LATER + timedelta(days=1)
    count_days(database, to_milliseconds(ahead))
    with writing(database) as db:
        site = change_site(db, "shop", time_zone="Pacific/Chatham")
        for _ in range(8):
            count_some(db, site, ahead, 5)
    count_days(database, to_milliseconds(LATER))
    assert sum(assert_chunks_are_the_rows(database)) == 60


def test_more_visits_of_one_moment_than_a_bite_are_counted_all_the_same(
    database: Engine, shop: MakeShop
) -> None:
    visits = made(40, seed=25)
    for visit in visits[:30]:
        visit.row["last_activity_at"] = LATER - timedelta(days=1)
    site = shop(visits)
    steps = [CountStep(0, is_last=False)]
    while not steps[-1].is_last:
        with writing(database) as db:
            steps.append(count_some(db, site, LATER, 7))
        assert len(steps) < 30
    assert sum(step.visits for step in steps) == 60
    assert sum(assert_chunks_are_the_rows(database)) == 60


@pytest.mark.parametrize("largest", [0, 255, 256, 65_536, 1 << 33, (1 << 63) - 1])
def test_columns_come_back_as_they_were(largest: int) -> None:
    numbers = [largest, 0, largest // 2]
    columns = VisitColumns(
        **{name: numbers for name in OF_VISITS if name != "view_count"},
        view_count=[2, 0, 1],
        texts=tuple(["ü 🇩🇪", "", "a\x00'b"] for _ in TEXTS),
        **dict.fromkeys(OF_VIEWS, numbers),
    )
    packed = pack_visits(columns), pack_views(columns)
    again = unpack(*packed)
    for each in fields(columns):
        assert getattr(again, each.name) == getattr(columns, each.name)
    nothing = VisitColumns()
    assert unpack(pack_visits(nothing), pack_views(nothing)) == nothing

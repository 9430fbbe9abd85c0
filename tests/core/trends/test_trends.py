"""What the cards of the trends say, compared with what is told visit by visit."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from statistics import median_high, median_low
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import Connection

from core.rollups.dimensions import TIME_CLASSES, Dimension, time_class
from core.rollups.site_counts import store_state
from core.tables import Site
from core.trends import (
    REST,
    Granularity,
    TrendFilters,
    TrendPeriod,
    last_days,
    month_of,
    shortened,
    today,
    trends,
)
from core.trends.site_trends import LISTS
from tests.helpers.past_visits import PastVisit, expected_counts, make_visits, store

ZONES_AND_DAYS = {
    "Europe/Berlin": (date(2026, 10, 24), date(2026, 11, 2)),  # 25 October has 25 hours
    "Asia/Kathmandu": (date(2026, 2, 25), date(2026, 3, 3)),  # +05:45, and a month's end
    "Pacific/Chatham": (date(2026, 9, 24), date(2026, 10, 1)),  # +12:45; 27 September has 23 hours
}
LATER = datetime(2026, 12, 24, tzinfo=UTC)


@pytest.fixture(params=list(ZONES_AND_DAYS))
def period(request: pytest.FixtureRequest) -> TrendPeriod:
    """Days with a change of the clock, or the end of a month."""
    first, last = ZONES_AND_DAYS[request.param]
    return TrendPeriod(first, last, request.param)


def shop_in(time_zone: str) -> Site:
    """The site 7."""
    created_at = datetime(2026, 1, 1, tzinfo=UTC)
    return Site(id=7, key="shop", name="Shop", time_zone=time_zone, created_at=created_at)


def test_every_card_counts_what_visit_by_visit_is_counted(
    db: Connection, period: TrendPeriod
) -> None:
    visits = make_visits(7, period.bounds, 300, seed=1)
    before = make_visits(7, period.before().bounds, 120, seed=2)
    others = make_visits(8, period.bounds, 20, seed=3)
    store(db, [*before, *visits, *others])
    told = trends(db, shop_in(period.time_zone), period, LATER)
    expected = expected_counts(visits)
    for name, dimension in LISTS.items():
        rows = getattr(told, name)
        found = {
            row.value: (row.visits, row.page_views, row.one_page_visits, row.seconds)
            for row in rows.itertuples()
        }
        wanted = {value: sums for (of, value), sums in expected.items() if of == dimension.value}
        if dimension is Dimension.CAMPAIGN:
            del wanted[""]
        assert found == wanted, name
    totals: Any = told.totals.set_index("measure")
    for column, of in (("value", visits), ("before", before)):
        assert totals.at["visits", column] == len(of)
        assert totals.at["page_views", column] == sum(len(visit.views) for visit in of)
        assert totals.at["one_page_visits", column] == sum(len(visit.views) == 1 for visit in of)
        remembered = {visit.row["visitor_id"] for visit in of} - {""}
        assert totals.at["visitors", column] == len(remembered)
        lengths = [visit.seconds for visit in of]
        first, last = time_class(median_low(lengths)), time_class(median_high(lengths))
        until = TIME_CLASSES[TIME_CLASSES.index(last) + 1]
        assert first <= totals.at["median_seconds", column] <= until


@pytest.mark.parametrize("granularity", Granularity)
def test_series_has_each_local_step_with_the_period_before_beside_it(
    db: Connection, period: TrendPeriod, granularity: Granularity
) -> None:
    visits = make_visits(7, period.bounds, 200, seed=4)
    before = make_visits(7, period.before().bounds, 200, seed=5)
    store(db, [*before, *visits])
    told = trends(db, shop_in(period.time_zone), period, LATER, granularity=granularity)
    zone, back = ZoneInfo(period.time_zone), timedelta(days=period.length)

    def step_of(visit: PastVisit, moved: timedelta) -> datetime:
        local = visit.row["started_at"].astimezone(zone).replace(tzinfo=None) + moved
        hour = local.replace(minute=0, second=0, microsecond=0)
        day = hour.replace(hour=0)
        monday = day - timedelta(days=day.weekday())
        first = datetime.combine(period.first, datetime.min.time())
        return {"hour": hour, "day": day, "week": max(monday, first)}[granularity.value]

    steps = told.series.set_index("step")
    assert steps.index.is_monotonic_increasing and steps.index.is_unique
    in_step = pd.Series([step_of(visit, timedelta(0)) for visit in visits]).value_counts()
    in_before = pd.Series([step_of(visit, back) for visit in before]).value_counts()
    assert steps["visits"].sum() == len(visits)
    assert (steps["visits"] == in_step.reindex(steps.index, fill_value=0)).all()
    assert (steps["visits_before"] == in_before.reindex(steps.index, fill_value=0)).all()


def test_heat_map_has_each_hour_of_the_week_in_local_time(
    db: Connection, period: TrendPeriod
) -> None:
    visits = make_visits(7, period.bounds, 200, seed=6)
    store(db, visits)
    told = trends(db, shop_in(period.time_zone), period, LATER).heat_map
    zone = ZoneInfo(period.time_zone)
    local = [visit.row["started_at"].astimezone(zone) for visit in visits]
    expected = pd.Series([(at.weekday(), at.hour) for at in local]).value_counts().to_dict()
    assert len(told) == 168
    assert {
        (row.weekday, row.hour): row.visits for row in told.itertuples() if row.visits
    } == expected


@pytest.mark.parametrize(
    ("name", "value", "is_wanted"),
    [
        ("source", "Google", lambda visit: visit.row["source"] == "Google"),
        ("source", "", lambda visit: visit.row["source"] == ""),
        ("campaign", "Spring", lambda visit: visit.row["campaign"] == "Spring"),
        ("country", "NP", lambda visit: visit.row["country"] == "NP"),
        ("device", "Phone", lambda visit: visit.row["device"] == "Phone"),
        ("browser", "", lambda visit: visit.row["browser"] in ("", "Other")),
        ("entry_page", "/", lambda visit: visit.row["entry_path"] == "/"),
        ("exit_page", "/cart", lambda visit: visit.row["current_path"] == "/cart"),
        (
            "page",
            "/products/tea",
            lambda visit: any(view.page[0] == "/products/tea" for view in visit.views),
        ),
        (
            "context",
            "Product",
            lambda visit: any(view.page[2] == "Product" for view in visit.views),
        ),
        ("returning", "new", lambda visit: visit.row["visit_number"] == 1),
        ("returning", "returning", lambda visit: visit.row["visit_number"] > 1),
        ("returning", "", lambda visit: visit.row["visit_number"] == 0),
    ],
)
def test_filter_narrows_every_card(
    db: Connection, name: str, value: str, is_wanted: Callable[[PastVisit], bool]
) -> None:
    period = TrendPeriod(date(2026, 11, 1), date(2026, 11, 7), "Europe/Berlin")
    visits = make_visits(7, period.bounds, 150, seed=7)
    store(db, visits)
    filters = TrendFilters(**{name: value})
    told = trends(db, shop_in("Europe/Berlin"), period, LATER, filters)
    wanted = [visit for visit in visits if is_wanted(visit)]
    assert 0 < len(wanted) < len(visits)
    assert told.totals.set_index("measure").at["visits", "value"] == len(wanted)
    pages = {row.value: row.page_views for row in told.pages.itertuples()}
    expected = expected_counts(wanted)
    assert pages == {of: sums[1] for (kind, of), sums in expected.items() if kind == "page"}


def test_site_without_visits_has_empty_cards(db: Connection) -> None:
    period = last_days("Europe/Berlin", LATER, 30)
    told = trends(db, shop_in("Europe/Berlin"), period, LATER)
    totals = told.totals.set_index("measure")["value"]
    assert (
        totals["visits"] == 0 and pd.isna(totals["median_seconds"]) and pd.isna(totals["visitors"])
    )
    assert len(told.series) == 30 and told.series["visits"].sum() == 0
    assert all(getattr(told, name).empty for name in LISTS)
    assert len(told.heat_map) == 168


def test_values_beyond_the_listed_ones_are_summed(
    db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.trends.cards.LISTED", 100)
    period = TrendPeriod(date(2026, 11, 1), date(2026, 11, 1), "UTC")
    visits = make_visits(7, period.bounds, 150, seed=8)
    for place, visit in enumerate(visits):
        visit.row["source"] = f"site{max(place - 5, 0):03}.example"
    store(db, visits)
    sources = trends(db, shop_in("UTC"), period, LATER).sources
    assert len(sources) == 101
    assert sources["value"].iloc[0] == "site000.example"
    assert sources["visits"].sum() == len(visits)
    assert sources["value"].iloc[-1] == REST and sources["is_rest"].sum() == 1
    short = shortened(sources, 10, "visits")
    assert len(short) == 11 and short["is_rest"].tolist() == [False] * 10 + [True]
    for name in ("visits", "page_views", "one_page_visits", "seconds", "share"):
        assert short[name].sum() == pytest.approx(sources[name].sum())
    rest = short.iloc[-1]
    assert rest["seconds_per_view"] == pytest.approx(rest["seconds"] / rest["visits"])
    assert shortened(sources, 100, "visits") is sources


def test_period_that_goes_on_is_compared_up_to_the_same_local_time(db: Connection) -> None:
    now = datetime(2026, 11, 18, 11, 20, tzinfo=UTC)  # 12:20 in Berlin
    period = last_days("Europe/Berlin", now, 7)
    store(db, make_visits(7, period.before().bounds, 300, seed=9))
    told = trends(db, shop_in("Europe/Berlin"), period, now)
    assert told.compared_until == datetime(2026, 11, 11, 11, 15, tzinfo=UTC)
    totals = told.totals.set_index("measure")["before"]
    assert totals["visits"] < told.series["visits_before"].sum() == 300


def test_period_before_is_as_long_and_ends_where_the_period_begins(period: TrendPeriod) -> None:
    before = period.before()
    assert before.length == period.length
    assert before.bounds.until_at == period.bounds.from_at


def test_month_is_compared_with_the_month_before(db: Connection) -> None:
    now = datetime(2026, 3, 3, 12, tzinfo=UTC)
    period = month_of(now.date(), "UTC")
    february = period.before()
    assert february == month_of(date(2026, 2, 1), "UTC")
    store(db, make_visits(7, february.bounds, 280, seed=12))
    told = trends(db, shop_in("UTC"), period, now)
    assert told.compared_until == datetime(2026, 2, 3, 12, tzinfo=UTC)
    assert told.series["visits_before"].sum() == 280
    assert told.series["visits_before"].iloc[28:].sum() == 0
    longer = trends(db, shop_in("UTC"), february, now)
    assert len(longer.series) == 28


def test_steps_that_are_to_come_are_not_zero(db: Connection) -> None:
    now = datetime(2026, 11, 18, 11, 20, tzinfo=UTC)
    told = trends(db, shop_in("UTC"), today("UTC", now), now)
    assert told.series["visits"].iloc[:12].eq(0).all()
    assert told.series["visits"].iloc[12:].isna().all()
    assert told.series["visits_before"].eq(0).all()


def test_filters_say_from_when_on_visits_are_stored(db: Connection) -> None:
    period = TrendPeriod(date(2026, 11, 8), date(2026, 11, 10), "UTC")
    store(db, make_visits(7, period.bounds, 30, seed=13))
    deleted_until = datetime(2026, 11, 6, tzinfo=UTC)
    store_state(db, 7, time_zone="UTC", thinned_until=deleted_until, thinned_day=20_762)
    narrowed = trends(db, shop_in("UTC"), period, LATER, TrendFilters(source="Google"))
    assert narrowed.rows_since == deleted_until
    assert narrowed.totals["before"].isna().all()
    assert narrowed.series["visits_before"].isna().all()
    assert narrowed.series["visits"].sum() > 0
    assert trends(db, shop_in("UTC"), period, LATER).rows_since is None


def test_periods_are_local_days() -> None:
    now = datetime(2026, 11, 30, 11, 30, tzinfo=UTC)  # 1 December 01:15 at +13:45
    assert today("Pacific/Chatham", now).first == date(2026, 12, 1)
    assert last_days("Pacific/Chatham", now, 7).first == date(2026, 11, 25)
    assert month_of(date(2028, 2, 10), "UTC").last == date(2028, 2, 29)


def test_progress_ends_with_all_of_it(db: Connection) -> None:
    period = TrendPeriod(date(2026, 11, 1), date(2026, 11, 2), "UTC")
    store(db, make_visits(7, period.bounds, 50, seed=10))
    told: list[float] = []
    trends(db, shop_in("UTC"), period, LATER, progress=told.append)
    assert told == sorted(told) and told[-1] == 1.0

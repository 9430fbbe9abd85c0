"""Days that are counted: the same as their visits, for as long as these are there, and after."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, select
from sqlmodel import col

from collector.writing.retention_chore import forget_visits
from core.database import reading, writing
from core.enrich.text import LONGEST_PATH
from core.moment import to_milliseconds
from core.removal import delete_some, remove_site
from core.rollups.count_step import ask_again, count_some
from core.rollups.counting import Count
from core.rollups.dimensions import Dimension
from core.rollups.site_counts import MOST_VALUES, REST, add_to_day, count_state, read_days
from core.sites import add_site, change_site
from core.tables import Site, TrendCount, Visit
from core.trends import TrendFilters, TrendPeriod, Trends, trends
from core.trends.counted_days import CountedDays, CountedSite
from core.trends.counts import OF_WHOLE_DAYS, count_period, count_visitors_of
from core.trends.site_trends import LISTS
from core.visitor_data import forget_visits_of
from core.visits.calendar import Period, day_period
from tests.helpers.day_counting import count_days
from tests.helpers.past_visits import PastVisit, expected_counts, in_order, make_visits, store

PERIODS = {
    "Europe/Berlin": (date(2026, 10, 24), date(2026, 11, 2)),  # 25 October has 25 hours
    "Asia/Kathmandu": (date(2026, 2, 25), date(2026, 3, 3)),  # +05:45, and a month's end
    "Pacific/Chatham": (date(2026, 9, 24), date(2026, 10, 1)),  # +12:45; 27 September has 23 hours
}
LATER = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(params=list(PERIODS))
def period(request: pytest.FixtureRequest) -> TrendPeriod:
    """Days with a change of the clock, or the end of a month."""
    return TrendPeriod(*PERIODS[request.param], request.param)


@pytest.fixture
def shop(database: Engine) -> Callable[..., Site]:
    """shop(time_zone, visits): a site with these visits; make them for site 1."""

    def shop(time_zone: str, *visits: PastVisit) -> Site:
        with writing(database) as db:
            site = add_site(db, name="Shop", key="shop", time_zone=time_zone, now=LATER)
            assert site.id == 1
            store(db, visits)
        return site

    return shop


def counts_of(
    db: Connection, site: Site, days: list[date]
) -> dict[tuple[str, ...], tuple[int, ...]]:
    """What is kept of these days."""
    return {
        tuple(count[:2]): tuple(count[2:])
        for count in read_days(db, site.id or 0, days, list(set(Dimension) - {Dimension.VISITOR}))
    }


def told(database: Engine, site: Site, period: TrendPeriod) -> Trends:
    """The trends of the period."""
    with reading(database) as db:
        return trends(db, site, period, LATER)


def assert_same(first: Trends, second: Trends) -> None:
    """Every card says the same."""
    for name in ("totals", "series", "heat_map", *LISTS):
        pd.testing.assert_frame_equal(
            getattr(first, name), getattr(second, name), check_dtype=False
        )


def test_each_day_has_the_counts_of_its_visits(
    database: Engine, shop: Callable[..., Site], period: TrendPeriod
) -> None:
    visits = make_visits(1, period.bounds, 250, seed=1)
    site = shop(period.time_zone, *visits)
    count_days(database, to_milliseconds(LATER))
    zone = ZoneInfo(period.time_zone)
    with reading(database) as db:
        for day in period.days:
            of_day = [
                visit for visit in visits if visit.row["started_at"].astimezone(zone).date() == day
            ]
            assert counts_of(db, site, [day]) == expected_counts(of_day), day


def test_cards_say_the_same_before_and_after_days_are_counted(
    database: Engine, shop: Callable[..., Site], period: TrendPeriod
) -> None:
    visits = make_visits(1, period.bounds, 150, seed=2)
    before = make_visits(1, period.before().bounds, 80, seed=3)
    site = shop(period.time_zone, *before, *visits)
    raw = told(database, site, period)
    count_days(database, to_milliseconds(LATER))
    assert_same(told(database, site, period), raw)


def test_counts_outlive_their_visits(
    database: Engine, shop: Callable[..., Site], period: TrendPeriod
) -> None:
    site = shop(period.time_zone, *make_visits(1, period.bounds, 60, seed=4))
    count_days(database, to_milliseconds(LATER))
    whole = told(database, site, period)
    much_later = to_milliseconds(LATER + timedelta(days=400))
    assert forget_visits(database, much_later, timedelta(days=90)).deleted == 60
    after = told(database, site, period)
    assert after.totals["value"].equals(whole.totals["value"])
    for name in LISTS:
        pd.testing.assert_frame_equal(getattr(after, name), getattr(whole, name))


def test_visits_that_are_not_counted_stay(database: Engine, shop: Callable[..., Site]) -> None:
    shop("UTC", *make_visits(1, day_period(date(2026, 11, 1), "UTC"), 20, seed=5))
    much_later = to_milliseconds(LATER + timedelta(days=400))
    waits = forget_visits(database, much_later, timedelta(days=90))
    assert waits.deleted == 0 and waits.has_to_wait
    count_days(database, much_later)
    assert forget_visits(database, much_later, timedelta(days=90)).deleted == 20


def test_forgotten_visitor_is_taken_out_of_the_counts(
    database: Engine, shop: Callable[..., Site]
) -> None:
    period = TrendPeriod(date(2026, 11, 1), date(2026, 11, 3), "Asia/Kathmandu")
    visits = make_visits(1, period.bounds, 60, seed=6)
    site = shop("Asia/Kathmandu", *visits)
    count_days(database, to_milliseconds(LATER))
    with writing(database) as db:
        forget_visits_of(db, 1, [visit.row["id"] for visit in visits[::7]], LATER)
    kept = [visit for place, visit in enumerate(visits) if place % 7]
    with reading(database) as db:
        assert counts_of(db, site, period.days) == expected_counts(kept)


def test_visit_that_may_change_is_told_by_its_rows_until_it_is_over(
    database: Engine, shop: Callable[..., Site]
) -> None:
    day = TrendPeriod(date(2026, 11, 18), date(2026, 11, 18), "UTC")
    end = day.bounds.until_at
    [*_, last] = visits = make_visits(1, day.bounds, 10, seed=7)
    last.row["last_activity_at"] = end + timedelta(hours=5)
    site = shop("UTC", *visits)
    raw = told(database, site, day)
    for hours, counted in ((6, 9), (8, 10)):
        count_days(database, to_milliseconds(end + timedelta(hours=hours)))
        with reading(database) as db:
            sources = read_days(db, 1, day.days, [Dimension.SOURCE])
            assert sum(count.visits for count in sources) == counted
        assert_same(told(database, site, day), raw)


def test_visits_are_counted_bite_by_bite_the_same(
    database: Engine, shop: Callable[..., Site]
) -> None:
    period = TrendPeriod(date(2026, 11, 1), date(2026, 11, 4), "Asia/Kathmandu")
    visits = make_visits(1, period.bounds, 60, seed=11)
    site = shop("Asia/Kathmandu", *visits)
    raw = told(database, site, period)
    is_last = False
    while not is_last:
        with writing(database) as db:
            is_last = count_some(db, site, LATER, 7).is_last
        assert_same(told(database, site, period), raw)


def test_other_time_zone_has_its_days_counted_again(
    database: Engine, shop: Callable[..., Site]
) -> None:
    period = TrendPeriod(date(2026, 11, 2), date(2026, 11, 4), "UTC")
    visits = make_visits(1, period.bounds, 60, seed=8)
    shop("UTC", *visits)
    count_days(database, to_milliseconds(LATER))
    with writing(database) as db:
        site = change_site(db, "shop", time_zone="Pacific/Chatham")
    moved = TrendPeriod(date(2026, 11, 1), date(2026, 11, 5), "Pacific/Chatham")
    raw = told(database, site, moved)
    count_days(database, to_milliseconds(LATER))
    assert count_of(database, moved.days) == 60
    assert_same(told(database, site, moved), raw)


def count_of(database: Engine, days: list[date]) -> int:
    """The visits that are counted of these days."""
    with reading(database) as db:
        return sum(count.visits for count in read_days(db, 1, days, [Dimension.SOURCE]))


def test_other_time_zone_leaves_days_alone_of_which_visits_are_deleted(
    database: Engine, shop: Callable[..., Site]
) -> None:
    old = TrendPeriod(date(2026, 8, 1), date(2026, 8, 2), "UTC")
    new = TrendPeriod(date(2026, 11, 2), date(2026, 11, 4), "UTC")
    shop("UTC", *make_visits(1, old.bounds, 20, seed=12), *make_visits(1, new.bounds, 30, seed=13))
    count_days(database, to_milliseconds(LATER))
    assert forget_visits(database, to_milliseconds(LATER), timedelta(days=90), 13).deleted == 13
    with writing(database) as db:
        site = change_site(db, "shop", time_zone="Pacific/Chatham")
    held = replace(old, time_zone="Pacific/Chatham", last=date(2026, 8, 3))
    for _ in range(2):
        assert told(database, site, held).totals.at[0, "value"] == 20
        moved = TrendPeriod(date(2026, 11, 1), date(2026, 11, 6), "Pacific/Chatham")
        assert told(database, site, moved).totals.at[0, "value"] == 30
        count_days(database, to_milliseconds(LATER))
    assert count_of(database, held.days) == 20


def test_visits_stay_while_their_days_are_counted_again(
    database: Engine, shop: Callable[..., Site]
) -> None:
    end = LATER - timedelta(days=90)
    visits = make_visits(
        1, Period(end - timedelta(hours=12), end + timedelta(hours=6)), 40, seed=14
    )
    shop("UTC", *visits)
    count_days(database, to_milliseconds(LATER))
    with writing(database) as db:
        site = change_site(db, "shop", time_zone="America/Denver")
    counted = 0
    while counted < 14:
        with writing(database) as db:
            counted += count_some(db, site, LATER, 7).visits
    waits = forget_visits(database, to_milliseconds(LATER), timedelta(days=90))
    assert waits.deleted == 0 and waits.has_to_wait
    count_days(database, to_milliseconds(LATER))
    assert forget_visits(database, to_milliseconds(LATER), timedelta(days=90)).deleted
    assert count_of(database, [date(2026, 8, 21), date(2026, 8, 22), date(2026, 8, 23)]) == 40


def test_visitor_is_taken_out_of_days_that_stay_while_others_are_counted_again(
    database: Engine, shop: Callable[..., Site]
) -> None:
    old = TrendPeriod(date(2026, 8, 1), date(2026, 8, 1), "UTC")
    visits = make_visits(1, old.bounds, 20, seed=15)
    site = shop("UTC", *visits)
    count_days(database, to_milliseconds(LATER))
    assert forget_visits(database, to_milliseconds(LATER), timedelta(days=90), 13).deleted == 13
    with writing(database) as db:
        ask_again(db, 1)
        left = set(db.execute(select(col(Visit.id))).scalars())
        while count_state(db, site).until >= count_state(db, site).before:
            count_some(db, site, LATER, 1)
        forget_visits_of(db, 1, sorted(left)[:3], LATER)
    count_days(database, to_milliseconds(LATER))
    assert count_of(database, old.days) == 17


def test_what_a_clock_that_ran_ahead_has_counted_is_counted_again(
    database: Engine, shop: Callable[..., Site]
) -> None:
    day = TrendPeriod(date(2026, 11, 18), date(2026, 11, 18), "UTC")
    site = shop("UTC", *make_visits(1, day.bounds, 10, seed=9))
    now = datetime(2026, 11, 19, 12, tzinfo=UTC)
    count_days(database, to_milliseconds(now + timedelta(days=30)))
    with writing(database) as db:
        store(
            db,
            make_visits(1, Period(now - timedelta(hours=6), now - timedelta(hours=4)), 5, seed=10),
        )
    count_days(database, to_milliseconds(now))
    assert count_of(database, [date(2026, 11, 18), date(2026, 11, 19)]) == 15
    assert told(database, site, day).totals.at[0, "value"] == 10


def test_values_beyond_those_that_a_day_keeps_are_summed(
    database: Engine, shop: Callable[..., Site]
) -> None:
    shop("UTC")
    day = date(2026, 11, 1)
    pages = [Count("page", f"/{number}", 1, 2, 0, 3) for number in range(MOST_VALUES + 3)]
    with writing(database) as db:
        add_to_day(db, 1, day, pages[:10])
        add_to_day(db, 1, day, pages)
        add_to_day(db, 1, day, [pages[0], pages[-1], Count("source", "a", 1, 1, 1, 1)])
        kept = {count.value: count for count in read_days(db, 1, [day], list(Dimension))}
    assert len(kept) == MOST_VALUES + 2
    assert kept[REST] == Count("page", REST, 4, 8, 0, 12)
    assert kept["/0"] == Count("page", "/0", 3, 6, 0, 9)


def test_value_that_no_index_takes_is_summed_with_the_rest(
    database: Engine, shop: Callable[..., Site]
) -> None:
    shop("UTC")
    longest = "/" + "".join(chr(0x20000 + 37 * place) for place in range(LONGEST_PATH - 1))
    with writing(database) as db:
        add_to_day(db, 1, date(2026, 11, 1), [Count("page", longest, 1, 2, 0, 3)])
        kept = read_days(db, 1, [date(2026, 11, 1)], list(Dimension))
    assert kept == [Count("page", REST, 1, 2, 0, 3)]


def test_deleted_site_takes_its_counts_along(database: Engine, shop: Callable[..., Site]) -> None:
    shop("UTC", *make_visits(1, day_period(date(2026, 11, 1), "UTC"), 5, seed=10))
    count_days(database, to_milliseconds(LATER))
    with writing(database) as db:
        remove_site(db, "shop", "Shop", LATER)
        while not delete_some(db, 1, 100, 1000).is_last:
            pass
        assert db.execute(select(TrendCount)).first() is None


@pytest.mark.parametrize("hour", [1, 13, 23])
def test_part_of_a_day_is_counted_by_what_of_it_is_shorter(
    database: Engine, shop: Callable[..., Site], period: TrendPeriod, hour: int
) -> None:
    site = shop(period.time_zone, *make_visits(1, period.bounds, 400, seed=12))
    last = day_period(period.last, period.time_zone)
    until = min(last.from_at + timedelta(hours=hour, minutes=15), last.until_at)
    part = Period(period.bounds.from_at, until)

    def count(db: Connection) -> tuple[list[tuple[Any, ...]], int]:
        known = CountedSite.read(db, site)
        found = count_period(
            db, known, part, TrendFilters(), list(OF_WHOLE_DAYS), lambda done: None
        )
        return in_order(found), count_visitors_of(db, known, part, TrendFilters())

    with reading(database) as db:
        of_rows = count(db)
        assert not CountedDays.of(CountedSite.read(db, site), part, TrendFilters()).beyond
    count_days(database, to_milliseconds(LATER))
    with reading(database) as db:
        assert count(db) == of_rows
        known = CountedSite.read(db, site)
        of_days = CountedDays.of(known, part, TrendFilters(), may_take_off=True)
    rest = [Period(until, last.until_at)]
    assert (of_days.beyond, of_days.gaps) == (
        (rest, []) if hour > 12 else ([], [Period(last.from_at, until)])
    )

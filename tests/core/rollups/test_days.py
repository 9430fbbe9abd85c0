"""Days that are counted: the same as their visits, for as long as these are there, and after."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, select

from collector.writing.retention_chore import forget_visits
from core.database import reading, writing
from core.moment import to_milliseconds
from core.removal import delete_some, remove_site
from core.rollups.counting import Count
from core.rollups.days import MOST_VALUES, REST, counted_days, most_of_each, read_days
from core.rollups.dimensions import Dimension
from core.sites import add_site, change_site
from core.tables import Site, TrendCount
from core.trends import TrendPeriod, Trends, trends
from core.trends.trends import LISTS
from core.visitor_data import forget_visits_of
from core.visits.calendar import day_period
from tests.helpers.day_counting import count_days
from tests.helpers.past_visits import PastVisit, expected_counts, make_visits, store

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
) -> dict[tuple[str, str], tuple[int, ...]]:
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
        assert set(counted_days(db, site)) >= set(period.days)
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


def test_visits_of_a_day_that_is_not_counted_stay(
    database: Engine, shop: Callable[..., Site]
) -> None:
    shop("UTC", *make_visits(1, day_period(date(2026, 11, 1), "UTC"), 20, seed=5))
    much_later = to_milliseconds(LATER + timedelta(days=400))
    assert forget_visits(database, much_later, timedelta(days=90)).deleted == 0
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


def test_day_waits_for_visits_that_may_change(database: Engine, shop: Callable[..., Site]) -> None:
    day = date(2026, 11, 18)
    end = day_period(day, "UTC").until_at
    [*_, last] = visits = make_visits(1, day_period(day, "UTC"), 10, seed=7)
    last.row["last_activity_at"] = end + timedelta(hours=5)
    site = shop("UTC", *visits)
    for hours, is_counted in ((1, False), (6, False), (8, True)):
        count_days(database, to_milliseconds(end + timedelta(hours=hours)))
        with reading(database) as db:
            assert (day in counted_days(db, site)) is is_counted


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
    with reading(database) as db:
        days = [date(2026, 11, 3), date(2026, 11, 4)]
        assert set(days) <= set(counted_days(db, site))
    assert_same(told(database, site, moved), raw)


def test_day_counted_by_a_clock_that_ran_ahead_is_counted_again(
    database: Engine, shop: Callable[..., Site]
) -> None:
    day = date(2026, 11, 18)
    site = shop("UTC", *make_visits(1, day_period(day, "UTC"), 10, seed=9))
    noon = datetime(2026, 11, 18, 12, tzinfo=UTC)
    count_days(database, to_milliseconds(noon + timedelta(days=30)))
    count_days(database, to_milliseconds(noon))
    with reading(database) as db:
        assert counted_days(db, site) == {}
        assert db.execute(select(TrendCount)).first() is None


def test_values_beyond_those_that_are_kept_are_summed_and_taken_out_of_the_sum() -> None:
    counts = [Count("page", f"/{number}", number, 1, 0, 2) for number in range(MOST_VALUES + 3)]
    kept = most_of_each(
        [*counts, Count("page", REST, 5, 5, 5, 5), Count("source", "a", 1, 1, 1, 1)]
    )
    assert len(kept) == MOST_VALUES + 2
    rest = {count.value: count for count in kept if count.dimension == "page"}[REST]
    assert rest == Count("page", REST, 0 + 1 + 2 + 5, 3 + 5, 5, 6 + 5)


def test_deleted_site_takes_its_counts_along(database: Engine, shop: Callable[..., Site]) -> None:
    shop("UTC", *make_visits(1, day_period(date(2026, 11, 1), "UTC"), 5, seed=10))
    count_days(database, to_milliseconds(LATER))
    with writing(database) as db:
        remove_site(db, "shop", "Shop", LATER)
        while not delete_some(db, 1, 100, 1000).is_last:
            pass
        assert db.execute(select(TrendCount)).first() is None

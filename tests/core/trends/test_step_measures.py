"""Visitors and the median of each step, compared with what is told visit by visit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median_high, median_low
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine

from collector.writing.retention_chore import forget_visits
from core.database import reading, writing
from core.moment import to_milliseconds
from core.rollups.dimensions import TIME_CLASSES, time_class
from core.rollups.site_counts import count_state, store_state
from core.sites import add_site
from core.tables import Site
from core.trends import (
    Granularity,
    StepMeasure,
    StepMeasures,
    TrendFilters,
    TrendPeriod,
    month_of,
    step_measures,
    step_visits,
    today,
    visit_parts,
)
from core.trends.series_steps import step_bounds, steps
from tests.helpers.day_counting import count_days
from tests.helpers.past_visits import PastVisit, make_visits, store

PERIODS = {
    "the clock is set back": TrendPeriod(date(2026, 10, 24), date(2026, 10, 31), "Europe/Berlin"),
    "half an hour is repeated": TrendPeriod(
        date(2026, 4, 4), date(2026, 4, 6), "Australia/Lord_Howe"
    ),
    "the clock is set ahead": TrendPeriod(date(2026, 9, 24), date(2026, 10, 1), "Pacific/Chatham"),
    "a month after a shorter one": month_of(date(2026, 3, 1), "Asia/Kathmandu"),
}
LATER = datetime(2026, 12, 24, tzinfo=UTC)
PLACES = [(name, step) for name in PERIODS for step in PERIODS[name].granularities()]


def shop_in(time_zone: str) -> Site:
    """The site 7."""
    created_at = datetime(2026, 1, 1, tzinfo=UTC)
    return Site(id=7, key="shop", name="Shop", time_zone=time_zone, created_at=created_at)


def by_step(
    visits: Sequence[PastVisit], period: TrendPeriod, granularity: Granularity, moved: timedelta
) -> dict[datetime, list[PastVisit]]:
    """The visits of each step, told one by one."""
    found: dict[datetime, list[PastVisit]] = defaultdict(list)
    first = datetime.combine(period.first, datetime.min.time())
    for visit in visits:
        local = visit.row["started_at"].astimezone(ZoneInfo(period.time_zone)).replace(tzinfo=None)
        hour = (local + moved).replace(minute=0, second=0, microsecond=0)
        day = hour.replace(hour=0)
        monday = max(day - timedelta(days=day.weekday()), first)
        found[{"hour": hour, "day": day, "week": monday}[granularity.value]].append(visit)
    return found


def visitors_of(visits: Sequence[PastVisit]) -> int:
    """How many are remembered."""
    return len({visit.row["visitor_id"] for visit in visits} - {""})


def compared(
    frame: Any, period: TrendPeriod, granularity: Granularity, sides: Any
) -> Iterator[tuple[datetime, float, list[PastVisit]]]:
    """Each step with what is told of it, and its visits; of both columns."""
    assert list(frame["step"]) == steps(period, granularity)
    for column, visits, moved in sides:
        of_steps = by_step(visits, period, granularity, moved)
        for step, told in frame.set_index("step")[column].items():
            yield step, told, of_steps.get(step, [])


@pytest.mark.parametrize("name, granularity", PLACES)
def test_each_step_is_what_visit_by_visit_is_counted(
    db: Connection, name: str, granularity: Granularity
) -> None:
    period = PERIODS[name]
    visits = make_visits(7, period.bounds, 250, seed=1)
    before = make_visits(7, period.before().bounds, 150, seed=2)
    store(db, [*before, *visits, *make_visits(8, period.bounds, 20, seed=3)])
    site, sides = (
        shop_in(period.time_zone),
        [
            ("now", visits, timedelta(0)),
            ("before", before, period.shift),
        ],
    )
    counted = step_measures(db, site, period, LATER, StepMeasure.VISITORS, granularity)
    for step, found, of in compared(counted.frame, period, granularity, sides):
        assert found == visitors_of(of) or (not of and found != found), step
    told = step_measures(db, site, period, LATER, StepMeasure.MEDIAN_SECONDS, granularity)
    for step, found, of in compared(told.frame, period, granularity, sides):
        if not of:
            assert found != found, step
            continue
        lengths = [visit.seconds for visit in of]
        first, last = time_class(median_low(lengths)), time_class(median_high(lengths))
        assert first <= found <= TIME_CLASSES[TIME_CLASSES.index(last) + 1], step


@pytest.mark.parametrize("measure", StepMeasure)
def test_visits_of_filtered_steps_are_read_once_and_their_progress_is_told(
    db: Connection, monkeypatch: pytest.MonkeyPatch, measure: StepMeasure
) -> None:
    period = PERIODS["the clock is set back"]
    visits = make_visits(7, period.bounds, 250, seed=1)
    before = make_visits(7, period.before().bounds, 150, seed=2)
    store(db, [*before, *visits])
    monkeypatch.setattr(visit_parts, "AT_ONCE", 30)
    read: list[int] = []
    read_rows = step_visits._read_rows

    def note(*asked: Any) -> Any:
        found = read_rows(*asked)
        read.append(len(found[0]))
        return found

    monkeypatch.setattr(step_visits, "_read_rows", note)
    shares: list[float] = []
    wanted = TrendFilters(device="Desktop")
    site = shop_in(period.time_zone)
    step_measures(db, site, period, LATER, measure, Granularity.HOUR, wanted, shares.append)
    assert sum(read) == sum(visit.row["device"] == "Desktop" for visit in [*before, *visits])
    assert len(read) > 10
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(set(shares)) > 10


@pytest.mark.parametrize("name", PERIODS)
def test_days_that_are_counted_tell_the_same(database: Engine, name: str) -> None:
    period = PERIODS[name]
    with writing(database) as db:
        site = add_site(db, name="Shop", key="shop", time_zone=period.time_zone, now=LATER)
        both = (period.before().bounds, period.bounds)
        store(
            db, [visit for seed, of in enumerate(both) for visit in make_visits(1, of, 150, seed)]
        )
    asked = [(measure, step) for measure in StepMeasure for step in period.granularities()]

    def told() -> list[Any]:
        with reading(database) as db:
            return [step_measures(db, site, period, LATER, *each).frame for each in asked]

    from_rows = told()
    count_days(database, to_milliseconds(LATER))
    with reading(database) as db:
        assert count_state(db, site).until > period.bounds.until_at
    for rows, counted in zip(from_rows, told(), strict=True):
        assert rows.equals(counted)


@pytest.mark.parametrize("name, granularity", PLACES)
def test_steps_follow_each_other_without_a_gap(name: str, granularity: Granularity) -> None:
    period = PERIODS[name]
    bounds = [*step_bounds(period, granularity).values()]
    assert bounds[0].from_at == period.bounds.from_at
    assert bounds[-1].until_at == period.bounds.until_at
    assert all(one.until_at == next.from_at for one, next in pairwise(bounds))


def test_what_is_to_come_and_what_nobody_knows_is_missing(db: Connection) -> None:
    now = datetime(2026, 11, 18, 11, 20, tzinfo=UTC)
    period = today("UTC", now)
    visits = make_visits(7, period.bounds, 40, seed=5)
    for visit in visits:
        visit.row["visitor_id"] = ""
    store(db, visits)
    shop, shares = shop_in("UTC"), list[float]()
    counted = step_measures(
        db, shop, period, now, StepMeasure.VISITORS, Granularity.HOUR, progress=shares.append
    )
    assert counted.frame[["now", "before"]].isna().all(axis=None)
    assert shares == sorted(shares) and shares[-1] == 1
    told = step_measures(db, shop, period, now, StepMeasure.MEDIAN_SECONDS, Granularity.HOUR)
    assert told.frame["now"].iloc[:12].notna().any() and told.frame["now"].iloc[12:].isna().all()


def test_filters_narrow_it_and_know_no_period_before_that_is_deleted(db: Connection) -> None:
    period = TrendPeriod(date(2026, 11, 8), date(2026, 11, 10), "UTC")
    visits = make_visits(7, period.bounds, 60, seed=13)
    store(db, [*visits, *make_visits(7, period.before().bounds, 60, seed=14)])
    google, filters = (
        [v for v in visits if v.row["source"] == "Google"],
        TrendFilters(source="Google"),
    )
    asked = (StepMeasure.VISITORS, Granularity.DAY, filters)
    whole = step_measures(db, shop_in("UTC"), period, LATER, *asked).frame
    of_days = by_step(google, period, Granularity.DAY, timedelta(0))
    assert whole["now"].tolist() == [visitors_of(of_days[step]) for step in whole["step"]]
    assert whole["before"].notna().all()
    store_state(
        db, 7, time_zone="UTC", thinned_until=datetime(2026, 11, 6, tzinfo=UTC), thinned_day=20_762
    )
    thinned = step_measures(db, shop_in("UTC"), period, LATER, *asked)
    assert thinned.rows_since == datetime(2026, 11, 6, tzinfo=UTC)
    assert thinned.frame["before"].isna().all()  # as of all numbers that are narrowed
    assert thinned.frame["now"].equals(whole["now"])


@pytest.mark.parametrize("measure", StepMeasure)
def test_hours_of_which_visits_are_deleted_are_missing_and_days_stay(
    database: Engine, measure: StepMeasure
) -> None:
    period = TrendPeriod(date(2026, 11, 9), date(2026, 11, 10), "UTC")
    with writing(database) as db:
        site = add_site(db, name="Shop", key="shop", time_zone="UTC", now=LATER)
        store(db, make_visits(1, period.bounds, 400, seed=6))
    count_days(database, to_milliseconds(LATER))

    def told() -> list[StepMeasures]:
        with reading(database) as db:
            steps = period.granularities()
            return [step_measures(db, site, period, LATER, measure, step) for step in steps]

    hours, days = told()
    retention = timedelta(days=90)
    now = to_milliseconds(datetime(2026, 11, 9, 18, tzinfo=UTC) + retention)
    assert forget_visits(database, now, retention).deleted
    left, same = told()
    assert left.rows_since is not None and left.rows_since > period.bounds.from_at
    is_left = left.frame["step"] >= left.rows_since.replace(tzinfo=None)
    assert 10 < is_left.sum() < 40
    assert left.frame[is_left].equals(hours.frame[is_left])
    assert left.frame[~is_left][["now", "before"]].isna().all(axis=None)
    assert same.rows_since is None and same.frame.equals(days.frame)


def test_visitors_are_not_known_of_a_period_in_which_none_was_remembered(db: Connection) -> None:
    period = TrendPeriod(date(2026, 11, 8), date(2026, 11, 10), "UTC")
    before = make_visits(7, period.before().bounds, 30, seed=14)
    for visit in before:
        visit.row["visitor_id"] = ""
    store(db, [*before, *make_visits(7, period.bounds, 30, seed=13)])
    asked = (StepMeasure.VISITORS, Granularity.DAY)
    told = step_measures(db, shop_in("UTC"), period, LATER, *asked)
    assert told.frame["now"].notna().all() and told.frame["before"].isna().all()

"""python -m core trends: counting days again."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, select, update

from core.database import open_database, reading, writing
from core.moment import to_milliseconds
from core.sites import add_site
from core.tables import TrendCount, TrendSite
from core.visits.calendar import day_period
from tests.helpers.day_counting import count_days
from tests.helpers.past_visits import make_visits, store

DAYS = [date(2026, 11, 1), date(2026, 11, 2)]
LATER = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def shop(sqlite_url: str) -> Engine:
    """A site with two counted days of visits, of the first of which visits were deleted, and each count wrong."""
    engine = open_database(sqlite_url)
    with writing(engine) as db:
        add_site(db, name="Shop", key="shop", now=LATER)
        for day in DAYS:
            store(db, make_visits(1, day_period(day, "UTC"), 10, seed=1))
    count_days(engine, to_milliseconds(LATER))
    with writing(engine) as db:
        db.execute(update(TrendCount).values(visits=1_000))
        db.execute(update(TrendSite).values(thinned_day=20261101))
    return engine


def visits_of(engine: Engine, day: int) -> int:
    """By source."""
    is_it = (TrendCount.day == day, TrendCount.dimension == "source")
    with reading(engine) as db:
        return sum(db.execute(select(TrendCount.visits).where(*is_it)).scalars())  # pyright: ignore


def test_rebuild_counts_the_days_whose_visits_are_there(shop: Engine, run: Callable) -> None:
    done = run("trends", "rebuild", "--site", "shop")
    assert done.returncode == 0, done.stderr
    assert "Counted 20 visits." in done.stdout
    assert visits_of(shop, 20261102) == 10
    assert visits_of(shop, 20261101) >= 1_000


def test_rebuild_of_a_site_that_is_not_there_says_so(shop: Engine, run: Callable) -> None:
    done = run("trends", "rebuild", "--site", "nowhere")
    assert done.returncode == 1
    assert "nowhere" in done.stderr

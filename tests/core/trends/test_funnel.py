"""The funnel: who reached each step after the one before, and how long it took."""

from datetime import UTC, date, datetime
from statistics import median

import pytest
from sqlalchemy import Connection

from core.tables import Site
from core.trends import DEFAULT_STEPS, FunnelStep, TrendFilters, TrendPeriod, funnel
from tests.helpers.past_visits import PastVisit, make_visits, store

SITE = Site(
    id=7,
    key="shop",
    name="Shop",
    time_zone="Europe/Berlin",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
PERIOD = TrendPeriod(date(2026, 11, 1), date(2026, 11, 20), "Europe/Berlin")
OWN_STEPS = (
    FunnelStep("A product", pattern="/products/*"),
    FunnelStep("Another product", pattern="/products/*"),
    FunnelStep("Cart", page_context="Cart"),
)


def moments_of(visit: PastVisit, steps: tuple[FunnelStep, ...]) -> list[int]:
    """When the visit reached each step, as far as it came: told view by view."""
    reached: list[int] = []
    views = sorted(visit.views, key=lambda view: (view.at, view.tab, view.number))
    for view in views:
        if len(reached) < len(steps):
            step = steps[len(reached)]
            begins = step.pattern.rstrip("*")
            fits = view.page[0].startswith(begins) if begins else view.page[2] == step.page_context
            if fits:
                reached.append(view.at)
    return reached


@pytest.mark.parametrize("steps", [DEFAULT_STEPS, OWN_STEPS])
def test_visit_reaches_steps_in_their_order_only(
    db: Connection, steps: tuple[FunnelStep, ...]
) -> None:
    visits = make_visits(7, PERIOD.bounds, 400, seed=1)
    store(db, [*visits, *make_visits(8, PERIOD.bounds, 20, seed=2)])
    told = funnel(db, SITE, PERIOD, steps)
    reached = [moments_of(visit, tuple(steps)) for visit in visits]
    came = [sum(len(each) > place for each in reached) for place in range(len(steps))]
    assert told.visits == len(visits)
    assert told.steps["visits"].tolist() == came and came[-1] > 0
    assert told.steps["dropped"].tolist() == [
        earlier - number for earlier, number in zip([len(visits), *came], came, strict=False)
    ]
    waits = [each[1] - each[0] for each in reached if len(each) > 1]
    assert told.steps["median_seconds"].iloc[1] == median(waits) / 1000
    google = [
        each for each, visit in zip(reached, visits, strict=True) if visit.row["source"] == "Google"
    ]
    assert set(told.by_source["value"]) == {visit.row["source"] for visit in visits}
    row = told.by_source.set_index("value").loc["Google"]
    assert [row[f"step_{place + 1}"] for place in range(len(steps))] == [
        sum(len(each) > place for each in google) for place in range(len(steps))
    ]


def test_filters_narrow_the_funnel(db: Connection) -> None:
    visits = make_visits(7, PERIOD.bounds, 100, seed=3)
    store(db, visits)
    told = funnel(db, SITE, PERIOD, DEFAULT_STEPS, TrendFilters(source="Google"))
    assert told.visits == sum(visit.row["source"] == "Google" for visit in visits)
    assert told.by_source["value"].tolist() == ["Google"]


def test_source_of_which_nobody_reached_a_step_has_a_row(db: Connection) -> None:
    visits = make_visits(7, PERIOD.bounds, 50, seed=4)
    store(db, visits)
    told = funnel(db, SITE, PERIOD, [FunnelStep("Nowhere", pattern="/nowhere")])
    assert set(told.by_source["value"]) == {visit.row["source"] for visit in visits}
    assert told.by_source["step_1"].tolist() == [0] * len(told.by_source)


def test_funnel_without_a_visit_has_its_steps(db: Connection) -> None:
    told = funnel(db, SITE, PERIOD, DEFAULT_STEPS)
    assert told.visits == 0
    assert told.steps["visits"].tolist() == [0, 0, 0, 0]
    assert told.steps["median_seconds"].isna().all() and told.by_source.empty

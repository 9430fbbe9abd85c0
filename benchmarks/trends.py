"""What the Trends page's questions cost: every card of 30 days with few and with very many visits, filters and a funnel.

It makes visits of 90 days of one site, and counts those that are over as the collector does. With more than
COUNTED_AT_MOST it counts yesterday and today, and copies yesterday to the others: as many rows, in a fraction of the time.
"""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import click
from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Text,
    case,
    cast,
    delete,
    insert,
    literal,
    select,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.figure import Figure, at_most
from benchmarks.figure_table import print_figures
from benchmarks.past_rows import Past, make_past
from benchmarks.past_statements import HISTORY_DAYS
from core.database import open_database, reading, sqlite_file, writing
from core.moment import EPOCH, milliseconds, to_milliseconds, utc_now
from core.rollups.count_step import count_some
from core.rollups.day_number import number_of
from core.rollups.dimensions import Dimension
from core.rollups.site_counts import store_state
from core.schema import upgrade_schema
from core.sites import add_site, existing_site
from core.tables import Site, TrendCount
from core.trends import (
    FunnelStep,
    TrendFilters,
    TrendPeriod,
    chat_effect,
    funnel,
    last_days,
    trends,
)
from core.visits.calendar import day_period, local_day

COUNTED_AT_MOST = 50_000
ALL_CARDS_WITHIN = 300.0
FILTERED_WITHIN = 3.0
STEPS = (
    FunnelStep("A product", page_context="Product"),
    FunnelStep("One of some", pattern="/products/1*"),
    FunnelStep("Another one", pattern="/products/2*"),
)
FILTERS: Mapping[str, TrendFilters] = {
    "a source": TrendFilters(source="Google"),
    "a device": TrendFilters(device="Phone"),
    "a page": TrendFilters(page="/products/7"),
}

_count = TrendCount.metadata.tables["trend_count"]


@click.command()
@click.option("--little", default=10_000, show_default=True, help="Visits of the small database.")
@click.option("--visits", default=10_000_000, show_default=True, help="Of the large one.")
@click.option(
    "--filtered", default=1_000_000, show_default=True, help="Of that for filters and the funnel."
)
@click.option("--keep", default="", help="A folder: databases are made there, or used again.")
@click.option("--rounds", default=3, show_default=True)
def main(little: int, visits: int, filtered: int, keep: str, rounds: int) -> None:
    """Print the figures."""
    print_figures(lambda: measure(little, visits, filtered, keep, rounds))


def measure(little: int, visits: int, filtered: int, keep: str, rounds: int) -> list[Figure]:
    """Milliseconds for all cards of 30 days; seconds for filters and the funnel of all days."""
    with _folder(keep) as folder:
        few, much, million = (_site_of(folder, number) for number in (little, visits, filtered))
        now = utc_now()
        cards = [
            _all_cards(*each, number, now, rounds)
            for each, number in ((few, little), (much, visits))
        ]
        period = last_days("UTC", now, HISTORY_DAYS + 1)
        return [
            Figure(
                f"all cards of 30 days, {visits:,} visits, to {little:,}",
                "ms",
                cards[1],
                cards[0],
                at_most(ALL_CARDS_WITHIN),
                needs_quiet=True,
            ),
            *(
                _filtered(f"with {name}, of {filtered:,} visits", *million, period, now, filters)
                for name, filters in FILTERS.items()
            ),
            _timed(
                f"a funnel of {filtered:,} visits",
                lambda db, site: funnel(db, site, period, STEPS),
                *million,
            ),
            _timed(
                f"chats beside purchases, {visits:,} visits, 30 days",
                lambda db, site: chat_effect(db, site, last_days("UTC", now, 30)),
                *much,
            ),
        ]


@contextmanager
def _folder(keep: str) -> Iterator[Path]:
    if keep:
        yield Path(keep)
        return
    with tempfile.TemporaryDirectory(prefix="monitor-trends-") as folder:
        yield Path(folder)


def _site_of(folder: Path, visits: int) -> tuple[Engine, Site]:
    """A database with so many visits of a site, of which those that are over are counted."""
    url = f"sqlite:///{folder / f'trends-{visits}.db'}"
    is_made = (sqlite_file(url) or folder).exists()
    engine = open_database(url)
    upgrade_schema(engine)
    now = utc_now()
    if not is_made:
        with writing(engine) as db:
            site = add_site(db, name="Shop", key="shop", now=now)
        engine.dispose()
        make_past(url, Past([site.id or 0], visits, to_milliseconds(now)))
        click.echo(f"{visits:,} visits are made")
    with reading(engine) as db:
        site = existing_site(db, "shop")
    if not is_made:
        _count_visits(engine, site, visits, now)
        click.echo(f"{visits:,} visits are counted")
    return engine, site


def _count_visits(engine: Engine, site: Site, visits: int, now: datetime) -> None:
    days = [local_day("UTC", now) - timedelta(days=ago) for ago in range(HISTORY_DAYS + 1)]
    all_of_them = visits <= COUNTED_AT_MOST
    since = EPOCH if all_of_them else day_period(days[1], "UTC").from_at - timedelta(hours=1)
    with writing(engine) as db:
        store_state(db, site.id or 0, counted_until=since, chunked_until=EPOCH)
    is_last = False
    while not is_last:
        with writing(engine) as db:
            is_last = count_some(db, site, now, 2_000).is_last
    if not all_of_them:
        with writing(engine) as db:
            _copy_day(db, site, days[1], days[2:])


def _copy_day(db: Connection, site: Site, day: date, others: list[date]) -> None:
    """What is counted of a day of UTC, for each of the others; the days on which visitors had come before stay the same."""
    db.execute(delete(_count).where(_count.c.site_id == site.id, _count.c.day < number_of(day)))
    names = [
        column.name for column in _count.columns if column.name not in ("site_id", "day", "value")
    ]
    is_slot = _count.c.dimension == Dimension.SLOT.value
    for other in others:
        moved = milliseconds(day - other)
        slot = cast(cast(_count.c.value, BigInteger) - moved, Text)
        value = case((is_slot, slot), else_=_count.c.value)
        same = select(
            literal(site.id),
            literal(number_of(other)),
            value,
            *(_count.c[name] for name in names),
        ).where(_count.c.site_id == site.id, _count.c.day == number_of(day))
        db.execute(insert(_count).from_select(["site_id", "day", "value", *names], same))


def _all_cards(engine: Engine, site: Site, visits: int, now: datetime, rounds: int) -> list[float]:
    """Milliseconds until they are answered, of each round after one that nobody counts: two parts of them are read side
    by side. As in the dashboard, no garbage is looked for among what was loaded before."""
    gc.collect()
    gc.freeze()
    took: list[float] = []
    spent: list[float] = []
    for _ in range(rounds + 1):
        with reading(engine) as db:
            began, worked = time.perf_counter(), time.process_time()
            trends(db, site, last_days("UTC", now, 30), now)
            took.append((time.perf_counter() - began) * 1000)
            spent.append((time.process_time() - worked) * 1000)
    gc.unfreeze()
    processor = statistics.median(spent[1:])
    click.echo(f"all cards, {visits:,} visits: {processor:.0f} ms of processor time")
    return took[1:]


def _filtered(
    name: str, engine: Engine, site: Site, period: TrendPeriod, now: datetime, filters: TrendFilters
) -> Figure:
    return _timed(name, lambda db, site: trends(db, site, period, now, filters), engine, site)


def _timed(name: str, question: Callable[..., object], engine: Engine, site: Site) -> Figure:
    """Seconds until it is answered: parts of it are read side by side."""
    with reading(engine) as db:
        began = time.perf_counter()
        question(db, site)
        took = time.perf_counter() - began
    return Figure(name, "s", [took], bar=at_most(FILTERED_WITHIN), needs_quiet=True)


if __name__ == "__main__":
    main()

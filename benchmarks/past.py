"""The cost of a past moment of the live page, beside the live picture and with little and much history; and of a day
by minutes."""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Connection, Engine

from benchmarks.crowd import store_crowd
from benchmarks.figure import Figure, at_most, ratio_at_most
from benchmarks.figure_table import print_figures
from benchmarks.history import fill
from core.database import open_database, reading
from core.frames import online_by_minute, picture_at
from core.moment import to_milliseconds
from core.sites import existing_site
from core.tables import Site
from pages.parts.snapshots import FIRST_ROWS
from tests.helpers.postgres_server import postgres_server

MOST_PICTURE = 200
"""Milliseconds of CPU for the picture of 10,000 visitors of a past moment."""

MOST_OF_HISTORY = 1.2
"""Times what it costs with little history."""

MOST_DAY = 100
"""Milliseconds of CPU for the minutes of a day of some 20,000 visits."""

AGO = timedelta(hours=3)
"""All visits of the crowd are over."""

PastQuestion = Callable[[Connection, Site, datetime], object]


@click.command()
@click.option("--online", default=10_000, show_default=True, help="Visitors at the moment, about.")
@click.option("--little", default=10_000, show_default=True, help="Visits of history.")
@click.option("--much", default=1_000_000, show_default=True, help="Visits of history.")
@click.option("--rounds", default=15, show_default=True)
@click.option("--postgres", is_flag=True, help="Of a Postgres that the tests bring.")
def main(**options: Any) -> None:
    """Print what each question costs at both sizes, in CPU time with that of Postgres' session."""
    print_figures(lambda: measure(**options))


def measure(online: int, little: int, much: int, rounds: int, postgres: bool) -> list[Figure]:
    """CPU of the past picture, beside the live one and with little history; of a day by minutes."""
    now = datetime.now(UTC)
    costs: dict[tuple[str, int], list[float]] = {}
    with _databases(postgres, (little, much)) as urls:
        engines: dict[int, Engine] = {}
        for history, url in urls.items():
            began = time.perf_counter()
            fill(url, history, 0, now - AGO * 2)
            for moment in (now - AGO, now):
                store_crowd(url, online, to_milliseconds(moment))
            click.echo(f"{history:,} visits of history made in {time.perf_counter() - began:.0f} s")
            engines[history] = open_database(url)
        gc.collect()
        gc.freeze()  # as the dashboard does at its start
        for number in range(rounds + 1):
            for history, engine in engines.items():
                for name, question in QUESTIONS.items():
                    spent = _cost(engine, question, now)
                    if number:
                        costs.setdefault((name, history), []).append(spent)
        for engine in engines.values():
            engine.dispose()
    where = " on Postgres" if postgres else ""
    past, live, day = QUESTIONS
    return [
        Figure(
            f"past picture of {online:,}, to the live one{where}",
            "ms",
            costs[past, little],
            costs[live, little],
            at_most(MOST_PICTURE),
        ),
        Figure(
            f"past picture at {much:,} of history, to {little:,}{where}",
            "ms",
            costs[past, much],
            costs[past, little],
            ratio_at_most(MOST_OF_HISTORY),
        ),
        Figure(
            f"a day by minutes at {much:,} of history, to {little:,}{where}",
            "ms",
            costs[day, much],
            costs[day, little],
            at_most(MOST_DAY),
        ),
    ]


@contextmanager
def _databases(postgres: bool, histories: tuple[int, int]) -> Iterator[Mapping[int, str]]:
    """An address for each size of history."""
    if postgres:
        with postgres_server() as server:
            for history in histories:
                server.execute(f"CREATE DATABASE past_{history}")
            yield {history: server.url(f"past_{history}") for history in histories}
        return
    with tempfile.TemporaryDirectory(prefix="monitor-past-") as folder:
        yield {history: f"sqlite:///{Path(folder) / f'{history}.db'}" for history in histories}


def _cost(engine: Engine, question: PastQuestion, now: datetime) -> float:
    """Milliseconds of processor time."""
    with reading(engine) as db:
        site = existing_site(db, "shop")
        session = _session_clock(db)
        cpu, theirs = time.process_time(), session()
        question(db, site, now)
        return (time.process_time() - cpu + session() - theirs) * 1000


def _session_clock(db: Connection) -> Callable[[], float]:
    """Seconds of processor time that Postgres' session has taken; 0 for SQLite, which is this process."""
    if db.dialect.name == "sqlite":
        return lambda: 0.0
    pid = db.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    spent = Path(f"/proc/{pid}/schedstat")
    return lambda: int(spent.read_text().split()[0]) / 1e9


def _past(db: Connection, site: Site, now: datetime) -> None:
    assert picture_at(db, [site], now - AGO, now, FIRST_ROWS).cards.online


def _live(db: Connection, site: Site, now: datetime) -> None:
    assert picture_at(db, [site], now, now, FIRST_ROWS).cards.online


def _day(db: Connection, site: Site, now: datetime) -> None:
    assert online_by_minute(db, [site], now - timedelta(days=1), now, now).online.max()


QUESTIONS: Mapping[str, PastQuestion] = {"past": _past, "live": _live, "day": _day}


if __name__ == "__main__":
    main()

"""The cost of one refresh of the live page: with little and much history, and against bare SQL."""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Engine

from benchmarks.figure import Figure, at_most, ratio_at_most
from benchmarks.figure_table import print_figures
from benchmarks.history import fill
from core.database import open_database, reading
from core.frames import picture_at
from core.sites import find_site
from core.visits.live_visits import live_visits
from pages.parts.snapshots import FIRST_ROWS

MOST_PICTURE = 45
"""Milliseconds of CPU for the picture of 10,000 live visitors."""

MOST_OF_HISTORY = 1.2
"""Times what the picture costs with little history."""


@click.command()
@click.option("--live", default=10_000, show_default=True, help="Live visitors.")
@click.option("--little", default=10_000, show_default=True, help="Visits of history.")
@click.option("--much", default=1_000_000, show_default=True, help="Visits of history.")
@click.option("--rounds", default=15, show_default=True)
def main(**options: Any) -> None:
    """Print the median cost of a refresh at both sizes and their ratio, each in CPU and wall time."""
    print_figures(lambda: measure(**options))


def measure(live: int, little: int, much: int, rounds: int) -> list[Figure]:
    """CPU of the picture, compared with bare SQL and with little history."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        engines = {}
        for history in (little, much):
            url = f"sqlite:///{Path(folder) / f'{history}.db'}"
            began = time.perf_counter()
            fill(url, history, live, now)
            click.echo(f"{history:,} visits of history made in {time.perf_counter() - began:.0f} s")
            engines[history] = open_database(url)
        works: dict[str, Callable[[], Any]] = {}
        for history, engine in engines.items():
            works[f"refresh, {history:,} of history"] = lambda engine=engine: _refresh(engine, now)
            works[f"with every row, {history:,} of history"] = lambda engine=engine: _refresh(
                engine, now, every_row=True
            )
            works[f"bare SQL, {history:,} of history"] = lambda engine=engine: _rows(engine, now)
        gc.collect()
        gc.freeze()  # as the dashboard does at its start
        times = _measure(works, rounds)
    costs = {name: _medians(taken) for name, taken in times.items()}
    for name, (wall, cpu) in costs.items():
        click.echo(f"{name}: {wall * 1000:.0f} ms, {cpu * 1000:.0f} ms CPU")
    for clock, position in (("wall", 0), ("CPU", 1)):
        at_little, whole_little, bare_little, at_much, whole_much, bare_much = (
            cost[position] for cost in costs.values()
        )
        click.echo(
            f"ratios of {clock} time: much to little history {at_much / at_little:.2f}, "
            f"refresh to bare SQL {at_little / bare_little:.1f} and {at_much / bare_much:.1f}, "
            f"with every row {whole_little / bare_little:.1f} and {whole_much / bare_much:.1f}"
        )
    at_little, _, bare_little, at_much, whole_much, bare_much = (
        [cpu * 1000 for _, cpu in taken] for taken in times.values()
    )
    return [
        Figure(
            f"picture of {live:,} live, to bare SQL",
            "ms",
            at_little,
            bare_little,
            at_most(MOST_PICTURE),
        ),
        Figure(
            f"picture at {much:,} of history, to {little:,}",
            "ms",
            at_much,
            at_little,
            ratio_at_most(MOST_OF_HISTORY),
        ),
        Figure(f"picture with every row of {live:,}, to bare SQL", "ms", whole_much, bare_much),
    ]


def _refresh(engine: Engine, now: datetime, *, every_row: bool = False) -> None:
    """All that the live page reads at a refresh; every_row: as for a search or a sorted column."""
    with reading(engine) as db:
        site = find_site(db, "shop")
        assert site is not None
        picture = picture_at(db, [site], now, now, None if every_row else FIRST_ROWS)
    assert picture.cards.online > 0


def _rows(engine: Engine, now: datetime) -> None:
    """All rows, fetched and thrown away."""
    with reading(engine) as db:
        site = find_site(db, "shop")
        assert site is not None and site.id is not None
        live_visits(db, [site.id], now)


def _measure(
    works: dict[str, Callable[[], Any]], rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """Wall and CPU seconds of each, in each round; they run in turns, so that noise affects all alike."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            if number:
                times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return times


def _medians(taken: list[tuple[float, float]]) -> tuple[float, float]:
    wall, cpu = zip(*taken, strict=True)
    return statistics.median(wall), statistics.median(cpu)


if __name__ == "__main__":
    main()

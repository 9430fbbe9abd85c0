"""What visitors notice while retention deletes very many visits.

It makes a SQLite file with visits that are past their retention, then sends a steady load twice: to a collector
that keeps everything, and to one that deletes them.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.figure import Figure
from benchmarks.figure_table import print_figures
from benchmarks.load import LoadResult, send
from benchmarks.servers import collector
from core.database import open_database, writing
from core.moment import to_milliseconds, utc_now
from core.rollups.count_step import count_some
from core.rollups.site_counts import store_state
from core.schema import upgrade_schema
from core.sites import add_site
from core.visits.memories import REMEMBERED_FOR
from tests.helpers.stored_rows import store_spans, store_views, store_visits

AT_ONCE = 10_000
CONNECTIONS = 40
PAUSE = 0.4
"""Seconds between two beacons of a connection: some 100 beacons a second in all."""

LOOK_EVERY = 0.05
"""Seconds between two looks at the size of SQLite's log."""


class LogWatch:
    """The largest size that a file has had since it was made, in bytes."""

    def __init__(self, file: Path) -> None:
        self.peak = 0
        self._file = file
        self._stop = Event()
        Thread(target=self._look, daemon=True).start()

    def end(self) -> None:
        self._stop.set()

    def _look(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            if self._file.exists():
                self.peak = max(self.peak, self._file.stat().st_size)


@click.command()
@click.option("--visits", default=500_000, show_default=True)
@click.option("--seconds", default=20, show_default=True, help="Of the load without retention.")
@click.option("--most", default=1_800, show_default=True, help="Seconds for retention.")
def main(**options: Any) -> None:
    """Measure, and print."""
    print_figures(lambda: measure(**options))


def measure(visits: int, seconds: int, most: int) -> list[Figure]:
    """How long visitors wait while visits are deleted and while none are, and what it takes."""
    with tempfile.TemporaryDirectory(prefix="monitor-retention-") as folder:
        file = Path(folder) / "monitor.db"
        _fill(file, visits)
        quiet, _ = _serve(file, seconds, retention_days=0)
        _report("without retention", quiet)
        before = file.stat().st_size
        began, watch = monotonic(), LogWatch(Path(f"{file}-wal"))
        busy, took = _serve(file, most, retention_days=90)
        watch.end()
        _report("with retention", busy)
        for share in (0.5, 0.99, 1):
            ratio = busy.percentile(share) / quiet.percentile(share)
            click.echo(f"ratio at {share:.0%}: {ratio:.1f}")
        gone = visits - _left(file)
        click.echo(f"{gone:,} visits in {took:.0f} s: {gone / took:,.0f} a second")
        click.echo(f"log: at most {watch.peak / 1e6:,.0f} MB")
        click.echo(
            f"file: {before / 1e6:,.0f} MB before, {file.stat().st_size / 1e6:,.0f} MB after"
        )
        click.echo(f"all of it took {monotonic() - began:.0f} s")
    waits = [
        Figure(
            f"{word} of an answer while {visits:,} visits go",
            "ms",
            [busy.percentile(share)],
            [quiet.percentile(share)],
            needs_quiet=True,
        )
        for word, share in (("p50", 0.5), ("p99", 0.99), ("longest", 1))
    ]
    return [
        *waits,
        Figure("visits that retention deletes", "/s", [gone / took], needs_quiet=True),
        Figure("largest log of a retention", "MB", [watch.peak / 1e6]),
    ]


def _fill(file: Path, visits: int) -> None:
    engine, now = open_database(f"sqlite:///{file}"), utc_now()
    upgrade_schema(engine)
    with writing(engine) as db:
        site = add_site(db, name="Shop", key="demo", now=now)
    chance = random.Random(7)
    begun = now - timedelta(days=121)
    for first in range(0, visits, AT_ONCE):
        moments = [
            begun + timedelta(days=30) * (each / visits) for each in range(first, first + AT_ONCE)
        ]
        made = [_visit(site.id or 0, chance, at) for at in moments]
        with writing(engine) as db:
            store_visits(db, made)
            store_views(db, [row for visit in made for row in _page_views(visit)])
            store_spans(db, [row for visit in made for row in _spans(visit)])
        with closing(engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    with writing(engine) as db:  # they were counted when they were over, long ago
        store_state(db, site.id or 0, counted_until=now - REMEMBERED_FOR, time_zone=site.time_zone)
    is_last = False
    while not is_last:  # and put into chunks
        with writing(engine) as db:
            is_last = count_some(db, site, now, AT_ONCE).is_last
    engine.dispose()
    click.echo(f"{visits:,} visits: {file.stat().st_size / 1e6:,.0f} MB")


def _visit(site_id: int, chance: random.Random, at: datetime) -> dict[str, Any]:
    moments = dict.fromkeys(("started_at", "last_seen_at", "last_activity_at", "in_view_until"), at)
    texts = {"entry_path": "/", "current_path": "/products/cup", "current_title": "Tea and cups"}
    told = {"browser": "Chrome", "os": "Windows", "device": "desktop", "country": "DE"}
    return {
        "site_id": site_id,
        "id": f"{chance.getrandbits(80):020x}",
        **moments,
        **texts,
        **told,
    }


def _page_views(visit: dict[str, Any]) -> Iterator[dict[str, Any]]:
    key = {"site_id": visit["site_id"], "visit_id": visit["id"]}
    for number in range(2):
        page = {"tab": number + 1, "number": 1, "viewed_at": visit["started_at"]}
        yield {**key, **page, "path": "/products/cup", "title": "Tea and cups", "page_context": ""}


def _spans(visit: dict[str, Any]) -> Iterator[dict[str, Any]]:
    key = {"site_id": visit["site_id"], "visit_id": visit["id"], "tab": 1}
    length = {"from_at": visit["started_at"], "until_at": visit["started_at"], "is_open": False}
    for kind in ("in_view", "active"):
        yield {**key, "kind": kind, "number": 1, **length}


def _serve(file: Path, most: float, *, retention_days: int) -> tuple[LoadResult, float]:
    """The answers, and the seconds that it took: until retention is done and the file shrinks no more, where
    there is one."""
    os.environ["MONITOR_RETENTION_DAYS"] = str(retention_days)
    result = LoadResult(0)
    with collector(f"sqlite:///{file}") as server:
        began, size = monotonic(), 0
        while monotonic() - began < most:
            part = send(server.port, 10, CONNECTIONS, PAUSE)
            result.latencies += part.latencies
            result.refused += part.refused
            result.seconds += part.seconds
            if retention_days and not _left(file):
                if size and file.stat().st_size >= size:
                    break  # it has given back what it had to: new visits make it grow again
                size = file.stat().st_size
        took = monotonic() - began
    return result, took


def _left(file: Path) -> int:
    """Visits that were made before the run: long ago, as no visitor of it is."""
    before = to_milliseconds(utc_now() - timedelta(days=90))
    with closing(sqlite3.connect(file)) as db:
        statement = "SELECT count(*) FROM visit WHERE started_at < ?"
        return db.execute(statement, (before,)).fetchone()[0]


def _report(name: str, result: LoadResult) -> None:
    shares = ", ".join(
        f"{word} {result.percentile(share):,.0f} ms"
        for word, share in (("p50", 0.5), ("p99", 0.99), ("longest", 1))
    )
    click.echo(
        f"{name}: {result.per_second:,.0f} beacons a second, {shares}, {result.refused} refused"
    )


if __name__ == "__main__":
    main()

"""Ten million visits: what pages ask costs as much as with ten thousand, and beacons wait no longer.

It makes two databases, with few and with many visits, each with 10,000 live ones; then a collector records into the
large one at half of what it can, while each page's question is asked of both in turns; then retention has one visit
of a hundred to delete.
"""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import click
from load import LoadResult, send
from servers import ROOT, collector

sys.path.insert(0, str(ROOT))

from sqlalchemy import Connection, Engine, func, make_url, select
from sqlmodel import col

from benchmarks.history import fill, store_live
from benchmarks.page_questions import QUESTIONS, Looked, PageQuestion, what_is_looked_at
from collector.writing.retention_chore import FORGET_AT_ONCE, forget_visits
from core.database import open_database, reading, writing
from core.moment import to_milliseconds, utc_now
from core.sites import DEMO_KEY, add_site, find_site, list_sites
from core.tables import Visit
from tests.helpers.postgres_server import postgres_server

LIVE = 10_000
CONNECTIONS = 128
KEPT_DAYS = 89
"""The past reaches back for 90 days: a little more than one visit of a hundred is due."""

NO_QUESTION = "none"


class AnswerCost(NamedTuple):
    """Of one question: milliseconds of processor time, with that of Postgres' session, and by the clock."""

    cpu: float
    wall: float


class DatabasePair(NamedTuple):
    """The addresses of the databases with few and with many visits."""

    little: str
    much: str


@click.command()
@click.option("--visits", default=10_000_000, show_default=True, help="Of the large database.")
@click.option("--little", default=10_000, show_default=True, help="Visits of the small one.")
@click.option("--postgres", is_flag=True, help="Of a Postgres that the tests bring.")
@click.option("--keep", default="", help="Make, or use again, the large database at this URL.")
@click.option("--seconds", default=8.0, show_default=True, help="For each question.")
@click.option("--retention", default=60, show_default=True, help="Seconds of retention at most.")
def main(
    visits: int, little: int, postgres: bool, keep: str, seconds: float, retention: int
) -> None:
    """Print a table of all questions, what bites of retention cost, what the collector takes at full load, and
    what beacons wait while retention runs."""
    with _databases(postgres, keep) as pair:
        _prepare(pair, little, visits)
        with _sender() as sender:
            pause = _ask_while_beacons_come(pair, sender, seconds)
            _report_bites(pair)
            _report_capacity(pair, sender)
            _run_retention(pair.much, sender, retention, pause)


@contextmanager
def _databases(postgres: bool, keep: str) -> Iterator[DatabasePair]:
    if keep and not keep.startswith("sqlite"):
        yield DatabasePair(make_url(keep).set(database="little").render_as_string(False), keep)
    elif postgres:
        with postgres_server() as server:
            for name in DatabasePair._fields:
                server.execute(f"CREATE DATABASE {name}")
            yield DatabasePair(*map(server.url, DatabasePair._fields))
    else:
        with tempfile.TemporaryDirectory(prefix="monitor-millions-") as folder:
            little, much = (f"sqlite:///{folder}/{name}.db" for name in DatabasePair._fields)
            yield DatabasePair(little, keep or much)


def _prepare(pair: DatabasePair, little: int, much: int) -> None:
    """The past, where it is not there yet, and the live visits."""
    for url, visits in zip(pair, (little, much), strict=True):
        if not _is_filled(url):
            began = time.perf_counter()
            fill(url, visits, 0, utc_now())
            click.echo(f"{visits:,} visits made in {time.perf_counter() - began:.0f} s")
        _add_site_of_beacons(url)
        store_live(url, LIVE, to_milliseconds(utc_now()))


def _add_site_of_beacons(url: str) -> None:
    """The collector makes it only where there is no site at all."""
    engine = open_database(url)
    with writing(engine) as db:
        if find_site(db, DEMO_KEY) is None:
            add_site(db, name="Demo shop", key=DEMO_KEY, now=utc_now())
    engine.dispose()


def _is_filled(url: str) -> bool:
    file = make_url(url).database if url.startswith("sqlite") else None
    if file and not Path(file).exists():
        return False
    engine = open_database(url)
    with engine.connect() as connection:
        found = engine.dialect.has_table(connection, "visit")
    engine.dispose()
    return found


@contextmanager
def _sender() -> Iterator[Callable[[int, float, float], Any]]:
    """What sends beacons in a process of its own: port, seconds, and each connection's pause."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        yield lambda port, seconds, pause: pool.submit(_send_accepted, port, seconds, pause)


def _send_accepted(port: int, seconds: float, pause: float) -> LoadResult:
    """What `send` returns; a beacon that is refused records nothing, and would measure nothing."""
    sent = send(port, seconds, CONNECTIONS, pause)
    if sent.refused:
        raise RuntimeError(f"{sent.refused:,} of {len(sent.latencies):,} beacons were refused")
    return sent


def _report_capacity(
    pair: DatabasePair, sender: Any, rounds: int = 3, seconds: float = 4.0
) -> None:
    """Beacons a second at full load, in turns."""
    taken: list[list[float]] = [[] for _ in pair]
    for _ in range(rounds):
        for place, url in enumerate(pair):
            with collector(url, MONITOR_RETENTION_DAYS="0") as server:
                taken[place].append(sender(server.port, seconds, 0.0).result().per_second)
    few, many = map(statistics.median, taken)
    click.echo(
        f"beacons a second, few and many: {few:,.0f} and {many:,.0f}, ratio {many / few:.2f}"
    )


def _ask_while_beacons_come(pair: DatabasePair, sender: Any, seconds: float) -> float:
    """Each connection's pause, in seconds, by which the collector gets half of what it can take."""
    engines = [open_database(url) for url in pair]
    looked: list[Looked] = []
    for engine in engines:
        with reading(engine) as db:
            looked.append(what_is_looked_at(db))
    gc.collect()
    gc.freeze()  # as the dashboard does at its start
    with collector(
        pair.much, MONITOR_RETENTION_DAYS="0", MONITOR_CHAT_RETENTION_DAYS="0"
    ) as server:
        most: LoadResult = sender(server.port, 6, 0.0).result()
        pause = CONNECTIONS / (most.per_second / 2)
        click.echo(f"the collector took {most.per_second:,.0f} beacons a second; now half of that")
        click.echo(
            "| asked meanwhile | CPU ms, few | many | ratio | longest ms | beacons/s | p50 | p99 | longest |"
        )
        click.echo("|---|---|---|---|---|---|---|---|---|")
        for name, question in {NO_QUESTION: None, **QUESTIONS}.items():
            sent = sender(server.port, seconds, pause)
            until = time.perf_counter() + seconds
            costs = _ask(engines, looked, question, until) if question else None
            click.echo(_row(name, costs, sent.result()))
    for engine in engines:
        engine.dispose()
    return pause


def _ask(
    engines: list[Engine], looked: list[Looked], question: PageQuestion, until: float
) -> list[list[AnswerCost]]:
    """The costs at each database, asked in turns; each is asked once before."""
    costs: list[list[AnswerCost]] = [[] for _ in engines]
    is_warm = False
    while time.perf_counter() < until or not costs[-1]:
        for place, engine in enumerate(engines):
            with reading(engine) as db:
                cost = _cost(db, lambda db=db, place=place: question(db, looked[place], utc_now()))
            if is_warm:
                costs[place].append(cost)
        is_warm = True
    return costs


def _cost(db: Connection, work: Callable[[], object]) -> AnswerCost:
    session = _session_clock(db)
    wall, cpu, theirs = time.perf_counter(), time.process_time(), session()
    work()
    cpu = time.process_time() - cpu + session() - theirs
    return AnswerCost(cpu * 1000, (time.perf_counter() - wall) * 1000)


def _session_clock(db: Connection) -> Callable[[], float]:
    """Seconds of processor time that Postgres' session has taken; 0 for SQLite, which is this process."""
    if db.dialect.name == "sqlite":
        return lambda: 0.0
    pid = db.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    spent = Path(f"/proc/{pid}/schedstat")
    return lambda: int(spent.read_text().split()[0]) / 1e9


def _row(name: str, costs: list[list[AnswerCost]] | None, sent: LoadResult) -> str:
    asked = ["", "", "", ""]
    if costs:
        few, many = (statistics.median(each.cpu for each in part) for part in costs)
        longest = max(each.wall for each in costs[-1])
        asked = [f"{few:.1f}", f"{many:.1f}", f"{many / few:.2f}", f"{longest:.0f}"]
    return f"| {' | '.join([name, *asked, *_waits(sent)])} |"


def _waits(sent: LoadResult) -> list[str]:
    waits = (sent.percentile(share) for share in (0.5, 0.99, 1))
    return [f"{sent.per_second:,.0f}", *(f"{wait:.0f}" for wait in waits)]


def _report_bites(pair: DatabasePair, bites: int = 20) -> None:
    """What deleting the oldest visits costs for each, in turns; nobody else writes."""
    engines = [open_database(url) for url in pair]
    spent: list[list[AnswerCost]] = [[] for _ in pair]
    for _ in range(bites):
        for place, engine in enumerate(engines):
            spent[place].append(_cost_of_bite(engine))
    few, many = (statistics.median(each.cpu for each in part) for part in spent)
    walls = [statistics.median(each.wall for each in part) for part in spent]
    click.echo(
        f"a bite of retention, {FORGET_AT_ONCE} visits: CPU {few:.0f} and {many:.0f} ms, ratio {many / few:.2f};"
        f" by the clock {walls[0]:.0f} and {walls[1]:.0f} ms, ratio {walls[1] / walls[0]:.2f}"
    )
    for engine in engines:
        engine.dispose()


def _cost_of_bite(engine: Engine) -> AnswerCost:
    with engine.connect() as connection:
        session = _session_clock(connection)  # of the connection that the pool gives back at once
    wall, cpu, theirs = time.perf_counter(), time.process_time(), session()
    half = timedelta(days=45)
    forgotten = forget_visits(engine, to_milliseconds(utc_now()), half)
    assert forgotten.deleted == FORGET_AT_ONCE
    cpu = time.process_time() - cpu + session() - theirs
    return AnswerCost(cpu * 1000, (time.perf_counter() - wall) * 1000)


def _run_retention(url: str, sender: Any, most: int, pause: float) -> None:
    """A collector that deletes while it records at half of what it can."""
    before = _due(url)
    with collector(url, MONITOR_RETENTION_DAYS=str(KEPT_DAYS)) as server:
        began = time.perf_counter()
        sent: LoadResult = sender(server.port, most, pause).result()
        took = time.perf_counter() - began
    gone = before - _due(url)
    click.echo(
        f"retention: {gone:,} of {before:,} visits in {took:.0f} s, {gone / took:,.0f} a second; beacons/s, p50, p99,"
        f" longest: {', '.join(_waits(sent))}"
    )


def _due(url: str) -> int:
    """Visits that are past their retention."""
    engine = open_database(url)
    before = utc_now() - timedelta(days=KEPT_DAYS)
    with reading(engine) as db:
        sites = [site.id for site in list_sites(db)]
        is_due = (col(Visit.site_id).in_(sites), col(Visit.last_activity_at) < before)
        counted = select(func.count()).select_from(Visit).where(*is_due)
        due = db.execute(counted).scalar_one()
    engine.dispose()
    return due


if __name__ == "__main__":
    main()

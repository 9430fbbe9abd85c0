"""What the writer costs for each hit: `python benchmarks/writer.py`, see benchmarks/README.md.

No HTTP and no other thread: batches of hits, committed one after the other to a database of their own.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import wraps
from itertools import count, islice
from pathlib import Path
from time import thread_time
from typing import Any

import click
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.figure import Figure, at_most
from benchmarks.figure_table import print_figures
from collector.writing import hit_batch, visit_batch
from collector.writing.hit_batch import commit_hits
from collector.writing.statements import Statements
from collector.writing.visit_batch import VisitBatch
from collector.writing.visit_cache import VisitCache
from core.database import empty_log, open_database
from core.database import writing as open_writing
from core.moment import to_milliseconds
from core.schema import upgrade_schema
from core.sites import add_site
from core.visits.hit import Event, EventKind, Hit, Opening

VISITORS = 2_000
"""Visitors who are there at the same time, each with a beacon every BETWEEN milliseconds."""

BETWEEN = 15_000
EVENTS_A_PAGE = 4
"""A page view, then three presences."""

MOST_LOG = 4_500
"""Bytes of SQLite's log for each hit."""

PAGES = ("/", "/collections/tea", "/products/cup", "/cart", "/checkout")
WARM_UP = 20
"""Batches before the figures, and at least one for each visitor."""

_STAGES = {
    "load": (VisitBatch, "load"),
    "numbers": (visit_batch, "take_numbers"),
    "visits": (Statements, "store_visits"),
    "other rows": (Statements, "store_rows"),
    "counts": (Statements, "add_counts"),
    "changes": (visit_batch, "note_changes"),
    "edits": (Statements, "store_edits"),
}
"""What a batch does, by the function that does it; what is left is to record the hits, and to find the rows."""

_seconds: defaultdict[str, float] = defaultdict(float)


@click.command()
@click.option("--batch", "sizes", multiple=True, type=int, default=(32, 128, 512))
@click.option("--hits", type=int, default=30_000, help="Hits that are measured, of each size.")
@click.option("--database-url", help="Another database than a new SQLite file, empty.")
def main(**options: Any) -> None:
    """Print the microseconds of CPU of each hit by what they are for, and the bytes of SQLite's log."""
    print_figures(lambda: measure(**options))


def measure(sizes: Sequence[int], hits: int, database_url: str | None) -> list[Figure]:
    """CPU and log of a hit, for each size of a batch. What is measured is changed for good: once a process."""
    figures: list[Figure] = []
    for stage, (owner, name) in _STAGES.items():
        setattr(owner, name, _timed(stage, getattr(owner, name)))
    hit_batch.writing = _timed_transaction
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as the collector does at its start
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            url = database_url or f"sqlite:///{Path(folder) / 'monitor.db'}"
            figures += _measure(open_database(url), size, hits)
    return figures


def _measure(engine: Engine, size: int, wanted: int) -> list[Figure]:
    upgrade_schema(engine)
    with open_writing(engine) as db:
        key = f"shop{size}"
        site = add_site(db, name=key, key=key, now=datetime.now(UTC))
    batches = _batches(site.id or 0, size, to_milliseconds(datetime.now(UTC)))
    statements, cache = Statements(engine), VisitCache()
    for batch in islice(batches, max(WARM_UP, VISITORS // size)):
        commit_hits(engine, statements, cache, batch)
    log = Path(f"{engine.url.database}-wal") if engine.dialect.name == "sqlite" else None
    if log:
        empty_log(engine)
    _seconds.clear()
    measured = list(islice(batches, max(wanted // size, 1)))
    began = thread_time()
    for batch in measured:
        commit_hits(engine, statements, cache, batch)
    total = thread_time() - began
    done = len(measured) * size
    stages = dict(_seconds) | {"record": total - sum(_seconds.values())}
    parts = ", ".join(f"{name} {stages[name] / done * 1e6:.1f}" for name in sorted(stages))
    click.echo(f"batches of {size}: {total / done * 1e6:.1f} us a hit: {parts}")
    figures = [
        Figure(f"CPU of the writer for a hit, batches of {size}", "us", [total / done * 1e6])
    ]
    if log:
        written = log.stat().st_size / done
        figures.append(
            Figure(f"log of a hit, batches of {size}", "B", [written], (), at_most(MOST_LOG))
        )
    engine.dispose()
    return figures


def _batches(site_id: int, size: int, now: int) -> Iterator[list[Hit]]:
    """Batches of a site whose visitors come, look at a few pages and go, another one for each."""
    hits = _hits(site_id, now)
    while True:
        yield list(islice(hits, size))


def _hits(site_id: int, now: int) -> Iterator[Hit]:
    steps = len(PAGES) * EVENTS_A_PAGE
    for number in count():
        turn, place = divmod(number, VISITORS)
        visitor, step = divmod(turn + place % steps, steps)
        at = now + number * BETWEEN // VISITORS
        yield _hit(site_id, f"{visitor * VISITORS + place:020d}", step, at)


def _hit(site_id: int, visit_id: str, step: int, at: int) -> Hit:
    page, event = divmod(step, EVENTS_A_PAGE)
    is_view = event == 0
    kind = EventKind.VIEW if is_view else EventKind.PRESENCE
    shown = Event(kind, event + 1, at, at, PAGES[page], "Tea and cups", focused=True)
    opening = Opening(source="Google", source_kind="search", browser="Chrome", country="DE")
    return Hit(
        site_id,
        (visit_id,),
        False,
        f"tab{page:05d}",
        at,
        (shown,),
        opening if is_view else None,
        time_zone="" if is_view else "Europe/Berlin",
        zone_country="" if is_view else "DE",
    )


def _timed(stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def timed(*arguments: Any, **named: Any) -> Any:
        began = thread_time()
        try:
            return call(*arguments, **named)
        finally:
            _seconds[stage] += thread_time() - began

    return timed


@contextmanager
def _timed_transaction(engine: Engine) -> Generator[Any]:
    transaction: AbstractContextManager[Any] = open_writing(engine)
    connection = _timed("begin", transaction.__enter__)()
    try:
        yield connection
    except BaseException as fault:
        transaction.__exit__(type(fault), fault, fault.__traceback__)
        raise
    _timed("commit", transaction.__exit__)(None, None, None)


if __name__ == "__main__":
    main()

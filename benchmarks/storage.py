"""Bytes of database that a page view costs, with all that belongs to it: beacons in, tables and indexes out."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import psycopg
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.figure import Figure, at_most
from benchmarks.figure_table import print_figures
from benchmarks.load import AGENTS
from benchmarks.servers import collector
from core.database import open_database, writing
from core.locks import lock_site
from core.rollups.count_step import count_some
from core.sites import list_sites
from core.visits.memories import REMEMBERED_FOR, forget_memories
from tests.helpers.postgres_server import postgres_server

BEFORE = 630
"""Bytes that a page view took when its rows had the visit's id, the tab's and all texts (SQLite)."""

MOST_BYTES = 200
"""For a page view on SQLite."""

PAGES = 3
CONNECTIONS = 32
GOODS = tuple(
    f"{kind} {thing}" for kind in ("Amber", "Night", "Garden") for thing in ("oolong", "cup")
)
REFERRERS = (
    "",
    "https://www.google.com/",
    "https://news.example/2026/11/tea",
    "https://chatgpt.com/",
)


@click.command()
@click.option("--visits", default=20_000, show_default=True)
@click.option("--own-titles", is_flag=True, help="Each page view has a title of its own.")
@click.option("--postgres", is_flag=True, help="Of a Postgres that the tests bring.")
def main(**options: Any) -> None:
    """Send visits of three pages, each in view twice and then left; print what they take."""
    print_figures(lambda: measure(**options))


def measure(visits: int, own_titles: bool, postgres: bool) -> list[Figure]:
    """The bytes of a page view."""
    with _database(postgres) as url:
        with collector(url) as server:
            asyncio.run(_send(server.port, visits, own_titles))
        engine = open_database(url)
        live = _sizes(engine)
        _end_visits(engine)
        sizes, views = _sizes(engine), _views(engine)
        engine.dispose()
    _report(sizes, views)
    remembered = sum(live.values()) - sum(sizes.values())
    click.echo(f"  while the visits may change {remembered / views:7.1f} more")
    where = f"on {'Postgres' if postgres else 'SQLite'}{', own titles' if own_titles else ''}"
    bar = None if own_titles or postgres else at_most(MOST_BYTES)
    took = sum(sizes.values()) / views
    return [Figure(f"disk for a page view, {where}", "B", [took], [BEFORE], bar)]


@contextmanager
def _database(postgres: bool) -> Iterator[str]:
    if postgres:
        with postgres_server() as server:
            server.execute("CREATE DATABASE storage")
            yield server.url("storage")
        return
    with tempfile.TemporaryDirectory(prefix="monitor-storage-") as folder:
        yield f"sqlite:///{Path(folder) / 'monitor.db'}"


async def _send(port: int, visits: int, own_titles: bool) -> None:
    numbers = iter(range(visits))

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            for request in _beacons(number, own_titles):
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")):
                    raise SystemExit(f"refused: {head.decode()}")
                _, named, length = head.lower().partition(b"content-length: ")
                await reader.readexactly(int(length.split(b"\r", 1)[0]) if named else 0)
        writer.close()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))


def _beacons(number: int, own_titles: bool) -> Iterator[bytes]:
    """A beacon for each page: shown, in view, in view with an interaction, left; all of it some minutes ago."""
    chance = random.Random(number)
    visit_id = f"{chance.getrandbits(60):016x}"
    ago, agent = 300.0 + chance.random() * 900, chance.choice(AGENTS)
    referrer = chance.choice(REFERRERS)
    for page in range(PAGES):
        thing = chance.choice(GOODS)
        path = "/products/" + thing.lower().replace(" ", "-") if page else "/"
        title = f"{thing}: tea and cups of the harbour" if page else "Harbour Tea, tea and cups"
        if own_titles:
            title += f" {number} {page}"
        shared = {"u": path, "d": title, "f": 1}
        if not page:
            shared["r"] = referrer
        events: list[dict[str, Any]] = [{"e": "v", "l": "de-DE", "y": 0, "wd": 0, "a": 0}]
        events += [{"e": "p", "a": 12}, {"e": "p", "a": round(chance.random() * 20, 1)}]
        events += [{"e": "h", "a": 5}]
        lasts = 20 + chance.random() * 40
        for at, event in enumerate(events):
            event |= {"n": at + 1, "o": round(ago - at * lasts / 3, 3), **shared}
        ago -= lasts + 0.2
        yield _request(visit_id, f"{chance.getrandbits(40):010x}", events, agent)


def _request(visit_id: str, tab: str, events: Sequence[dict[str, Any]], agent: str) -> bytes:
    beacon = {"v": 1, "k": "demo", "s": visit_id, "t": tab, "z": "Europe/Berlin", "b": events}
    body = json.dumps(beacon, separators=(",", ":")).encode()
    head = (
        "POST /v1/beacon HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain;charset=UTF-8\r\n"
        f"Origin: https://shop.example\r\nUser-Agent: {agent}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _end_visits(engine: Engine) -> None:
    """What housekeeping does some hours later: what is remembered goes, and visits are counted by day."""
    now = datetime.now(UTC) + 2 * REMEMBERED_FOR
    with writing(engine) as db:
        for site in list_sites(db):
            lock_site(db, site.id or 0)
            while forget_memories(db, site.id or 0, now, 1_000):
                pass
            while not count_some(db, site, now, 1_000).is_last:
                pass


def _sizes(engine: Engine) -> dict[str, int]:
    """Bytes of each table and index, after a VACUUM."""
    if engine.dialect.name == "postgresql":
        return _postgres_sizes(engine)
    with closing(sqlite3.connect(str(engine.url.database))) as db:
        db.execute("VACUUM")
        found = db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall()
    return dict(found)


def _postgres_sizes(engine: Engine) -> dict[str, int]:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("VACUUM FULL")
        found = db.execute(
            "SELECT relname, pg_relation_size(oid) FROM pg_class"
            " WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
        ).fetchall()
    return {name: size for name, size in found if size}


def _views(engine: Engine) -> int:
    with writing(engine) as db:
        views: int = db.exec_driver_sql("SELECT count(*) FROM page_view").scalar_one()
    return views


def _report(sizes: dict[str, int], views: int) -> None:
    total = sum(sizes.values())
    click.echo(f"{views:,} page views, {total / 1e6:.1f} MB")
    for name, size in sorted(sizes.items(), key=lambda each: -each[1]):
        if size / views >= 0.5:
            click.echo(f"  {name:<28}{size / views:7.1f}")
    ratio = total / views / BEFORE
    click.echo(f"bytes per page view: {total / views:.0f}, of {BEFORE} before: {ratio:.2f}")


if __name__ == "__main__":
    main()

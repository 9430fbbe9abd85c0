"""`make fuzz`: what no visitor's browser sends, at a real collector on SQLite and on Postgres.

`python -m tests.fuzz.fuzz --replay FILE` sends what a failure has left.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import Engine, text

from core.agents import add_agent, mark_seen
from core.database import open_database, reading, writing
from core.sites import change_site
from tests.fuzz.fuzz_client import FuzzTally, send_all, send_once
from tests.fuzz.fuzz_requests import SITE
from tests.fuzz.stored_rules import broken_rules
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.event_loop import run
from tests.helpers.postgres_server import postgres_server

ARTIFACTS = Path("artifacts/fuzz")
POSTGRES_SHARE = 10
"""One request in so many is sent to a collector on Postgres as well."""

WARM_AFTER = 0.2
"""The share of the run after which memory is first looked at: caches are filling until then."""

MOST_GROWTH = 150_000_000
"""Bytes of memory from then on: the caches of enrichment hold some thousand texts each."""

SEEN_EVERY = 10.0
MOST_SHOWN = 20
SETTINGS = {
    "MONITOR_COUNT_BOTS": "off",
    "MONITOR_TRUSTED_PROXIES": "127.0.0.1",
    "MONITOR_COUNTRY_HEADER": "CF-IPCountry",
}
"""What makes the collector read as much as it can of a request."""


_STORED_VIEWS = """
    SELECT visit.id, visit_tab.id, page_view_row.number FROM page_view_row
    JOIN visit ON visit.site_id = page_view_row.site_id AND visit.number = page_view_row.visit
    JOIN visit_tab ON visit_tab.site_id = page_view_row.site_id
                  AND visit_tab.visit = page_view_row.visit AND visit_tab.tab = page_view_row.tab
"""
"""With the browser's own ids of the tabs, which are stored while a visit may change."""


@click.command()
@click.option("--requests", "number", default=100_000, show_default=True, help="On SQLite.")
@click.option("--seed", default=None, type=int, help="Makes the same requests again.")
@click.option("--replay", default=None, type=click.Path(exists=True, path_type=Path))
def main(number: int, seed: int | None, replay: Path | None) -> None:
    """Send it, and end with 1 when the collector did anything that it must not."""
    if replay:
        _replay(replay.read_bytes())
        return
    seed = random.randrange(2**31) if seed is None else seed
    click.echo(f"SEED={seed}: make fuzz SEED={seed} REQUESTS={number} sends the same again")
    faults = list(fuzz_collector("", number, seed))
    with postgres_server() as server:
        server.execute("CREATE DATABASE fuzz")
        faults += fuzz_collector(server.url("fuzz"), number // POSTGRES_SHARE, seed + 1)
    for fault in faults:
        click.echo(f"FAILED  {fault}")
    click.echo(f"{len(faults)} failures")
    sys.exit(bool(faults))


def fuzz_collector(url: str, number: int, seed: int) -> Iterator[str]:
    """Send so many requests to a collector on this database ("": a new SQLite file); yields what was wrong."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        process = CollectorProcess(Path(folder), [SITE], url, 1, **SETTINGS)
        engine = open_database(process.url)
        with writing(engine) as db:
            change_site(db, SITE, chat_button=True)
            agent = add_agent(db, "Ann", datetime.now(UTC)).id or 0
        process.start()
        try:
            tally = FuzzTally()
            growth = run(_send(process, engine, agent, seed, number, tally))
            click.echo(_summary(engine, tally, growth))
            yield from _saved(tally.failures, seed)
            if growth > MOST_GROWTH:
                yield f"memory grew by {growth / 1e6:.0f} MB"
            if not process.is_running:
                yield "the collector has ended"
        finally:
            process.stop()
        yield from _faults_of_log(process.log)
        yield from _faults_of_database(engine, tally, process)
        engine.dispose()


async def _send(
    process: CollectorProcess,
    engine: Engine,
    agent: int,
    seed: int,
    number: int,
    tally: FuzzTally,
) -> int:
    """Send all, with an agent at work; returns by how many bytes the process has grown."""
    warm = 0

    async def watch() -> None:
        nonlocal warm
        while True:
            await asyncio.to_thread(_mark_seen, engine, agent)
            if not warm and tally.sent >= WARM_AFTER * number:
                warm = _memory(process)
            click.echo(f"{tally.sent:,} requests, {len(tally.failures)} failures", err=True)
            await asyncio.sleep(SEEN_EVERY)

    watching = asyncio.create_task(watch())
    await send_all(process.port, seed, number, tally)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    return _memory(process) - warm if warm and process.is_running else 0


def _mark_seen(engine: Engine, agent: int) -> None:
    with writing(engine) as db:
        mark_seen(db, agent, datetime.now(UTC))


def _memory(process: CollectorProcess) -> int:
    """Bytes that the process alone holds, and its share of what is shared."""
    shares = Path(f"/proc/{process.pid}/smaps_rollup").read_text().split("\nPss:", 1)[1]
    return int(shares.split()[0]) * 1024


def _summary(engine: Engine, tally: FuzzTally, growth: int) -> str:
    statuses = ", ".join(f"{status}: {count:,}" for status, count in sorted(tally.answers.items()))
    reasons = ", ".join(f"{reason}: {count:,}" for reason, count in tally.reasons.most_common())
    return (
        f"{engine.dialect.name}: {tally.sent:,} requests. Answers {statuses}. Reasons {reasons}. "
        f"{len(tally.honest):,} honest page views. Memory {growth / 1e6:+.0f} MB."
    )


def _saved(failures: list[tuple[bytes, str]], seed: int) -> Iterator[str]:
    """Save what has failed, each with the command that sends it again."""
    for place, (data, fault) in enumerate(failures[:MOST_SHOWN]):
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        file = ARTIFACTS / f"{seed}-{place}.bin"
        file.write_bytes(data)
        yield f"{fault}: .venv/bin/python -m tests.fuzz.fuzz --replay {file}"
    if len(failures) > MOST_SHOWN:
        yield f"{len(failures) - MOST_SHOWN} more answers"


def _faults_of_log(log: Path) -> Iterator[str]:
    lines = log.read_text("utf-8", "replace").splitlines()
    words = ("Traceback", " ERROR ", " CRITICAL ", "fault=", "Exception")
    bad = [line for line in lines if any(word in line for word in words)]
    for line in bad[:MOST_SHOWN]:
        yield f"the log has: {line[:300]}"


def _faults_of_database(
    engine: Engine, tally: FuzzTally, process: CollectorProcess
) -> Iterator[str]:
    with reading(engine) as db:
        rows = db.execute(text(_STORED_VIEWS)).all()
    lost = tally.honest - {tuple(row) for row in rows}
    if lost:
        yield f"{len(lost)} honest page views were acknowledged, and are not stored"
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(process.database)) as connection:
            [said] = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if said != "ok":
            yield f"the database is damaged: {said}"
    for place, fault in enumerate(broken_rules(engine)):
        if place == MOST_SHOWN:
            yield "more stored texts"
            return
        yield f"stored: {fault}"


def _replay(data: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        process = CollectorProcess(Path(folder), [SITE], "", 1, **SETTINGS)
        process.start()
        try:
            began = time.monotonic()
            answer = run(send_once(process.port, data))
            click.echo(f"{data[:2_000]!r}\nwas answered within {time.monotonic() - began:.1f} s:")
            click.echo(answer.decode("utf-8", "replace") or "nothing")
        finally:
            process.stop()
        click.echo(process.log.read_text("utf-8", "replace"))


if __name__ == "__main__":
    main()

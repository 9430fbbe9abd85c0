"""An hour of visitors, viewers and an agent at the real processes: nothing may grow, and nothing be lost."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.servers import BenchmarkServer, collector, dashboard
from benchmarks.soak_past import make_past, shopper_share
from benchmarks.soak_plot import plot
from benchmarks.soak_samples import SoakSample, take_sample, write_csv
from benchmarks.soak_verdicts import Verdict, judge_samples
from benchmarks.soak_viewer import Audience, attend, follow_changes, watch
from benchmarks.soak_visitors import Crowd, mean_requests

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_EVERY = 10.0
"""Seconds."""

VIEWERS = 2
RETENTION_DAYS = 90
RATE_LIMIT = "10/s burst 40"
"""The collector's default: each visitor has an address of their own."""

Servers = tuple[BenchmarkServer, BenchmarkServer]


@click.command()
@click.option("--minutes", default=60, show_default=True, type=click.IntRange(1, 24 * 60))
@click.option("--rate", default=30.0, show_default=True, help="Requests of visitors a second.")
@click.option("--seed", default=1, show_default=True, help="What the visitors do is made from it.")
@click.option("--csv", default=None, type=click.Path(path_type=Path), help="Where the samples go.")
@click.option("--svg", default=None, type=click.Path(path_type=Path), help="Where the plot goes.")
def main(minutes: int, rate: float, seed: int, csv: Path | None, svg: Path | None) -> None:
    """Send a steady load, measure every ten seconds, and say what was found. Ends with 1 if that is bad."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        file = Path(folder) / "monitor.db"
        url = f"sqlite:///{file}"
        pace = rate / mean_requests(seed) * shopper_share(seed)
        secret = make_past(url, minutes, pace, RETENTION_DAYS)
        click.echo(f"{minutes} minutes of {rate:g} requests a second, {pace:.2f} visits a second")
        logs = [Path(folder) / f"{name}.log" for name in ("collector", "dashboard")]
        serve = partial(
            collector, MONITOR_RATE_LIMIT=RATE_LIMIT, MONITOR_RETENTION_DAYS=str(RETENTION_DAYS)
        )
        with serve(url, log=logs[0]) as first, dashboard(url, logs[1]) as second:
            crowd, audience = Crowd(first.port, rate, seed), Audience()
            samples = asyncio.run(
                _soak((first, second), file, minutes * 60, crowd, audience, secret)
            )
            verdicts = [
                *judge_samples(samples),
                *_judge_requests(crowd, audience),
                _judge_rows(file, crowd),
                _judge_retention(file),
                *map(_judge_log, logs),
            ]
    if csv:
        write_csv(samples, csv)
    if svg:
        plot(samples, svg)
    for verdict in verdicts:
        click.echo(str(verdict))
    sys.exit(any(verdict.is_good is False for verdict in verdicts))


async def _soak(
    servers: Servers, file: Path, seconds: int, crowd: Crowd, audience: Audience, secret: str
) -> list[SoakSample]:
    """Send, look and measure for so long; then wait until everybody has left."""
    is_over = asyncio.Event()
    port = servers[1].port
    watching = [
        asyncio.create_task(attend(port, secret, audience, is_over)),
        *(asyncio.create_task(watch(port, audience, is_over)) for _ in range(VIEWERS)),
        *(asyncio.create_task(follow_changes(port, is_over)) for _ in range(VIEWERS)),
    ]
    coming = asyncio.create_task(crowd.come())
    samples: list[SoakSample] = []
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        await asyncio.sleep(min(SAMPLE_EVERY, seconds - passed))
        passed = time.monotonic() - began
        here = crowd.here
        samples.append(
            await asyncio.to_thread(take_sample, passed, servers, file, crowd.tally, here)
        )
        _show(samples)
    crowd.end()
    await coming
    is_over.set()
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    return samples


def _show(samples: list[SoakSample]) -> None:
    """One line a minute."""
    if len(samples) % 6 != 1:
        return
    last = samples[-1]
    click.echo(
        f"{last.seconds / 60:4.0f} min  {last.acknowledged:,} views, {last.refused} wrong answers, "
        f"p99 {last.p99:.0f} ms, collector {last.collector_memory / 1e6:.0f} MB, "
        f"dashboard {last.dashboard_memory / 1e6:.0f} MB, log {last.wal / 1e6:.1f} MB, "
        f"database {last.database / 1e6:.1f} MB"
    )


def _judge_requests(crowd: Crowd, audience: Audience) -> Iterator[Verdict]:
    """Whether everybody got the answer that they should get."""
    tally = crowd.tally
    unexpected, total = tally.unexpected(), sum(tally.answers.values())
    found = f"{total:,}, of them wrong: {unexpected or 0}"
    yield Verdict("answers to visitors", found, not unexpected)
    kinds = {f"{kind} {status}": number for (kind, status), number in tally.answers.items()}
    yield Verdict("answers by kind and status", str(kinds), None)
    opened = tally.answers["open", "200"]
    found = f"{opened} opened, {tally.chats_answered} answered by the agent"
    yield Verdict("chats", found, tally.chats_answered > 0 if opened else None)
    found = f"{audience.draws:,} draws of {audience.opened} opened pages, {audience.faults} faults"
    yield Verdict("the dashboard", found, audience.draws > 0 and audience.faults == 0)


def _judge_rows(file: Path, crowd: Crowd) -> Verdict:
    """Whether what was acknowledged is stored, and nothing else."""
    tally = crowd.tally
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT visit_id, number FROM page_view").fetchall()
        said = connection.execute("SELECT count(*) FROM message WHERE author = 'visitor'")
        messages = said.fetchone()[0]
    # How often each number was told: which tab it was is known only while the visit may change.
    sent, unanswered = (
        Counter((visit_id, number) for visit_id, _, number in views)
        for views in (tally.views, tally.unanswered)
    )
    visits = {visit_id for visit_id, _ in sent | unanswered}  # the others are the past's
    stored = Counter(row for row in rows if row[0] in visits)
    lost, strange = sent - stored, stored - sent - unanswered
    found = (
        f"{len(tally.views):,} views and {tally.messages} messages acknowledged, {stored.total():,} and "
        f"{messages} stored, {lost.total()} lost, {strange.total()} that nobody sent"
    )
    return Verdict("rows", found, not lost and not strange and messages >= tally.messages)


def _judge_retention(file: Path) -> Verdict:
    """Whether visits went as they came due; the search for them runs every ten minutes."""
    with closing(sqlite3.connect(file)) as connection:
        overdue = connection.execute(
            "SELECT count(*) FROM visit WHERE last_activity_at < ?",
            [(time.time() - RETENTION_DAYS * 86_400 - 15 * 60) * 1000],
        ).fetchone()[0]
    return Verdict("visits past their retention for 15 minutes", str(overdue), overdue == 0)


def _judge_log(log: Path) -> Verdict:
    """Whether a process has logged a fault."""
    lines = log.read_text("utf-8", "replace").splitlines()
    faults = [line for line in lines if "Traceback" in line or "ERROR" in line or "fault=" in line]
    found = f"{len(faults)} faults in {len(lines)} lines {faults[:3] or ''}"
    return Verdict(f"{log.stem}'s log", found.rstrip(), not faults)


if __name__ == "__main__":
    main()

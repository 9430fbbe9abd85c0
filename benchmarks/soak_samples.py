"""What a soak measures every few seconds: the two processes, the database and its log, and the answers."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from urllib.request import urlopen

import msgspec

from benchmarks.servers import BenchmarkServer, family
from benchmarks.soak_visitors import Tally

MOVES_WITHIN = 10
"""Seconds for which a reading of the database waits for it."""


@dataclass(frozen=True)
class SoakSample:
    """seconds: since the soak began. memory in bytes (what the process alone holds, and its share of what
    is shared); sizes in bytes; times in milliseconds, of the answers since the sample before.

    used: the part of the database file that holds something. views: rows of page_view. acknowledged: page
    views so far. refused: answers so far that nobody should get.
    """

    seconds: float
    collector_memory: int
    collector_threads: int
    collector_handles: int
    dashboard_memory: int
    dashboard_threads: int
    dashboard_handles: int
    wal: int
    database: int
    used: int
    visits: int
    views: int
    queue: int
    visitors: int
    answers: int
    acknowledged: int
    refused: int
    p50: float
    p99: float


def take_sample(
    seconds: float,
    servers: tuple[BenchmarkServer, BenchmarkServer],
    file: Path,
    tally: Tally,
    visitors: int,
) -> SoakSample:
    """How all is now; servers: the collector and the dashboard. Empties the tally's latencies."""
    latencies, tally.latencies = sorted(tally.latencies), []
    (used, visits, views), collector, dashboard = _rows(file), *map(_process, servers)
    return SoakSample(
        round(seconds, 1),
        *collector,
        *dashboard,
        _size(file.with_name(f"{file.name}-wal")),
        _size(file),
        used,
        visits,
        views,
        _queue(servers[0].port),
        visitors,
        sum(tally.answers.values()),
        len(tally.views),
        sum(tally.unexpected().values()),
        _percentile(latencies, 0.5),
        _percentile(latencies, 0.99),
    )


def write_csv(samples: Iterable[SoakSample], file: Path) -> None:
    """Write a line for each sample, under the names of its values."""
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, [field.name for field in fields(SoakSample)])
        writer.writeheader()
        writer.writerows([asdict(sample) for sample in samples])


def read_csv(file: Path) -> list[SoakSample]:
    """The samples of a file that `write_csv` has written."""
    with file.open(newline="") as lines:
        return msgspec.convert(list(csv.DictReader(lines)), list[SoakSample], strict=False)


def _process(server: BenchmarkServer) -> tuple[int, int, int]:
    """Memory in bytes, threads and open files, sockets among them, of all its processes."""
    folders = [Path(f"/proc/{pid}") for pid in family(server.pid)]
    statuses = [(folder / "status").read_text() for folder in folders]
    threads = sum(int(each.split("\nThreads:", 1)[1].split()[0]) for each in statuses)
    handles = sum(1 for folder in folders for _ in (folder / "fd").iterdir())
    return server.resident(), threads, handles


def _rows(file: Path) -> tuple[int, int, int]:
    """Bytes in use, visits and page views."""
    with closing(
        sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=MOVES_WITHIN)
    ) as connection:

        def number(sql: str) -> int:
            return connection.execute(sql).fetchone()[0]

        pages = number("PRAGMA page_count") - number("PRAGMA freelist_count")
        size = number("PRAGMA page_size")
        visits = number("SELECT count(*) FROM visit")
        return pages * size, visits, number("SELECT count(*) FROM page_view")


def _queue(port: int) -> int:
    """Hits that wait for a transaction."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=MOVES_WITHIN) as answer:
        text = answer.read().decode()
    return int(float(text.split("\nmonitor_queue_depth ", 1)[1].split("\n", 1)[0]))


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _percentile(ordered: list[float], share: float) -> float:
    if not ordered:
        return 0.0
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2)

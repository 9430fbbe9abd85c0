"""What `python -m core export` takes for each visit, and whether more visits need more memory.

It makes two SQLite files, of few and of many visits that are over, and exports both in turns, each in a process of its own.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.figure import Figure, ratio_at_most
from benchmarks.figure_table import print_figures
from benchmarks.history import fill
from core.moment import utc_now

ROOT = Path(__file__).resolve().parents[1]

_EXPORT = (
    "import resource, sys; from core.__main__ import main;"
    "\ntry: main(sys.argv[1:])"
    "\nexcept SystemExit: pass"
    "\nused = resource.getrusage(resource.RUSAGE_SELF);"
    "\nprint(used.ru_utime + used.ru_stime, used.ru_maxrss)"
)


class ExportCost(NamedTuple):
    """Of one export: the processor's seconds for each visit, and the most memory in MB."""

    cpu: float
    memory: float


@click.command()
@click.option(
    "--visits", default=200_000, show_default=True, help="Of all sites; the shop has 7 of 10."
)
@click.option("--rounds", default=3, show_default=True)
def main(**options: Any) -> None:
    """Measure, and print."""
    print_figures(lambda: measure(**options))


def measure(visits: int, rounds: int) -> list[Figure]:
    """The cost of each format and table."""
    with tempfile.TemporaryDirectory(prefix="monitor-export-") as folder:
        little, much = (_made(Path(folder), number) for number in (visits // 20, visits))
        return [
            figure
            for table in ("visits", "page_views")
            for kind in ("csv", "parquet")
            for figure in _figures(little, much, table, kind, rounds)
        ]


def _figures(little: Path, much: Path, table: str, kind: str, rounds: int) -> Iterator[Figure]:
    exports = [[_exported(file, table, kind) for file in (little, much)] for _ in range(rounds)]
    name = f"export of {table} as {kind}"
    few, many = zip(*exports, strict=True)
    yield Figure(f"{name}: a visit", "us CPU", [each.cpu * 1e6 for each in many])
    yield Figure(
        f"{name}: memory, much to little",
        "MB",
        [each.memory for each in many],
        [each.memory for each in few],
        ratio_at_most(1.5),
    )


def _made(folder: Path, visits: int) -> Path:
    file = folder / f"{visits}.db"
    fill(f"sqlite:///{file}", visits, 0, utc_now())
    return file


def _exported(file: Path, table: str, kind: str) -> ExportCost:
    to = file.with_suffix(f".{kind}")
    options = ("--table", table, "--format", kind, "--output", str(to), "--force")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _EXPORT,
            "export",
            "--site",
            "shop",
            "--from",
            "2020-01-01",
            *options,
        ],
        cwd=ROOT,
        env={**os.environ, "MONITOR_DATABASE_URL": f"sqlite:///{file}"},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, kilobytes = map(float, done.stdout.split()[-2:])
    with closing(sqlite3.connect(file)) as db:
        shop = "SELECT count(*) FROM visit WHERE site_id = 1"
        (visits,) = db.execute(shop).fetchone()
    click.echo(
        f"{visits:,} visits, {table} as {kind}: {seconds:.1f} s CPU, {kilobytes / 1024:.0f} MB, {to.stat().st_size / 1e6:.0f} MB file"
    )
    return ExportCost(seconds / visits, kilobytes / 1024)


if __name__ == "__main__":
    main()

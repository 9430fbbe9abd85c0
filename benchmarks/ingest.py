"""Durable beacons a second and what one costs, compared with a bare 204 handler on the same uvicorn in the same run."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.figure import Figure, at_most, ratio_at_least, ratio_at_most
from benchmarks.figure_table import print_figures
from benchmarks.load import LoadResult, send
from benchmarks.log_growth import log_growth
from benchmarks.servers import BenchmarkServer, bare, collector
from benchmarks.wrk_load import Flood, flood, wrk_is_there

LEAST_RATIO = {128: 0.35, 400: 0.50}
"""Of the throughput of the bare handler, by the number of connections."""

MOST_CPU = 3.6
"""Times the processor time of the bare handler."""

MOST_LATENCY = 25.0
"""Milliseconds: the 99th percentile at a third of the load."""

MOST_LOG = 4_500
"""Bytes of the database's log for each beacon."""


class LoadedRun(NamedTuple):
    """What a server did under full load; cpu: microseconds for each request, of all its processes."""

    load: Flood | LoadResult
    cpu: float


@click.command()
@click.option("--rounds", default=5, show_default=True, help="Pairs of runs, one of each server.")
@click.option("--seconds", default=5.0, show_default=True, help="Length of one run.")
@click.option(
    "--connections", default=[128, 400], show_default=True, multiple=True, help="May be repeated."
)
@click.option(
    "--workers", default=1, show_default=True, help="Processes of the collector that answer."
)
@click.option("--database-url", default=None, help="Default: a SQLite file of its own.")
def main(**options: Any) -> None:
    """Print each round, then what was reached beside what is wanted."""
    print_figures(lambda: measure(**options))


def measure(
    rounds: int,
    seconds: float,
    connections: tuple[int, ...],
    workers: int,
    database_url: str | None,
) -> list[Figure]:
    """Throughput, CPU, the log and the wait for an answer, for each number of connections."""
    figures: list[Figure] = []
    click.echo(
        f"load: {'wrk' if wrk_is_there() else 'python (install wrk for one that costs less)'}"
    )
    with tempfile.TemporaryDirectory() as folder:
        url = database_url or f"sqlite:///{Path(folder) / 'monitor.db'}"
        with bare() as bare_server, collector(url, workers=workers) as collector_server:
            for number in connections:
                _run(bare_server, 1, number, 0)
                _run(collector_server, 2, number, 0)
                with log_growth(url) as growth:
                    pairs = [
                        _pair(bare_server, collector_server, seconds, number, each + 1)
                        for each in range(rounds)
                    ]
                figures += _figures(number, pairs, growth.written)
                figures.append(_latency(collector_server, bare_server, seconds, number, pairs))
    return figures


def _pair(
    yardstick: BenchmarkServer, server: BenchmarkServer, seconds: float, number: int, each: int
) -> tuple[LoadedRun, LoadedRun]:
    """One run of each; printed."""
    plain = _run(yardstick, seconds, number, each)
    full = _run(server, seconds, number, each)
    click.echo(
        f"{number} connections, round {each}: bare 204 {plain.load.per_second:,.0f}/s {plain.cpu:.0f} us, "
        f"collector {full.load.per_second:,.0f}/s durable {full.cpu:.0f} us, "
        f"ratio {_ratio(plain, full):.2f}, CPU {full.cpu / plain.cpu:.1f} times, refused {full.load.refused}"
    )
    return plain, full


def _run(server: BenchmarkServer, seconds: float, connections: int, each: int) -> LoadedRun:
    before = server.cpu()
    if wrk_is_there():
        load: Flood | LoadResult = flood(server.port, seconds, connections, each)
    else:
        load = send(server.port, seconds, connections)
    requests = max(1, round(load.per_second * load.seconds))
    return LoadedRun(load, (server.cpu() - before) / requests * 1e6)


def _ratio(plain: LoadedRun, full: LoadedRun) -> float:
    return full.load.per_second / plain.load.per_second


def _figures(
    connections: int, pairs: list[tuple[LoadedRun, LoadedRun]], written: int
) -> list[Figure]:
    beacons = sum(full.load.per_second * full.load.seconds for _, full in pairs)
    least = LEAST_RATIO.get(connections)
    return [
        Figure(
            f"durable beacons, {connections} connections",
            "/s",
            [full.load.per_second for _, full in pairs],
            [plain.load.per_second for plain, _ in pairs],
            ratio_at_least(least) if least else None,
            needs_quiet=True,
        ),
        Figure(
            f"CPU of a beacon, {connections} connections",
            "us",
            [full.cpu for _, full in pairs],
            [plain.cpu for plain, _ in pairs],
            ratio_at_most(MOST_CPU),
        ),
        Figure(
            f"log of a beacon, {connections} connections",
            "B",
            [written / beacons],
            (),
            at_most(MOST_LOG),
        ),
    ]


def _latency(
    server: BenchmarkServer,
    yardstick: BenchmarkServer,
    seconds: float,
    connections: int,
    pairs: list[tuple[LoadedRun, LoadedRun]],
) -> Figure:
    """At a third of the load that the collector has taken."""
    third = statistics.median(full.load.per_second for _, full in pairs) / 3
    waits: list[float] = []
    for label, port in (("", server.port), ("bare 204 ", yardstick.port)):
        calm = send(port, seconds, connections, pause=connections / third)
        waits.append(calm.percentile(0.99))
        click.echo(
            f"  {label}at {calm.per_second:,.0f}/s: p50 {calm.percentile(0.5):.1f} ms, "
            f"p99 {waits[-1]:.1f} ms"
        )
    ours, bare_204 = waits
    name = f"p99 of an answer at a third of it, {connections} connections"
    return Figure(name, "ms", [ours], [bare_204], at_most(MOST_LATENCY), needs_quiet=True)


if __name__ == "__main__":
    main()

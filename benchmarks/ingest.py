"""Durable beacons a second, compared with a bare 204 handler on the same uvicorn in the same run."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import click
from load import LoadResult, send
from servers import bare, collector


@click.command()
@click.option("--rounds", default=5, show_default=True, help="Pairs of runs, one of each server.")
@click.option("--seconds", default=5.0, show_default=True, help="Length of one run.")
@click.option("--connections", default=200, show_default=True)
@click.option("--database-url", default=None, help="Default: a SQLite file of its own.")
def main(rounds: int, seconds: float, connections: int, database_url: str | None) -> None:
    """Print the ratio of each round and their median, then the latency at rest and at full load."""
    with tempfile.TemporaryDirectory() as folder:
        url = database_url or f"sqlite:///{Path(folder) / 'monitor.db'}"
        with bare() as bare_server, collector(url) as collector_server:
            bare_port, collector_port = bare_server.port, collector_server.port
            send(bare_port, 1, connections)
            send(collector_port, 2, connections)
            ratios: list[float] = []
            full: list[LoadResult] = []
            for number in range(rounds):
                yardstick = send(bare_port, seconds, connections)
                full.append(send(collector_port, seconds, connections))
                ratios.append(full[-1].per_second / yardstick.per_second)
                click.echo(
                    f"round {number + 1}: bare 204 {yardstick.per_second:,.0f}/s, "
                    f"collector {full[-1].per_second:,.0f}/s durable, ratio {ratios[-1]:.2f}, "
                    f"refused {full[-1].refused}"
                )
            calm = send(collector_port, seconds, connections, pause=connections / 2_000)
            calm_bare = send(bare_port, seconds, connections, pause=connections / 2_000)
    click.echo(f"ratio: median {statistics.median(ratios):.2f}, lowest {min(ratios):.2f}")
    _report(f"at full load ({connections} connections)", full[-1])
    _report(f"at {calm.per_second:,.0f}/s", calm)
    _report(f"bare 204 at {calm_bare.per_second:,.0f}/s", calm_bare)


def _report(label: str, result: LoadResult) -> None:
    click.echo(
        f"latency {label}: p50 {result.percentile(0.5):.1f} ms, p99 {result.percentile(0.99):.1f} ms"
    )


if __name__ == "__main__":
    main()

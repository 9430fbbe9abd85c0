"""What a collector costs before anybody comes: the processor time of its start, and its memory when idle; and once somebody has."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.figure import Figure, at_most
from benchmarks.figure_table import print_figures
from benchmarks.load import send
from benchmarks.servers import BenchmarkServer, bare, collector, memory
from tests.helpers.postgres_server import postgres_server

MOST_CPU = 1.0
"""Seconds of all its processes, from the start to the first answer."""

MOST_MEMORY = 120
"""MB (10^6 bytes) of all its processes when idle."""

Starts = Callable[[], AbstractContextManager[BenchmarkServer]]


class MeasuredStart(NamedTuple):
    """One start. cpu: seconds until the first answer. memory: bytes (PSS) of each process, once idle. visited: of
    all of them, once somebody has come, whom the worker reads with what it loads then."""

    cpu: float
    memory: dict[str, int]
    visited: int

    @property
    def total(self) -> int:
        """Bytes of all processes."""
        return sum(self.memory.values())


@click.command()
@click.option("--starts", default=5, show_default=True, help="Of each server, in turns.")
@click.option("--idle", default=5.0, show_default=True, help="Seconds until memory is read.")
@click.option("--workers", default=1, show_default=True, help="Processes that answer.")
def main(**options: Any) -> None:
    """A collector on SQLite, one on Postgres, and the same uvicorn with a bare handler."""
    print_figures(lambda: measure(**options))


def measure(starts: int, idle: float, workers: int) -> list[Figure]:
    """The processor time of a start, and memory when idle, of all processes together; that of each is printed."""
    with _compiled(), tempfile.TemporaryDirectory() as folder, postgres_server() as postgres:
        postgres.execute("CREATE DATABASE footprint")
        urls = {
            "SQLite": f"sqlite:///{Path(folder) / 'monitor.db'}",
            "Postgres": postgres.url("footprint"),
        }
        servers: dict[str, Starts] = {"bare 204": bare}
        for name, url in urls.items():
            servers[name] = lambda url=url: collector(url, workers=workers)
            first = _start(servers[name], 0)
            click.echo(f"{name}: the first start, with tables to make: {first.cpu:.2f} s of CPU")
        rounds = [
            {name: _start(server, idle) for name, server in servers.items()} for _ in range(starts)
        ]
    yardstick = [each["bare 204"] for each in rounds]
    return [
        figure
        for name in urls
        for figure in _figures(name, [each[name] for each in rounds], yardstick)
    ]


@contextmanager
def _compiled() -> Iterator[None]:
    """Python's modules are compiled once for all starts, as they are where a collector is installed."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        with bare():
            yield


def _start(server: Starts, idle: float) -> MeasuredStart:
    with server() as running:
        cpu = running.cpu()
        time.sleep(idle)
        when_idle = memory(running.pid)
        send(running.port, seconds=0.1, connections=1)
        return MeasuredStart(cpu, when_idle, sum(memory(running.pid).values()))


def _figures(
    name: str, runs: list[MeasuredStart], yardstick: list[MeasuredStart]
) -> Iterator[Figure]:
    for process in runs[0].memory:
        held = statistics.median(each.memory.get(process, 0) for each in runs)
        click.echo(f"{name}: {process} {held / 1e6:.0f} MB")
    visited = statistics.median(each.visited for each in runs)
    click.echo(f"{name}: {visited / 1e6:.0f} MB of all processes after the first visitors")
    yield Figure(
        f"start of a collector on {name}",
        "s CPU",
        [each.cpu for each in runs],
        [each.cpu for each in yardstick],
        at_most(MOST_CPU),
    )
    yield Figure(
        f"an idle collector on {name}",
        "MB",
        [each.total / 1e6 for each in runs],
        [each.total / 1e6 for each in yardstick],
        at_most(MOST_MEMORY),
    )


if __name__ == "__main__":
    main()

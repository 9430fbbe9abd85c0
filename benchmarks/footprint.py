"""What a collector costs before anybody comes: the processor time of its start, and its memory when idle."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.servers import BenchmarkServer, bare, collector, memory
from tests.helpers.postgres_server import postgres_server

MOST_CPU = 1.0
"""Seconds of all its processes, from the start to the first answer."""

MOST_MEMORY = 120
"""MB (10^6 bytes) of all its processes when idle."""

Starts = Callable[[], AbstractContextManager[BenchmarkServer]]


class Start(NamedTuple):
    """One start. cpu: seconds until the first answer. memory: bytes (PSS) of each process, once idle."""

    cpu: float
    memory: dict[str, int]

    @property
    def total(self) -> int:
        """Bytes of all processes."""
        return sum(self.memory.values())


@click.command()
@click.option("--starts", default=5, show_default=True, help="Of each server, in turns.")
@click.option("--idle", default=5.0, show_default=True, help="Seconds until memory is read.")
@click.option("--workers", default=1, show_default=True, help="Processes that answer.")
def main(starts: int, idle: float, workers: int) -> None:
    """Print the medians of a collector on SQLite, of one on Postgres, and of the same uvicorn with a bare handler."""
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
    for name in servers:
        _report(name, [each[name] for each in rounds], [each["bare 204"] for each in rounds])
    click.echo(f"load of the machine: {' '.join(f'{each:.1f}' for each in os.getloadavg())}")


@contextmanager
def _compiled() -> Iterator[None]:
    """Python's modules are compiled once for all starts, as they are where a collector is installed."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        with bare():
            yield


def _start(server: Starts, idle: float) -> Start:
    with server() as running:
        cpu = running.cpu()
        time.sleep(idle)
        return Start(cpu, memory(running.pid))


def _report(name: str, runs: list[Start], yardstick: list[Start]) -> None:
    cpu = statistics.median(each.cpu for each in runs)
    total = statistics.median(each.total for each in runs)
    click.echo(
        f"{name}: {cpu:.2f} s of CPU to the first answer, {total / 1e6:.0f} MB when idle: "
        f"{cpu / statistics.median(each.cpu for each in yardstick):.1f} and "
        f"{total / statistics.median(each.total for each in yardstick):.1f} times the bare 204; "
        f"wanted at most {MOST_CPU:.1f} s, {MOST_MEMORY} MB"
    )
    for process in runs[0].memory:
        held = statistics.median(each.memory.get(process, 0) for each in runs)
        click.echo(f"  {process}: {held / 1e6:.0f} MB")


if __name__ == "__main__":
    main()

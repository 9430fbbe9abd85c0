"""Attacks on a collector of its own each: what they cost it in memory, and an honest visitor in waiting."""

from __future__ import annotations

import multiprocessing
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple
from urllib.request import urlopen

import click
from attackers import ATTACKS
from honest_visitor import Experience, HonestVisitor
from servers import BenchmarkServer, collector

QUIET = 5.0
"""Seconds in which the honest visitor is alone."""

LONGEST = 30.0
"""Seconds after which an attack is ended."""

CALMS_WITHIN = 3.0
"""Seconds after the attack until the memory is read."""

MEBIBYTE = 1 << 20


class AttackCost(NamedTuple):
    """An attack's row. Memory in bytes; held: its connections that were open at its end."""

    before: int
    peak: int
    after: int
    held: int
    quiet: Experience
    meanwhile: Experience
    refused: dict[str, int]


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(ATTACKS)), help="Default: all.")
def main(only: tuple[str, ...]) -> None:
    """Print a row for each attack."""
    click.echo(f"{'attack':<18}{'memory MiB':^19}{'held':>6}  {'honest visitor':^24}  refused")
    click.echo(f"{'':<18}{'before':>6}{'peak':>7}{'after':>6}{'':>6}  p50    p99 failed/sent")
    for name in only or ATTACKS:
        click.echo(_row(name, _measure(name)))


def _measure(name: str) -> AttackCost:
    attack = ATTACKS[name]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'monitor.db'}"
        with collector(url, attack.files) as server:
            quiet = _visit(server.port, lambda: time.sleep(QUIET))
            before = server.resident()
            with _peak(server) as peak:
                held: list[int] = []
                meanwhile = _visit(server.port, lambda: held.append(_run(name, server.port)))
                time.sleep(CALMS_WITHIN)
            return AttackCost(
                before,
                peak.highest,
                server.resident(),
                held[0],
                quiet,
                meanwhile,
                _refused(server.port),
            )


def _run(name: str, port: int) -> int:
    """The number of the attack's connections that were still open at its end."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_attack, args=(name, port, sender), daemon=True)
    process.start()
    held = receiver.recv() if receiver.poll(LONGEST) else -1
    process.kill()
    process.join()
    return held


def _attack(name: str, port: int, sender: Connection) -> None:
    sender.send(ATTACKS[name].run(port))


def _visit(port: int, work: Callable[[], object]) -> Experience:
    """What an honest visitor meets while the work lasts."""
    visitor = HonestVisitor(port)
    thread = Thread(target=visitor.run)
    thread.start()
    try:
        work()
    finally:
        visitor.end()
        thread.join()
    return visitor.experience


class _peak:
    """The most memory that a server has held in the context."""

    def __init__(self, server: BenchmarkServer) -> None:
        self.highest = 0
        self._server = server
        self._is_over = Event()
        self._thread = Thread(target=self._look)

    def __enter__(self) -> _peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(0.05):
            self.highest = max(self.highest, self._server.resident())


def _refused(port: int) -> dict[str, int]:
    """How often the collector has refused, by reason; empty also where it does not answer."""
    text = ""
    with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
        text = response.read().decode()
    pairs = re.findall(r'monitor_refused_connections_total\{reason="(\w+)"\} ([\d.]+)', text)
    return {reason: int(float(number)) for reason, number in pairs}


def _row(name: str, outcome: AttackCost) -> str:
    yardstick = outcome.quiet.percentile(0.99)
    met = outcome.meanwhile
    memory = [outcome.before, outcome.peak, outcome.after]
    refused = ", ".join(f"{reason} {number}" for reason, number in outcome.refused.items())
    return (
        f"{name:<18}{''.join(f'{size / MEBIBYTE:>6.0f} ' for size in memory)}{outcome.held:>5}"
        f"  {met.percentile(0.5) / yardstick:4.1f} {met.percentile(0.99) / yardstick:6.1f}"
        f" {met.failed:>5}/{met.sent:<5}  {refused or '-'}"
    )


if __name__ == "__main__":
    main()

"""Many visits of an earlier version: how long their upgrade takes, and what it needs; then `core move`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import click
from old_visits import fill, sums
from servers import ROOT, family
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

sys.path.insert(0, str(ROOT))

from core.database import open_database, reading, sqlite_file
from tests.helpers.postgres_server import postgres_server

LOOKS_EVERY = 0.1
UPGRADE = """
import logging, sys
from core.database import open_database
from core.moment import utc_now
from core.upgrade import upgrade_database
logging.basicConfig(level=logging.WARNING, format="    %(message)s", stream=sys.stderr)
logging.getLogger("core").setLevel(logging.INFO)
upgrade_database(open_database(sys.argv[1]), utc_now())
"""
"""What the collector does before it serves."""

MOVED = {
    "upgrade": "SELECT sum(last) FROM visit_sequence",
    "move": "SELECT count(*) FROM visit_span_row",
}
"""By what it is seen how far it is: of all visits, and of all spans."""


class MeasuredRun(NamedTuple):
    """seconds: of the clock. cpu: seconds, of the process and of the Postgres server's. memory: bytes, at most, of
    the process. log, disk: bytes, at most: of SQLite's log, and of all that is in the folder above what was there."""

    seconds: float
    cpu: float
    server: float
    memory: int
    log: int
    disk: int


@click.command()
@click.option("--visits", default=100_000, show_default=True)
@click.option("--postgres", is_flag=True, help="Of a Postgres that the tests bring.")
@click.option(
    "--kills",
    default=0,
    help="So many times on its way it is killed: the move, or else the upgrade.",
)
@click.option("--move", is_flag=True, help="The file that was upgraded then moves into Postgres.")
def main(visits: int, postgres: bool, kills: int, move: bool) -> None:
    """Make a database as version 0010 left it, upgrade it, and compare what is in it with what was."""
    with tempfile.TemporaryDirectory(prefix="monitor-upgrade-") as folder, _servers() as start:
        url = start() if postgres else f"sqlite:///{folder}/monitor.db"
        engine = open_database(url)
        fill(engine, visits)
        before = sums(engine)
        engine.dispose()
        click.echo(f"{visits:,} visits, {before['page_view'][0]:,} views: {_size(url):,} bytes")
        command = [sys.executable, "-c", UPGRADE, url]
        _report("upgrade", _run(command, url, url, "upgrade", 0 if move else kills, visits), visits)
        _compare(before, url)
        click.echo(f"then {_size(url):,} bytes")
        if move:
            _move(url, start(), kills, before)


def _move(url: str, target: str, kills: int, before: Mapping[str, tuple[int, ...]]) -> None:
    command = [sys.executable, "-m", "core", "move", "--to", target]
    rows = sum(counted[0] for counted in before.values())
    spans = before["visit_span"][0]
    _report("move", _run(command, url, target, "move", kills, spans), rows)
    _compare(before, target)


@contextmanager
def _servers() -> Iterator[Callable[[], str]]:
    with postgres_server() as server:
        server.execute("CREATE DATABASE upgrade")
        yield lambda: server.url("upgrade")


def _run(command: list[str], url: str, watched: str, kind: str, kills: int, of: int) -> MeasuredRun:
    """Run it until it has ended by itself; each time it is killed it is begun again."""
    engine = open_database(watched)
    marks = [of * kill // (kills + 1) for kill in range(1, kills + 1)]
    folder = _folder(url)
    size = _bytes_in(folder)
    server_before, began = _server_cpu(engine), time.monotonic()
    cpu = log = disk = memory = 0
    while True:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "MONITOR_DATABASE_URL": url}
        )
        while True:
            time.sleep(LOOKS_EVERY)
            log = max(log, _bytes_of(folder / "monitor.db-wal"))
            disk = max(disk, _bytes_in(folder) - size)
            if marks and _moved(engine, kind) >= marks[0]:
                marks.pop(0)
                os.kill(process.pid, signal.SIGKILL)
                click.echo(f"    killed at {_moved(engine, kind):,} of {of:,}")
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu += usage.ru_utime + usage.ru_stime
        memory = max(memory, usage.ru_maxrss * 1024)
        if process.returncode != -signal.SIGKILL:
            break
    if process.returncode:
        raise SystemExit(f"{kind} has failed")
    server = _server_cpu(engine) - server_before
    engine.dispose()
    return MeasuredRun(time.monotonic() - began, cpu, server, memory, log, disk)


def _report(name: str, run: MeasuredRun, rows: int) -> None:
    load = os.getloadavg()[0]
    click.echo(
        f"{name}: {run.cpu + run.server:.0f} s of CPU ({run.server:.0f} of the server),"
        f" {rows / (run.cpu + run.server):,.0f} a second of it;"
        f" {run.seconds:.0f} s by the clock at a load of {load:.1f}"
    )
    click.echo(
        f"{name}: memory {run.memory / 1e6:.0f} MB, SQLite's log {run.log / 1e6:.0f} MB,"
        f" disk {run.disk / 1e6:.0f} MB more than before, at most"
    )


def _compare(before: Mapping[str, tuple[int, ...]], url: str) -> None:
    engine = open_database(url)
    after = sums(engine)
    engine.dispose()
    different = [
        f"{name}: {before[name]}, {after[name]}" for name in before if before[name] != after[name]
    ]
    if different:
        raise SystemExit("\n".join(different))
    click.echo(f"counts and sums of {', '.join(before)} are what they were")


def _moved(engine: Engine, kind: str) -> int:
    with suppress(DBAPIError), reading(engine) as db:
        return int(db.exec_driver_sql(MOVED[kind]).scalar() or 0)
    return 0  # no such table yet


def _server_cpu(engine: Engine) -> float:
    """Of all the server's processes, those that have ended as well."""
    if engine.dialect.name != "postgresql":
        return 0
    pid = int(Path(str(engine.url.query["host"]), "data", "postmaster.pid").read_text().split()[0])
    fields = [
        Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split() for each in family(pid)
    ]
    ticks = sum(int(each[at]) for each in fields for at in (11, 12))
    ticks += sum(int(fields[0][at]) for at in (13, 14))
    return ticks / os.sysconf("SC_CLK_TCK")


def _size(url: str) -> int:
    engine = open_database(url)
    statement = "SELECT pg_database_size(current_database())"
    if engine.dialect.name == "sqlite":
        statement = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    with reading(engine) as db:
        size: int = db.exec_driver_sql(statement).scalar_one()
    engine.dispose()
    return size


def _folder(url: str) -> Path:
    file = sqlite_file(url)
    return file.parent if file else Path(str(open_database(url).url.query["host"])) / "data"


def _bytes_in(folder: Path) -> int:
    return sum(map(_bytes_of, folder.rglob("*")))


def _bytes_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # gone meanwhile
        return 0


if __name__ == "__main__":
    main()

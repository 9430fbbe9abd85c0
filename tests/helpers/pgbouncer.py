"""A real PgBouncer before the tests' Postgres, in transaction mode and with its own defaults."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.helpers.postgres_server import UNPRIVILEGED, PostgresServer
from tests.helpers.running_collector import wait_for

_PORT = 6432
"""PgBouncer's own, which only stands in the name of its socket."""
_STARTS_WITHIN = 20
_CONFIGURATION = """
[databases]
* = host={postgres}
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users
{settings}
"""


class PgBouncer:
    """A pooler that can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database_url: str) -> str:
        """The same database, behind the pooler."""
        query = {"host": str(self.folder), "port": str(_PORT)}
        return make_url(database_url).set(query=query).render_as_string(hide_password=False)

    def start(self) -> None:
        """Returns when it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_pgbouncer(), self.folder / "pgbouncer.ini"],
                user=UNPRIVILEGED if os.geteuid() == 0 else None,
                extra_groups=[] if os.geteuid() == 0 else None,
                stdout=log,
                stderr=log,
            )
        wait_for(self._answers, _STARTS_WITHIN)

    def stop(self) -> None:
        """At once: who is connected is cut off."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            psycopg.connect(
                host=str(self.folder), port=_PORT, user="postgres", dbname="postgres"
            ).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def pgbouncer(postgres: PostgresServer, *settings: str) -> Iterator[PgBouncer]:
    """A pooler with these lines in its configuration, for as long as the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="monitor-pgbouncer-"))
    if os.geteuid() == 0:
        shutil.chown(folder, UNPRIVILEGED)
    folder.chmod(0o755)
    (folder / "users").write_text('"postgres" ""\n', encoding="utf-8")
    (folder / "pgbouncer.ini").write_text(
        _CONFIGURATION.format(
            folder=folder,
            postgres=postgres.directory,
            port=_PORT,
            settings="\n".join(settings),
        ),
        encoding="utf-8",
    )
    pooler = PgBouncer(folder)
    try:
        pooler.start()
        yield pooler
    finally:
        pooler.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _pgbouncer() -> str:
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which("pgbouncer", path=places)
    if found is None:
        pytest.fail("No PgBouncer: run apt-get install pgbouncer.", pytrace=False)
    return found

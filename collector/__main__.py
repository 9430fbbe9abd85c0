"""python -m collector: serve the beacons, the embed script and the demo shop."""

from __future__ import annotations

import gc
import logging
import re
import signal
import socket
import time
from functools import partial
from types import FrameType
from typing import Any

import click
import uvicorn
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError
from uvicorn.supervisors import Multiprocess

from collector.app import build_app
from collector.http.file_limit import allow_open_files
from collector.http.locator import open_country_database
from collector.http.protocol import Protocol
from core.command_error import CommandError, exit_in_one_line, first_line
from core.database import files_of, is_sqlite, open_database, sqlite_file, writing
from core.heartbeat import heartbeats
from core.log_format import start_log
from core.moment import utc_now
from core.pooler_refusal import pooler_cure
from core.private_file import tighten
from core.schema import SchemaError
from core.serving_lock import LockHeld, serving_lock
from core.settings import Settings, SettingsError, settings, warn_of_unknown_settings
from core.sites import DEMO_KEY, add_site, list_sites
from core.upgrade import upgrade_database
from core.visits.presence import LONGEST_PRESENCE

DRAIN_WITHIN = 15
"""Seconds in which requests that have begun are answered after SIGTERM."""

TRIES_EVERY = 2.0
"""Seconds between two tries to reach a database server that is away."""

KEEP_ALIVE = int(LONGEST_PRESENCE.total_seconds()) + 15
"""Seconds that a connection may be silent: longer than a page is between two beacons, also when one is
late. Else each presence would open a connection, with TLS, that serves one beacon (own; nginx has 75 too)."""

_BACKLOG = 2_048
_INCURABLE = re.compile(
    r"does not exist|authentication failed|no password|pg_hba\.conf|support SSL"
    r"|statement pooling mode|unsupported startup parameter"
)
"""What Postgres, libpq and PgBouncer say when a person has to change something: waiting is no cure."""
_INTERRUPTED = ("57014", "55P03")
"""SQLSTATEs of a server that is there: the statement was cancelled, or has waited too long for a lock."""

_AWAITED = "database_awaited fault='%s' cure='{cure}; the collector goes on by itself once the database answers'"
_CURE = "start Postgres, or correct MONITOR_DATABASE_URL and restart"
_BUSY = (
    "database_busy fault='%s' cure='wait while another collector upgrades the tables, or end what "
    "locks them in Postgres; the collector goes on by itself once they are free'"
)
_READABLE = (
    "file_readable_by_others file='%s' cure='let the user who runs the collector own it, on a disk "
    "with permissions; it has what visitors did and said'"
)

_log = logging.getLogger("collector")


@click.command()
@click.option("--host", help="Address to listen on (MONITOR_COLLECTOR_HOST).")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port (MONITOR_COLLECTOR_PORT).")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes; more than one needs Postgres.",
)
def main(host: str | None, port: int | None, workers: int) -> None:
    """Serve beacons, the embed script and the demo shop until stopped."""
    # uvicorn drains at these signals and raises them again when it is done.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    allow_open_files()
    with exit_in_one_line(SettingsError, SchemaError, LockHeld):
        chosen = settings()
        _start_log(chosen)
        _serve(chosen, host or chosen.collector_host, port or chosen.collector_port, workers)


def create_app() -> Any:
    """The application of one worker process."""
    _start_log(settings())
    return build_app(settings(), open_database(settings().database_url))


def server_config(app: Any, **options: Any) -> uvicorn.Config:
    """How uvicorn serves the application."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=DRAIN_WITHIN,
        timeout_keep_alive=KEEP_ALIVE,
        **options,
    )


def _serve(chosen: Settings, host: str, port: int, workers: int) -> None:
    if workers > 1 and is_sqlite(chosen.database_url):
        raise CommandError(
            f"--workers is {workers}: one collector writes to a SQLite file; "
            "use Postgres (MONITOR_DATABASE_URL), or leave --workers out."
        )
    open_country_database(chosen)  # an unusable one is reported once, not by each worker
    with serving_lock(chosen.database_url), _bind(host, port) as listener:
        _tighten(chosen.database_url)
        engine = open_database(chosen.database_url)
        _await_database(engine, chosen.demo)
        _listen(listener, host, port)
        _run(chosen, engine, listener, workers)


def _run(chosen: Settings, engine: Engine, listener: socket.socket, workers: int) -> None:
    if workers > 1:
        engine.dispose()
        config = server_config("collector.__main__:create_app", factory=True, workers=workers)
        run = Multiprocess(config, sockets=[listener]).run
    else:
        run = partial(uvicorn.Server(server_config(build_app(chosen, engine))).run, [listener])
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
    host, port = listener.getsockname()[:2]
    _log.info("collector_started host=%s port=%d workers=%d", host, port, workers)
    try:
        run()
    finally:
        _log.info("collector_stopped")


def _tighten(database_url: str) -> None:
    """Files that an earlier version has left readable by others are no longer so."""
    file = sqlite_file(database_url)
    for open_to_others in tighten(files_of(file) if file else []):
        _log.warning(_READABLE, open_to_others)


def _await_database(engine: Engine, with_demo: bool) -> None:
    """Prepare the database; while its server is away or its tables are locked, try again."""
    told = ""
    while True:
        try:
            return _prepare(engine, with_demo)
        except OperationalError as fault:
            if engine.dialect.name == "sqlite" or _INCURABLE.search(str(fault.orig)):
                raise
            line = _waits_for(fault)
            if line != told:
                _log.warning(line, first_line(fault.orig))
            told = line
        time.sleep(TRIES_EVERY)


def _waits_for(fault: OperationalError) -> str:
    """The log's line, without what the database said: that may differ from try to try."""
    if getattr(fault.orig, "sqlstate", None) in _INTERRUPTED:
        return _BUSY
    return _AWAITED.replace("{cure}", pooler_cure(str(fault.orig)) or _CURE)


def _prepare(engine: Engine, with_demo: bool) -> None:
    """The tables, and on the very first start a site for the demo shop."""
    upgrade_database(engine, utc_now())
    with writing(engine) as db:
        if with_demo and _is_first_start(db):
            _add_demo_site(db)


def _is_first_start(db: Connection) -> bool:
    """No site, and no collector has run here: an owner who deletes the demo shop is rid of it."""
    return not list_sites(db) and not heartbeats(db)


def _add_demo_site(db: Connection) -> None:
    """Collectors that start together on a new database take turns; the first one adds it."""
    if db.dialect.name == "postgresql":
        db.exec_driver_sql("LOCK TABLE site IN SHARE ROW EXCLUSIVE MODE")
    if _is_first_start(db):
        add_site(db, name="Demo shop", key=DEMO_KEY, now=utc_now())


def _bind(host: str, port: int) -> socket.socket:
    """A socket of our own; connections are refused until it listens."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.set_inheritable(True)
    except OSError as error:
        raise _cannot_listen(host, port, error) from None
    return listener


def _listen(listener: socket.socket, host: str, port: int) -> None:
    try:
        listener.listen(_BACKLOG)
    except OSError as error:
        raise _cannot_listen(host, port, error) from None


def _cannot_listen(host: str, port: int, error: OSError) -> CommandError:
    return CommandError(
        f"Cannot listen on {host} port {port} ({error.strerror or error}): stop what uses it, "
        "or choose another with --port or MONITOR_COLLECTOR_PORT."
    )


def _start_log(chosen: Settings) -> None:
    start_log(chosen.log_format)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    warn_of_unknown_settings()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main(prog_name="python -m collector")

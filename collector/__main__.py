"""python -m collector: serve the beacons, the embed script and the demo shop."""

from __future__ import annotations

import gc
import logging
import signal
import socket
from datetime import UTC, datetime
from functools import partial
from types import FrameType
from typing import Any

import click
import uvicorn
from sqlalchemy import Engine
from uvicorn.supervisors import Multiprocess

from collector.app import build_app
from collector.lock import LockHeld, serving_lock
from core.database import is_sqlite, open_database, writing
from core.fault import CommandError, told_in_one_line
from core.schema import SchemaError, upgrade_schema
from core.settings import Settings, SettingsError, settings
from core.sites import add_site, list_sites

DEMO_KEY = "demo"
DRAIN_WITHIN = 15
"""Seconds in which requests that have begun are answered after SIGTERM."""

_BACKLOG = 2_048
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
    _set_up_logging()
    # uvicorn drains at these signals and raises them again when it is done.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    with told_in_one_line(SettingsError, SchemaError, LockHeld):
        chosen = settings()
        _serve(chosen, host or chosen.collector_host, port or chosen.collector_port, workers)


def create_app() -> Any:
    """The application of one worker process."""
    _set_up_logging()
    return build_app(settings(), open_database(settings().database_url))


def _serve(chosen: Settings, host: str, port: int, workers: int) -> None:
    if workers > 1 and is_sqlite(chosen.database_url):
        raise CommandError(
            f"--workers is {workers}: one collector writes to a SQLite file; "
            "use Postgres (MONITOR_DATABASE_URL), or leave --workers out."
        )
    with serving_lock(chosen.database_url), _listen(host, port) as listener:
        engine = open_database(chosen.database_url)
        _prepare(engine, chosen.demo)
        _run(chosen, engine, listener, workers)


def _run(chosen: Settings, engine: Engine, listener: socket.socket, workers: int) -> None:
    if workers > 1:
        engine.dispose()
        config = _config("collector.__main__:create_app", factory=True, workers=workers)
        run = Multiprocess(config, sockets=[listener]).run
    else:
        run = partial(uvicorn.Server(_config(build_app(chosen, engine))).run, [listener])
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
    host, port = listener.getsockname()[:2]
    _log.info("collector_started host=%s port=%d workers=%d", host, port, workers)
    try:
        run()
    finally:
        _log.info("collector_stopped")


def _prepare(engine: Engine, with_demo: bool) -> None:
    """The tables, and on the very first start a site for the demo shop."""
    upgrade_schema(engine)
    with writing(engine) as db:
        if with_demo and not list_sites(db):
            add_site(db, name="Demo shop", key=DEMO_KEY, now=datetime.now(UTC))


def _config(app: Any, **options: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=DRAIN_WITHIN,
        **options,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.set_inheritable(True)
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {host} port {port} ({error.strerror or error}): stop what uses it, "
            "or choose another with --port or MONITOR_COLLECTOR_PORT."
        ) from None
    return listener


def _set_up_logging() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main(prog_name="python -m collector")

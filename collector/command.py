"""What `python -m collector` does: serve the beacons, the embed script and the demo shop."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from errno import EADDRINUSE
from functools import partial
from time import monotonic, sleep
from types import FrameType
from typing import Any

import click
import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from collector.apart import run_apart
from collector.closed import Looks, build_closed_app
from collector.file_watch import FileWatch
from collector.http.file_limit import allow_open_files
from collector.http.locator import open_country_database
from collector.preparation import AwaitedServer, is_prepared, prepare
from collector.served_file import ServedFile
from collector.server import BACKLOG, server_config
from collector.service import Service, kept_shared
from collector.stop_signal import StopSignal
from collector.warm_up import IncompleteInstallation, refuse_incomplete_installation
from core.command_error import CommandError, exit_in_one_line
from core.database import files_of, open_database, sqlite_file
from core.log_format import start_log
from core.open_file import ANY_FILE, FileRule
from core.private_file import tighten
from core.schema import SchemaError
from core.serving_lock import LockHeld, SecondName
from core.settings import Settings, SettingsError, settings, warn_of_unknown_settings
from core.sqlite_fault import UnusableFile

_READABLE = (
    "file_readable_by_others file='%s' cure='let the user who runs the collector own it, on a disk "
    "with permissions; it has what visitors did and said'"
)

ADDRESS_WITHIN = 1.0
"""Seconds for which an address that is in use is tried again: the workers of a collector that was killed end
moments after it."""

_TRIES_EVERY = 0.05
_PREPARATION = "prepares"
_log = logging.getLogger("collector")
_stop_signal = StopSignal()


@click.command()
@click.option("--host", help="Address to listen on (MONITOR_COLLECTOR_HOST).")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port (MONITOR_COLLECTOR_PORT).")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that answer visitors; beside them one writes.",
)
def main(host: str | None, port: int | None, workers: int) -> None:
    """Serve beacons, the embed script and the demo shop until stopped."""
    # uvicorn drains at these signals and raises them again when it is done.
    _stop_signal.obey()
    allow_open_files()
    with exit_in_one_line(SettingsError, SchemaError, LockHeld, IncompleteInstallation):
        refuse_incomplete_installation()
        chosen = settings()
        _start_log(chosen)
        _serve(chosen, host or chosen.collector_host, port or chosen.collector_port, workers)


def _serve(chosen: Settings, host: str, port: int, workers: int) -> None:
    file = sqlite_file(chosen.database_url)
    open_country_database(chosen)  # an unusable one is reported once, not by each worker
    if file:
        _serve_file(chosen, ServedFile(file), host, port, workers)
    else:
        _serve_server(chosen, host, port, workers)


def _serve_server(chosen: Settings, host: str, port: int, workers: int) -> None:
    """Serve a Postgres database, once it is there."""
    engine = open_database(chosen.database_url)  # its driver is loaded once, for all processes
    with _bind(host, port) as listener:
        awaited, work = (
            AwaitedServer(),
            partial(prepare, chosen.database_url, ANY_FILE, chosen.demo),
        )
        fault = awaited.prepare(partial(run_apart, _PREPARATION, work))
        _listen(listener, host, port)
        if fault:
            work = partial(prepare, chosen.database_url, ANY_FILE, chosen.demo)
            look = partial(awaited.prepare, work)
            _answer_closed(chosen, listener, Looks(fault, look, is_told=True))
        _run(Service(chosen, engine, ANY_FILE, listener, workers))


def _serve_file(chosen: Settings, served: ServedFile, host: str, port: int, workers: int) -> None:
    """Serve a SQLite file whenever it can be used; answer 503 whenever it cannot."""
    take = partial(_take, served, may_take_long=True)
    try:
        fault = _take(served, is_first=True)
        with _bind(host, port) as listener:
            while True:
                if fault:
                    _listen(listener, host, port)
                    _answer_closed(chosen, listener, Looks(fault, take, is_told=False))
                _serve_taken(chosen, served, listener, workers)
                fault = _take(served)
    finally:
        served.end()


def _take(served: ServedFile, *, is_first: bool = False, may_take_long: bool = False) -> str:
    """What is wrong with the file, with the cure; "" once it is taken.

    At the start LockHeld and SecondName are raised: then the other collector goes on, and this one ends.
    """
    try:
        served.take(may_take_long=may_take_long)
    except UnusableFile as fault:
        return str(fault)
    except (LockHeld, SecondName) as fault:
        if is_first:
            raise
        return str(fault)
    return ""


def _serve_taken(
    chosen: Settings, served: ServedFile, listener: socket.socket, workers: int
) -> None:
    """Serve until a signal, or until the file cannot be used any longer; then it is given back."""
    rule = FileRule(creates=False, only=served.inode)
    try:
        _tighten(chosen.database_url)
        _prepare(chosen, rule)
        listener.listen(BACKLOG)
        engine = open_database(chosen.database_url, rule)
        service = Service(chosen, engine, rule, listener, workers, served.let_go_in_child)
        with FileWatch(served) as watch:
            _run(service, watch.begin, watch.is_lost)
    except SQLAlchemyError:
        if served.is_usable:
            raise
    finally:
        served.let_go()


def _prepare(chosen: Settings, rule: FileRule) -> None:
    work = partial(prepare, chosen.database_url, rule, chosen.demo)
    if is_prepared(chosen.database_url, rule):
        work()
    else:
        run_apart(_PREPARATION, work)


def _run(
    service: Service,
    on_ready: Callable[[], None] = lambda: None,
    is_lost: Callable[[], bool] = lambda: False,
) -> None:
    """Serve until a signal, or until the database's file is lost."""
    _log_started(service.listener, service.workers)
    try:
        with kept_shared(service.workers), _stop_signal.waking() as awake:
            service.serve(awake, lambda: _has_to_stop(service) or is_lost(), on_ready)
    finally:
        _log.info("collector_stopped")
    _stop_signal.raise_again()


def _has_to_stop(service: Service) -> bool:
    """Whether there was a signal; from then on nobody waits for an answer that will not come."""
    if _stop_signal.has_come:
        service.listener.close()
    return _stop_signal.has_come


def _answer_closed(chosen: Settings, listener: socket.socket, looks: Looks) -> None:
    """Answer 503 until they find no fault any more."""
    server = _Server(build_closed_app(chosen, looks), listener)
    looks.on_end = server.leave
    server.serve_until_left()
    looks.join()
    if looks.raised:
        raise looks.raised


class _Server(uvicorn.Server):
    """Serves an application until it is to leave the listener to another one, or until a signal ends the process."""

    def __init__(self, app: Any, listener: socket.socket) -> None:
        super().__init__(server_config(app))
        self.listener = listener

    def serve_until_left(self) -> None:
        """Serve. Afterwards the listener listens on, for the next application, unless there was a signal."""
        self.run([self.listener.dup()])  # uvicorn closes what it is given
        _stop_signal.raise_again()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, unless there was a signal before uvicorn took them."""
        _stop_signal.raise_again()
        await super().startup(sockets)

    def leave(self) -> None:
        """End the serving; who connects meanwhile waits for the next application."""
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End the process: from now on nobody waits for an answer that will not come."""
        self.listener.close()
        super().handle_exit(sig, frame)


def _log_started(listener: socket.socket, workers: int) -> None:
    host, port = listener.getsockname()[:2]
    _log.info("collector_started host=%s port=%d workers=%d", host, port, workers)


def _tighten(database_url: str) -> None:
    """Files that an earlier version has left readable by others are no longer so."""
    file = sqlite_file(database_url)
    for open_to_others in tighten(files_of(file) if file else []):
        _log.warning(_READABLE, open_to_others)


def _bind(host: str, port: int) -> socket.socket:
    """A socket of our own; connections are refused until it listens."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _take_address(listener, address)
    except OSError as error:
        raise _cannot_listen(host, port, error) from None
    return listener


def _take_address(listener: socket.socket, address: Any) -> None:
    latest = monotonic() + ADDRESS_WITHIN
    while True:
        try:
            listener.bind(address)
            return
        except OSError as error:
            if error.errno != EADDRINUSE or monotonic() >= latest:
                raise
        sleep(_TRIES_EVERY)


def _listen(listener: socket.socket, host: str, port: int) -> None:
    try:
        listener.listen(BACKLOG)
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

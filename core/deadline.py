"""The pages' way to the database: a question is answered within a deadline, or not at all."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from threading import BoundedSemaphore, Thread
from typing import TypeVar

from core.database import DATABASE_ERRORS, Connection, Engine, open_database, reading, writing
from core.schema import SchemaError, check_schema
from core.settings import SettingsError, settings

DEADLINE = 5.0
"""Seconds after which a database that has not answered counts as away."""

MOST_WAITING = 8
"""Questions that may wait at a time: a database that hangs must not collect threads."""

Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)
_places = BoundedSemaphore(MOST_WAITING)
_sound: set[str] = set()
"""The databases whose schema was seen to be right since they last failed."""


class DatabaseUnavailable(Exception):
    """The database gave no answer; the text says what to do."""


def read(question: Callable[[Connection], Answer]) -> Answer:
    """The question's answer from one consistent snapshot; DatabaseUnavailable after DEADLINE at the latest.

    Exceptions of the question itself pass through.
    """
    return _in_time(lambda engine: _read(engine, question))


def write(order: Callable[[Connection], Answer]) -> Answer:
    """What the order returns, once it is committed; DatabaseUnavailable as `ask`."""
    return _in_time(lambda engine: _write(engine, order))


def database_url() -> str:
    """Where the database is; DatabaseUnavailable when the setting cannot be used."""
    try:
        return settings().database_url
    except SettingsError as error:
        raise DatabaseUnavailable(str(error)) from None


def database_engine() -> Engine:
    """The engine of the pages, for what follows the database by itself; DatabaseUnavailable as database_url."""
    return _engine(database_url())


def _in_time(work: Callable[[Engine], Answer]) -> Answer:
    engine = database_engine()
    if not _places.acquire(blocking=False):
        raise DatabaseUnavailable(f"The database does not answer. {_cure(engine)}")
    answer: Future[Answer] = Future()
    Thread(target=_work, args=(work, engine, answer), daemon=True).start()
    try:
        return answer.result(DEADLINE)
    except TimeoutError:
        text = f"The database has not answered within {DEADLINE:.0f} seconds. {_cure(engine)}"
        raise DatabaseUnavailable(text) from None
    except SchemaError as error:
        raise DatabaseUnavailable(f"{error}.") from None
    except DATABASE_ERRORS as error:
        _log.warning("database away", exc_info=error)
        raise DatabaseUnavailable(f"The database cannot be read. {_cure(engine)}") from None


def _work(work: Callable[[Engine], Answer], engine: Engine, answer: Future[Answer]) -> None:
    try:
        answer.set_result(work(engine))
    except BaseException as error:
        _sound.discard(str(engine.url))
        answer.set_exception(error)
    finally:
        _places.release()


def _read(engine: Engine, question: Callable[[Connection], Answer]) -> Answer:
    _check(engine)
    with reading(engine) as connection:
        return question(connection)


def _write(engine: Engine, order: Callable[[Connection], Answer]) -> Answer:
    _check(engine)
    with writing(engine) as connection:
        return order(connection)


def _check(engine: Engine) -> None:
    url = str(engine.url)
    if url not in _sound:
        check_schema(engine)
        _sound.add(url)


@cache
def _engine(url: str) -> Engine:
    return open_database(url)


def _cure(engine: Engine) -> str:
    """The engine's URL hides its password."""
    if engine.url.get_backend_name() == "sqlite":
        return f"See that the collector runs and that the file {engine.url.database} is sound."
    return f"See that the server runs and that MONITOR_DATABASE_URL is right: {engine.url}"

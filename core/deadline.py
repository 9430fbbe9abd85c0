"""The dashboard's way to the database: a question is answered within a deadline, or not at all.

`read` and `write` are for the pages' threads, `read_async` and `write_async` for the event loop. The
two have threads of their own: neither waits for the other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from typing import TypeVar

from core.database import DATABASE_ERRORS, Connection, Engine, open_database, reading, writing
from core.database_threads import DatabaseThreads, NoThread, TooManyWaiting
from core.schema import SchemaError, check_schema
from core.settings import SettingsError, settings

DEADLINE = 5.0
"""Seconds after which a database that has not answered counts as away."""

Answer = TypeVar("Answer")
Question = Callable[[Connection], Answer]

_log = logging.getLogger(__name__)
_threads_of_pages = DatabaseThreads()
_threads_of_loop = DatabaseThreads()
_sound: set[str] = set()
"""The databases whose schema was seen to be right since they last failed."""


class DatabaseUnavailable(Exception):
    """The database gave no answer; the text says what to do."""


def read(question: Question[Answer]) -> Answer:
    """The question's answer from one consistent snapshot; DatabaseUnavailable after DEADLINE at the latest.

    Exceptions of the question itself pass through.
    """
    return _wait(partial(_ask, reading, question))


def write(change: Question[Answer]) -> Answer:
    """What the change returns, once it is committed; DatabaseUnavailable as `read`."""
    return _wait(partial(_ask, writing, change))


async def read_async(question: Question[Answer]) -> Answer:
    """The same as `read`; DEADLINE begins when it is the question's turn."""
    return await _wait_async(partial(_ask, reading, question))


async def write_async(change: Question[Answer]) -> Answer:
    """The same as `write`; DEADLINE begins when it is the change's turn."""
    return await _wait_async(partial(_ask, writing, change))


def database_url() -> str:
    """Where the database is; DatabaseUnavailable when the setting cannot be used."""
    try:
        return settings().database_url
    except SettingsError as error:
        raise DatabaseUnavailable(str(error)) from None


def database_engine() -> Engine:
    """The dashboard's engine, for what follows the database by itself; DatabaseUnavailable as database_url."""
    return _engine(database_url())


def _wait(work: Callable[[Engine], Answer]) -> Answer:
    engine = database_engine()
    with _refusals(engine):
        return _threads_of_pages.ask(partial(work, engine), DEADLINE)


async def _wait_async(work: Callable[[Engine], Answer]) -> Answer:
    engine = database_engine()
    with _refusals(engine):
        return await _threads_of_loop.run(partial(work, engine), DEADLINE)


@contextmanager
def _refusals(engine: Engine) -> Generator[None]:
    """What goes wrong with the database, as DatabaseUnavailable with the cure."""
    try:
        yield
    except TooManyWaiting:
        text = "The database does not answer: too many questions wait for it."
        raise DatabaseUnavailable(text) from None
    except NoThread:
        raise DatabaseUnavailable(f"The database does not answer. {_cure(engine)}") from None
    except TimeoutError:
        text = f"The database has not answered within {DEADLINE:.0f} seconds. {_cure(engine)}"
        raise DatabaseUnavailable(text) from None
    except SchemaError as error:
        raise DatabaseUnavailable(f"{error}.") from None
    except DATABASE_ERRORS as error:
        _log.warning("database away", exc_info=error)
        raise DatabaseUnavailable(f"The database cannot be read. {_cure(engine)}") from None


def _ask(
    transaction: Callable[[Engine], AbstractContextManager[Connection]],
    question: Question[Answer],
    engine: Engine,
) -> Answer:
    """The answer, from a database whose schema is right."""
    url = str(engine.url)
    try:
        if url not in _sound:
            check_schema(engine)
            _sound.add(url)
        with transaction(engine) as db:
            return question(db)
    except BaseException:
        _sound.discard(url)
        raise


@cache
def _engine(url: str) -> Engine:
    return open_database(url)


def _cure(engine: Engine) -> str:
    """The engine's URL hides its password."""
    if engine.url.get_backend_name() == "sqlite":
        return f"See that the collector runs and that the file {engine.url.database} is sound."
    return f"See that the server runs and that MONITOR_DATABASE_URL is right: {engine.url}"

"""The dashboard's way to the database: a question is answered within a deadline, or not at all.

While the database is frozen (core/database_watch.py) nobody waits for it: what a page asks one after
the other is refused at once, so that the page says so instead of adding up the waits.

`read`, `read_replica` and `write` are for the pages' threads, `read_async` and `write_async` for the event loop. The
two have threads of their own: neither waits for the other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache, partial
from time import sleep
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from core.database import (
    DATABASE_ERRORS,
    Connection,
    Engine,
    database_sign,
    open_database,
    reading,
    writing,
)
from core.database_threads import DatabaseThreads, NoThread, TooManyWaiting
from core.database_watch import DatabaseWatch
from core.open_file import FileRule
from core.pooler_refusal import pooler_cure
from core.replica import Replica, ReplicaState
from core.schema import SchemaError, check_schema
from core.settings import SettingsError, settings
from core.sqlite_fault import RESTORE, UnusableFile, is_damage
from core.write_attempt import WriteAttempt

DEADLINE = 5.0
"""Seconds after which a database that has not answered counts as away."""

LONG_DEADLINE = 60.0
"""Seconds that a question may take which tells of its progress, such as one of a million visits."""

COMMIT_WITHIN = 2.0
"""Seconds for which a commit that has begun is waited for after that."""

REPLICA_WITHIN = 2.0
"""Seconds after which a replica that has not answered is given up, and the primary asked."""

REPLICA_ASKED = 3
"""How often a replica is asked that has not yet got what is asked for ..."""

REPLICA_AGAIN = 0.1
"""... and the seconds before each next time: a replica is usually some milliseconds behind."""

Answer = TypeVar("Answer")
Question = Callable[[Connection], Answer]

_UNKNOWN = (
    "The database was lost while it saved: it may have been saved. "
    "See whether it was before you do it again."
)
_log = logging.getLogger(__name__)
_threads_of_pages = DatabaseThreads()
_threads_of_replica = DatabaseThreads()
_threads_of_long = DatabaseThreads()
_threads_of_loop = DatabaseThreads()
_sound: set[str] = set()
"""The databases whose schema was seen to be right since they last failed."""


class DatabaseUnavailable(Exception):
    """The database gave no answer, and nothing is changed; the text says what to do."""


class _NotThereYet(Exception):
    """The replica has not got what is asked for."""


class OutcomeUnknown(DatabaseUnavailable):
    """The database was lost while it saved: nobody knows whether it did."""


def read(question: Question[Answer], *, is_long: bool = False) -> Answer:
    """The question's answer from one consistent snapshot; DatabaseUnavailable after DEADLINE at the latest,
    and at once while the database is frozen.

    Exceptions of the question itself pass through. is_long: LONG_DEADLINE holds, on threads of its own, so that
    no short question waits for it.
    """
    engine = database_engine()
    watch = _watch_of(engine)
    threads, within = (
        (_threads_of_long, LONG_DEADLINE) if is_long else (_threads_of_pages, DEADLINE)
    )
    with _refusals(engine, watch, within=within):
        work = partial(_read, engine, question)
        return threads.ask(work, within, is_vain=lambda: watch.is_frozen)


def read_replica(
    question: Question[Answer],
    is_there: Question[bool] = lambda _: True,
    *,
    is_long: bool = False,
) -> Answer:
    """The same as `read`, from a replica that has all that this process has written; without one from the primary.

    is_there: whether the replica has what is asked for by now. Else it is asked again shortly, and then
    the primary, of which nobody asks that.
    """
    replica = _replica()
    threads, within = (
        (_threads_of_long, LONG_DEADLINE) if is_long else (_threads_of_replica, REPLICA_WITHIN)
    )
    for again in range(REPLICA_ASKED if replica else 0):
        sleep(REPLICA_AGAIN if again else 0)
        if replica is None or not replica.is_level:
            break
        work = partial(_read_there, replica, question, is_there)
        try:
            return threads.ask(work, within, is_vain=partial(_is_lost, replica))
        except _NotThereYet:
            continue
        except (*DATABASE_ERRORS, NoThread) as error:
            _log.warning("replica_fails fault=%s", type(error).__name__)
            replica.note_failure()
            break
    return read(question, is_long=is_long)


def replica_state() -> ReplicaState | None:
    """How the replica is; None without one, or before it was looked at. DatabaseUnavailable as database_url."""
    replica = _replica()
    return replica and replica.state


def write(change: Question[Answer]) -> Answer:
    """What the change returns, once it is committed. After DatabaseUnavailable it never will be.

    Only a commit that has begun by then is waited for, COMMIT_WITHIN more, and then OutcomeUnknown.
    """
    engine, attempt = database_engine(), WriteAttempt()
    watch = _watch_of(engine)
    with _refusals(engine, watch, attempt):
        return _threads_of_pages.ask(
            partial(_write, engine, change, attempt),
            DEADLINE,
            partial(_give_up, attempt),
            lambda: watch.is_frozen,
        )


async def read_async(question: Question[Answer]) -> Answer:
    """The same as `read`; DEADLINE begins when it is the question's turn."""
    engine = database_engine()
    watch = _watch_of(engine)
    with _refusals(engine, watch):
        work = partial(_read, engine, question)
        return await _threads_of_loop.run(work, DEADLINE, is_vain=lambda: watch.is_frozen)


async def write_async(change: Question[Answer]) -> Answer:
    """The same as `write`; DEADLINE begins when it is the change's turn."""
    engine, attempt = database_engine(), WriteAttempt()
    watch = _watch_of(engine)
    with _refusals(engine, watch, attempt):
        return await _threads_of_loop.run(
            partial(_write, engine, change, attempt),
            DEADLINE,
            partial(_give_up, attempt),
            lambda: watch.is_frozen,
        )


def database_url() -> str:
    """Where the database is; DatabaseUnavailable when the setting cannot be used."""
    try:
        return settings().database_url
    except SettingsError as error:
        raise DatabaseUnavailable(str(error)) from None


def database_engine() -> Engine:
    """The dashboard's engine, for what follows the database by itself; DatabaseUnavailable as database_url."""
    return _engine(database_url())


@contextmanager
def _refusals(
    engine: Engine,
    watch: DatabaseWatch,
    attempt: WriteAttempt | None = None,
    *,
    within: float | None = None,
) -> Generator[None]:
    """What goes wrong with the database, as DatabaseUnavailable with the cure."""
    try:
        yield
    except TooManyWaiting:
        text = "The database does not answer: too many questions wait for it."
        raise DatabaseUnavailable(text) from None
    except NoThread:
        raise DatabaseUnavailable(f"The database does not answer. {_cure(engine)}") from None
    except TimeoutError:
        if attempt is not None and attempt.is_committing:
            raise OutcomeUnknown(_UNKNOWN) from None
        seconds = DEADLINE if within is None else within
        late = "" if watch.is_frozen else f" within {seconds:.0f} seconds"
        text = f"The database has not answered{late}. {_cure(engine)}"
        raise DatabaseUnavailable(text) from None
    except SchemaError as error:
        raise DatabaseUnavailable(f"{error}.") from None
    except DATABASE_ERRORS as error:
        if isinstance(error, UnusableFile):  # its text says it all
            _log.warning("database_closed fault='%s'", error)
        else:
            _log.warning("database away", exc_info=error)
        is_lost = isinstance(error, UnusableFile) or (
            isinstance(error, DBAPIError) and error.connection_invalidated
        )
        if is_lost and attempt is not None and attempt.is_committing:
            raise OutcomeUnknown(_UNKNOWN) from None
        if isinstance(error, UnusableFile):
            raise DatabaseUnavailable(f"{error}.") from None
        if is_damage(error):
            text = f"The database is damaged: {engine.url.database}. Stop the collector, and {RESTORE}."
            raise DatabaseUnavailable(text) from None
        raise DatabaseUnavailable(f"The database cannot be read. {_cure(engine, error)}") from None


def _give_up(attempt: WriteAttempt) -> float:
    """Seconds for which it is still waited for: none, unless its commit has begun."""
    return 0.0 if attempt.give_up() else COMMIT_WITHIN


def _read(engine: Engine, question: Question[Answer]) -> Answer:
    with _sound_database(engine), reading(engine) as db:
        return question(db)


def _read_there(replica: Replica, question: Question[Answer], is_there: Question[bool]) -> Answer:
    with reading(replica.engine) as db:
        if not is_there(db):
            raise _NotThereYet
        return question(db)


def _is_lost(replica: Replica) -> bool:
    return not replica.is_known


def _write(engine: Engine, change: Question[Answer], attempt: WriteAttempt) -> Answer:
    """What the change returns, once committed; TimeoutError when its time was over before that."""
    attempt.begin(DEADLINE)
    with _sound_database(engine):
        try:
            with writing(engine, attempt) as db:
                return change(db)
        except DATABASE_ERRORS:
            if attempt.is_committing or attempt.remaining:
                raise
            raise TimeoutError from None  # the database has waited for another writer in vain
        finally:
            if replica := _replica():
                replica.note_write()


@contextmanager
def _sound_database(engine: Engine) -> Generator[None]:
    """The schema is right, as far as was seen since the database last failed."""
    url = str(engine.url)
    try:
        if url not in _sound:
            check_schema(engine)
            _sound.add(url)
        yield
    except BaseException:
        _sound.discard(url)
        raise


def _watch_of(engine: Engine) -> DatabaseWatch:
    """The watch of this database, which is kept from now on."""
    watch = _watch(engine)
    watch.keep()
    return watch


@cache
def _watch(engine: Engine) -> DatabaseWatch:
    return DatabaseWatch(partial(database_sign, engine))


def _replica() -> Replica | None:
    """The replica of this database, if it has one, which is looked at from now on."""
    engine = database_engine()
    url = settings().read_database_url
    if not url:
        return None
    replica = _replica_at(engine, url)
    replica.keep()
    return replica


@cache
def _replica_at(engine: Engine, url: str) -> Replica:
    return Replica(engine, url)


@cache
def _engine(url: str) -> Engine:
    return open_database(url, FileRule(creates=False))


def _cure(engine: Engine, fault: BaseException | None = None) -> str:
    """The engine's URL hides its password."""
    if cure := pooler_cure(str(fault)):
        return f"{cure[0].upper()}{cure[1:]}."
    if engine.url.get_backend_name() == "sqlite":
        return f"See that the collector runs and that the file {engine.url.database} is sound."
    return f"See that the server runs and that MONITOR_DATABASE_URL is right: {engine.url}"

"""What has changed in the chats or on the sites, as soon as it is committed, whichever process wrote it.

Postgres notifies the feed; a SQLite file, or a Postgres behind a connection pooler, is queried four
times a second. Either way there is one thread for what is followed, however many streams wait for it,
and one indexed query each time. The thread never ends by a fault: it says so, and begins again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from sqlalchemy import Connection, Engine

from core.database import DATABASE_ERRORS, reading
from core.faults import place_fault
from core.postgres import is_pooled

if TYPE_CHECKING:
    import psycopg  # 6 MB, which nobody needs whose database is a file

LOOK_EVERY = 0.25
"""Seconds between two queries to a database that does not notify."""

LOOK_ANYWAY = 1.0
"""Seconds after which Postgres is queried without a notification: one may have been lost."""

LONGEST_PAUSE = 30.0
"""Seconds between two tries of a feed that fails again and again; the first pause is LOOK_ANYWAY."""

FOLLOWS_WITHIN = 10.0
"""Seconds since the last round of query and telling after which the feed counts as not following."""

_STOPS_WITHIN = 5.0
_log = logging.getLogger("core.feed")

Wait = Callable[[], object]
FeedPlace = Mapping[int, int]
"""How far a reader is: the newest revision that it knows of each site, by the site's id.

Of one site, revisions are committed in their order, as its lock is held; those of two sites are not.
"""


NOWHERE: FeedPlace = MappingProxyType({})
"""Of whoever knows nothing."""


class HasPlace(Protocol):
    """Changes that were found."""

    @property
    def place(self) -> FeedPlace:
        """Where whoever knows of them goes on."""
        ...


Changes = TypeVar("Changes", bound=HasPlace)


@dataclass(frozen=True)
class FeedSource(Generic[Changes]):
    """What a feed follows.

    name: in the log. channel: on which Postgres notifies. newest: where whoever knows everything is.
    since: what has changed since a place; with that same place when nothing has.
    """

    name: str
    channel: str
    newest: Callable[[Connection], FeedPlace]
    since: Callable[[Connection, FeedPlace], Changes]


class _NotTold(Exception):
    """`on_changes` has failed; its cause says why."""


class Feed(Generic[Changes]):
    """Calls `on_changes` on a thread of its own, with what has changed since it was last told.

    It begins at the place `start_at`; without one, at the newest when it first reaches the
    database. Its place moves only once `on_changes` has returned: what could not be told is told
    again, with what is new by then. While the database is away nothing is missed. After any other
    fault `on_fault` is called: who listens may have got a part, and should come again.
    """

    def __init__(
        self,
        engine: Engine,
        source: FeedSource[Changes],
        on_changes: Callable[[Changes], None],
        on_fault: Callable[[], None],
        start_at: FeedPlace | None = None,
    ) -> None:
        self._engine = engine
        self._source = source
        self._on_changes = on_changes
        self._on_fault = on_fault
        self._place = start_at
        self._stop = Event()
        self._thread = Thread(target=self._run, name=f"{source.name} feed", daemon=True)
        self._fault = ""
        self._is_pooler_told = False
        self._pause = LOOK_ANYWAY
        self._followed_at = monotonic()

    @property
    def is_following(self) -> bool:
        """Whether what is committed is being told: not while the feed fails, pauses or hangs."""
        return not self._fault and monotonic() - self._followed_at < FOLLOWS_WITHIN

    def start(self) -> None:
        """Begin to follow the database."""
        self._thread.start()

    def stop(self) -> None:
        """End after the query that is under way."""
        self._stop.set()
        self._thread.join(_STOPS_WITHIN)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._waiting() as wait:
                    self._follow(wait)
            except (*DATABASE_ERRORS, *_postgres_errors(self._engine)) as fault:
                self._set_fault(type(fault).__name__)
                self._stop.wait(LOOK_ANYWAY)
            except Exception as fault:
                self._fail(fault.__cause__ or fault)
                self._stop.wait(self._pause)
                self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _follow(self, wait: Wait) -> None:
        while not self._stop.is_set():
            self._query()
            self._followed_at = monotonic()
            wait()
            self._set_fault("")
            self._pause = LOOK_ANYWAY

    def _query(self) -> None:
        with reading(self._engine) as db:
            if self._place is None:
                self._place = self._source.newest(db)
            changes = self._source.since(db, self._place)
        if changes.place != self._place:
            self._tell(changes)
            self._place = changes.place

    def _tell(self, changes: Changes) -> None:
        try:
            self._on_changes(changes)
        except Exception as fault:
            raise _NotTold from fault

    def _fail(self, fault: BaseException) -> None:
        self._set_fault(f"{type(fault).__name__} at={place_fault(fault)}", logging.ERROR)
        try:
            self._on_fault()
        except Exception as another:
            _log.error("%s_streams_not_let_go fault=%s", self._source.name, type(another).__name__)

    @contextmanager
    def _waiting(self) -> Generator[Wait]:
        """What waits until the next query: for a notification, or for a moment."""
        listener = self._listener()
        if listener is None:
            yield lambda: self._stop.wait(LOOK_EVERY)
            return
        from psycopg.sql import SQL, Identifier

        with closing(listener):
            listener.execute(SQL("LISTEN {}").format(Identifier(self._source.channel)))
            yield lambda: list(listener.notifies(timeout=LOOK_ANYWAY, stop_after=1))

    def _listener(self) -> psycopg.Connection[Any] | None:
        """A connection that is notified; None where none is: of SQLite, and behind a pooler."""
        if self._engine.dialect.name != "postgresql":
            return None
        raw = self._engine.raw_connection()
        if is_pooled(raw):
            raw.close()
            self._tell_of_pooler()
            return None
        listener = cast("psycopg.Connection[Any]", raw.driver_connection)
        raw.detach()  # it listens for good, and never goes back to the pool
        return listener

    def _tell_of_pooler(self) -> None:
        if not self._is_pooler_told:
            self._is_pooler_told = True
            _log.info(
                "%s_feed_polls every=%ss reason='a connection pooler'",
                self._source.name,
                LOOK_EVERY,
            )

    def _set_fault(self, fault: str, level: int = logging.WARNING) -> None:
        """Log when the feed begins to fail, and when it is back: not each time in between."""
        if fault != self._fault:
            self._fault = fault
            if fault:
                _log.log(level, "%s_feed_fails fault=%s", self._source.name, fault)
            else:
                _log.info("%s_feed_is_back", self._source.name)


def _postgres_errors(engine: Engine) -> tuple[type[Exception], ...]:
    """What the listener raises, by which SQLAlchemy is not asked."""
    return (engine.dialect.loaded_dbapi.Error,) if engine.dialect.name == "postgresql" else ()

"""Parts of a long question, read side by side: while Python counts one, the database reads another. A part is some of the
visits, or one of several numbers.

SQLite and Python's JSON keep one processor busy each at most, and a question of a million visits is read in 25 parts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.pool import QueuePool

from core.database import DATABASE_ERRORS, reading
from core.postgres import is_pooled

AHEAD = 4
"""Parts that may be begun before the first of them is taken: what they hold is bounded."""

MOST_IN_USE = 10
"""Connections of the 15 that a process may have: with more in use nobody gets a second one."""

Part = TypeVar("Part")
Answer = TypeVar("Answer")

_one_question = Lock()
"""Of all that are asked at a time one has a second connection: more would only take the processors of each other."""


def read_parts(
    db: Connection,
    parts: Sequence[Part],
    read: Callable[[Connection, Part], Answer],
    *,
    is_level: Callable[[Connection], bool] = lambda _: True,
) -> Iterator[tuple[Part, Answer]]:
    """Each part with what `read` makes of it, in their order; what `read` raises passes through.

    Half of them come from a second connection, whose snapshot is newer by the time that this question has taken so far:
    a part has to make sense by itself. is_level: whether in that snapshot the parts mean the same.
    """
    with ExitStack() as stack:
        other = stack.enter_context(_second(db, is_level)) if len(parts) > 1 else None
        if other is None:
            yield from ((part, read(db, part)) for part in parts)
        else:
            yield from _read_ahead((db, other), parts, read)


def _read_ahead(
    connections: Sequence[Connection],
    parts: Sequence[Part],
    read: Callable[[Connection, Part], Answer],
) -> Iterator[tuple[Part, Answer]]:
    """By a thread for each connection; none of them is used any more once this has ended."""
    todo: SimpleQueue[tuple[Part, Future[Answer]] | None] = SimpleQueue()

    def work(connection: Connection) -> None:
        while (task := todo.get()) is not None:
            part, answer = task
            try:
                answer.set_result(read(connection, part))
            except BaseException as fault:
                answer.set_exception(fault)

    # As all threads on the database: a process that ends waits for none of them.
    threads = [
        Thread(target=work, args=(connection,), name="parts", daemon=True)
        for connection in connections
    ]
    for thread in threads:
        thread.start()
    begun: deque[Future[Answer]] = deque()
    try:
        for place, part in enumerate(parts):
            for following in parts[place + len(begun) : place + AHEAD]:
                begun.append(Future())
                todo.put((following, begun[-1]))
            yield part, begun.popleft().result()
    finally:
        with suppress(Empty):
            while True:
                todo.get_nowait()
        for _ in threads:
            todo.put(None)
        for thread in threads:
            thread.join()


@contextmanager
def _second(db: Connection, is_level: Callable[[Connection], bool]) -> Generator[Connection | None]:
    """A second connection, where there may be one, there is one, and it is level."""
    with ExitStack() as stack:
        if not _may_have_one(db) or not _one_question.acquire(blocking=False):
            yield None
            return
        stack.callback(_one_question.release)
        other: Connection | None = None
        with suppress(*DATABASE_ERRORS), ExitStack() as opening:
            opened = opening.enter_context(reading(db.engine))
            if is_level(
                opened
            ):  # else it ends here: a server ends a transaction in which nothing is asked
                stack.callback(_close, opening.pop_all())
                other = opened
        yield other


def _close(opened: ExitStack) -> None:
    """What was read over it has been read, whatever becomes of its transaction."""
    with suppress(*DATABASE_ERRORS):
        opened.close()


def _may_have_one(db: Connection) -> bool:
    """Whether a question may have two connections. What a transaction has written no other sees before its end. Behind
    a pooler each is a session of few, for which others wait."""
    pool = db.engine.pool
    is_busy = isinstance(pool, QueuePool) and pool.checkedout() > MOST_IN_USE
    is_behind_pooler = db.dialect.name == "postgresql" and is_pooled(db.connection)
    only_reads = db.get_execution_options().get("is_snapshot", False)
    return only_reads and not is_busy and not is_behind_pooler

"""Parts of a long question, read side by side: while Python counts one, the database reads another.

SQLite and Python's JSON keep one processor busy each at most, and a question of a million visits is read in 25 parts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from queue import SimpleQueue
from threading import Lock
from typing import TypeVar

from sqlalchemy import Connection

from core.database import DATABASE_ERRORS, reading

AHEAD = 4
"""Parts that may be begun before the first of them is taken: what they hold is bounded."""

Part = TypeVar("Part")
Answer = TypeVar("Answer")

_one_question = Lock()
"""Of all that are asked at a time one has a second connection: more would keep the processors from the live pages,
and take the connections of each other."""


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
    with _connections(db, is_level, len(parts)) as connections:
        if len(connections) == 1:
            yield from ((part, read(db, part)) for part in parts)
        else:
            yield from _read_ahead(connections, parts, read)


def _read_ahead(
    connections: Sequence[Connection],
    parts: Sequence[Part],
    read: Callable[[Connection, Part], Answer],
) -> Iterator[tuple[Part, Answer]]:
    free: SimpleQueue[Connection] = SimpleQueue()
    for each in connections:
        free.put(each)

    def read_one(part: Part) -> Answer:
        connection = free.get()
        try:
            return read(connection, part)
        finally:
            free.put(connection)

    with _threads(len(connections)) as threads:
        begun: deque[Future[Answer]] = deque()
        for place, part in enumerate(parts):
            while place + len(begun) < len(parts) and len(begun) < AHEAD:
                begun.append(threads.submit(read_one, parts[place + len(begun)]))
            yield part, begun.popleft().result()


@contextmanager
def _connections(
    db: Connection, is_level: Callable[[Connection], bool], parts: int
) -> Generator[Sequence[Connection]]:
    """This connection, and a second one where there may be one, and is."""
    with ExitStack() as stack:
        connections = [db]
        if parts > 1 and _one_question.acquire(blocking=False):
            stack.callback(_one_question.release)
            with suppress(*DATABASE_ERRORS):
                other = stack.enter_context(reading(db.engine))
                if is_level(other):
                    connections.append(other)
        yield connections


@contextmanager
def _threads(number: int) -> Generator[ThreadPoolExecutor]:
    """What has not been begun is not, when nobody takes the rest; what has been is waited for."""
    threads = ThreadPoolExecutor(number, thread_name_prefix="parts")
    try:
        yield threads
    finally:
        threads.shutdown(cancel_futures=True)

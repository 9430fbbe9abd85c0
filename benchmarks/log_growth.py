"""How many bytes a database writes into its log (WAL)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import Engine

from core.database import open_database, reading, sqlite_file

_LOOK_EVERY = 0.005
_FRAME_HEADER = 24
_INDEX_HEADER = struct.Struct("=4x4xI2xHI")
"""Of the -shm file: the change counter, the page size and the last frame (sqlite.org/walformat.html, 2.1)."""


class LogGrowth:
    """written: bytes since the begin of the measurement, once it has ended."""

    def __init__(self) -> None:
        self.written = 0


@contextmanager
def log_growth(database_url: str) -> Iterator[LogGrowth]:
    """Measure while the block runs.

    Of a SQLite file the index of the log is looked at: its frames count from one again after a checkpoint, and those
    written in the last milliseconds before are missed. Postgres counts by itself.
    """
    growth = LogGrowth()
    file = sqlite_file(database_url)
    if file:
        with _watched(Path(f"{file}-shm"), growth):
            yield growth
        return
    engine = open_database(database_url)
    before = _position(engine)
    yield growth
    growth.written = _position(engine) - before
    engine.dispose()


def _position(engine: Engine) -> int:
    with reading(engine) as db:
        said = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
        return int(db.exec_driver_sql(said).scalar_one())


@contextmanager
def _watched(index: Path, growth: LogGrowth) -> Iterator[None]:
    stop = Event()
    thread = Thread(target=_watch, args=(index, growth, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _watch(index: Path, growth: LogGrowth, stop: Event) -> None:
    last, _ = _frames(index)
    while not stop.wait(_LOOK_EVERY):
        frames, size = _frames(index)
        growth.written += (frames - last if frames >= last else frames) * size
        last = frames


def _frames(index: Path) -> tuple[int, int]:
    """The frames in the log, and the bytes of each."""
    _, page_size, frames = _INDEX_HEADER.unpack_from(index.read_bytes()[:48])
    return frames, (65_536 if page_size == 1 else page_size) + _FRAME_HEADER

"""Where a SQLite database is kept, as this process sees it: sizes, what is left of the disk, who may read it."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import make_url

from core.damage_mark import mark_of
from core.database import is_sqlite
from core.open_file import log_of

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Storage:
    """What is known of the place. None: this process cannot see it, as all of a Postgres server's.

    file: its path, "" of Postgres. is_missing: nothing is there. is_damaged: it is
    marked as damaged, so that nobody uses it. Sizes are in bytes. is_open_to_others: every user of the machine may read
    it. has_litestream: Litestream keeps its notes beside the file, so it is copied as it changes.
    """

    file: str = ""
    file_bytes: int | None = None
    wal_bytes: int | None = None
    disk_bytes: int | None = None
    disk_free: int | None = None
    is_missing: bool = False
    is_damaged: bool = False
    is_open_to_others: bool = False
    has_litestream: bool = False


def measure_storage(database_url: str) -> Storage:
    """The place of this database; it needs no connection."""
    file = make_url(database_url).database
    if not is_sqlite(database_url) or not file:
        return Storage()
    path = Path(file).absolute()
    real = path.resolve()  # SQLite puts its log beside that, whichever links lead there
    disk = _seen(lambda: shutil.disk_usage(real.parent))
    return Storage(
        str(path),
        file_bytes=_size(path),
        wal_bytes=_size(log_of(real)),
        disk_bytes=disk.total if disk else None,
        disk_free=disk.free if disk else None,
        is_missing=_is_missing(path),
        is_damaged=bool(_seen(mark_of(real).exists)),
        is_open_to_others=any(_is_open_to_others(each) for each in (real, log_of(real))),
        has_litestream=real.with_name(f".{real.name}-litestream").is_dir(),
    )


def _size(path: Path) -> int | None:
    found = _seen(path.stat)
    return found.st_size if found else None


def _is_missing(path: Path) -> bool:
    """Certainly: a file that this process may not see is not missed."""
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        pass
    return False


def _is_open_to_others(path: Path) -> bool:
    """Whether the file's mode lets everybody read or write it, and every folder above lets them get there."""
    mode = _seen(path.stat)
    if mode is None or not mode.st_mode & (stat.S_IROTH | stat.S_IWOTH):
        return False
    return all(_is_passable(folder) for folder in path.parents)


def _is_passable(folder: Path) -> bool:
    mode = _seen(folder.stat)
    return mode is None or bool(mode.st_mode & stat.S_IXOTH)


def _seen(look: Callable[[], Answer]) -> Answer | None:
    try:
        return look()
    except OSError:
        return None

"""Copies of a SQLite database: made while it is in use, checked, and put back in its place."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import cast

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from core.command_error import CommandError, first_line
from core.open_file import log_of
from core.part_file import held_part, remove_with_log
from core.private_file import open_private
from core.schema import is_newer
from core.sqlite_fault import RESTORE, is_damage

Progress = Callable[[int, int], None]
"""Is told after each step how many pages are left, and how many there are."""

PAGES_A_STEP = 1_024
"""4 MiB: some 10 ms, after which progress is told and Ctrl-C is heard."""

_PIECE = 1_048_576
_HEADER = b"SQLite format 3\0"


class DamagedDatabase(CommandError):
    """The file is no database, or a damaged one; the text says so in one line."""


def copy_database(engine: Engine, to: Path, on_progress: Progress | None = None) -> int:
    """Copy the whole database, as it is at this moment, to one private file; returns its bytes.

    Nobody waits for it: it reads one snapshot, and writers go on. Only SQLite's log grows meanwhile,
    because nothing newer than the snapshot is moved out of it. The copy is made beside its place,
    checked, and renamed, so what lies there is always whole. Raises CommandError, also while another
    copy is written there; when the database itself is damaged, DamagedDatabase.
    """
    with held_part(to) as part:
        with _faults(f"The database {engine.url.database}", f"{to} cannot be written"):
            _check(part, _write(engine, part, on_progress))
        size = part.stat().st_size
        part.replace(to)
    _sync_folder(to.parent)
    return size


def check_backup(file: Path) -> str:
    """The schema's revision of a sound database of ours, of this version or an older one.

    Raises CommandError with one line that says what else the file is.
    """
    with file.open("rb") as opened:
        if opened.read(len(_HEADER)) != _HEADER:
            raise DamagedDatabase(f"{file} is no SQLite database: name the file of a backup")
    with (
        _faults(f"The file {file}", f"{file} cannot be read"),
        closing(_open_to_read(file)) as source,
    ):
        _refuse_unsound(source)
        revision = revision_of(source)
    if revision is None:
        raise CommandError(f"{file} is no database of Visitor Monitor: name the file of a backup")
    if is_newer(revision):
        raise CommandError(
            f"{file} is of a newer version ({revision}): install that version of Visitor Monitor first"
        )
    return revision


def overwrite_database(engine: Engine, file: Path, on_progress: Progress | None = None) -> None:
    """Give the database the content of a checked backup, in one transaction of SQLite's.

    Who reads meanwhile sees the old content and then the new one, and a crash leaves the old one. Only
    for whoever holds the serving lock: the log is emptied, so that the old content goes from it too.
    """
    name = f"The database {engine.url.database}"
    with (
        _faults(name, f"{name} cannot be written"),
        closing(_open_to_read(file)) as source,
        closing(engine.raw_connection()) as pooled,
    ):
        database = cast(sqlite3.Connection, pooled.driver_connection)
        folder = Path(engine.url.database or "").resolve().parent
        refuse_full_disk(folder, 2 * _bytes_in(source))  # in the log first, then in the file
        source.backup(database, pages=PAGES_A_STEP, progress=_told(on_progress))
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def rescue_database(file: int, log: int | None, to: Path) -> None:
    """Copy a database whose file was deleted to a private file, from what is still open: the file and its log.

    Nobody may write it any more. Raises CommandError, also when there is no room.
    """
    with held_part(to) as part:
        with _faults("The deleted database", f"{to} cannot be written"):
            opened = [each for each in (file, log) if each is not None]
            refuse_full_disk(part.parent, sum(os.fstat(each).st_size for each in opened))
            for each, copy in zip(opened, (part, log_of(part)), strict=False):
                _copy_opened(each, copy)
            with closing(sqlite3.connect(part)) as rescued:
                rescued.execute("PRAGMA journal_mode=DELETE")  # the log is in the file then
                _refuse_unsound(rescued)
        part.replace(to)
    _sync_folder(to.parent)


def set_aside(file: Path, to: Path) -> None:
    """Rename a damaged database, with the log that belongs to it: somebody may still save something."""
    with suppress(FileNotFoundError):  # only its log is left
        file.rename(to)
    log = log_of(file)
    if _has_content(log):
        log.rename(log_of(to))
    remove_with_log(file)


def refuse_full_disk(folder: Path, needed: int) -> None:
    """Raises CommandError when the folder's disk has not so many bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CommandError(
            f"{folder} has {size_label(free)} free, and {size_label(needed)} are needed: "
            "make room there, or use another disk"
        )


def revision_of(database: sqlite3.Connection) -> str | None:
    """The schema's revision; None where there are no tables of ours."""
    is_table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'alembic_version'"
    if database.execute(is_table).fetchone() is None:
        return None
    found = database.execute("SELECT version_num FROM alembic_version").fetchone()
    return found and found[0]


def size_label(size: int) -> str:
    """Bytes, as people read them: 12.3 MB."""
    return f"{size / 1_000_000:,.1f} MB"


def _write(engine: Engine, part: Path, on_progress: Progress | None) -> str | None:
    """The revision of the snapshot that was copied."""
    with closing(engine.raw_connection()) as pooled:
        database = cast(sqlite3.Connection, pooled.driver_connection)
        database.execute("BEGIN")  # without it, each commit of somebody else begins the copy anew
        try:
            revision = revision_of(database)
            refuse_full_disk(part.parent, _bytes_in(database))
            _copy(database, part, on_progress)
        finally:
            database.execute("ROLLBACK")
    return revision


def _copy(database: sqlite3.Connection, part: Path, on_progress: Progress | None) -> None:
    with closing(sqlite3.connect(part)) as copy:
        database.backup(copy, pages=PAGES_A_STEP, progress=_told(on_progress))
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, which needs no log beside it


def _copy_opened(opened: int, to: Path) -> None:
    written = open_private(str(to), os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    try:
        at = 0
        while piece := os.pread(opened, _PIECE, at):
            at += os.write(written, piece)
        os.fsync(written)
    finally:
        os.close(written)


def _check(part: Path, revision: str | None) -> None:
    with closing(_open_to_read(part)) as copy:
        _refuse_unsound(copy)
        if revision_of(copy) != revision:
            raise sqlite3.DatabaseError("the copy has another version than the database")


def _refuse_unsound(database: sqlite3.Connection) -> None:
    (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise DamagedDatabase(found)


def _bytes_in(database: sqlite3.Connection) -> int:
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    (size,) = database.execute("PRAGMA page_size").fetchone()
    return pages * size


def _open_to_read(file: Path) -> sqlite3.Connection:
    """A connection that changes nothing, and puts nothing beside a file that has no log."""
    way = "mode=ro" if _has_content(log_of(file)) else "immutable=1"
    return sqlite3.connect(f"{file.resolve().as_uri()}?{way}", uri=True)


def _has_content(log: Path) -> bool:
    return log.exists() and log.stat().st_size > 0


def _told(on_progress: Progress | None) -> Callable[[int, int, int], None] | None:
    """As sqlite3 calls it: with a status first."""
    return on_progress and (lambda _status, left, pages: on_progress(left, pages))


@contextmanager
def _faults(name: str, otherwise: str) -> Generator[None]:
    """What SQLite says, in one line with the cure. name: what is damaged, if that is the fault."""
    try:
        yield
    except (sqlite3.Error, DatabaseError, DamagedDatabase, OSError) as fault:
        text = first_line(getattr(fault, "orig", None) or fault)
        if isinstance(fault, DamagedDatabase) or is_damage(fault):
            raise DamagedDatabase(f"{name} is damaged ({text}): {RESTORE}") from None
        raise CommandError(f"{otherwise}: {text}") from None


def _sync_folder(folder: Path) -> None:
    """A power cut does not undo the renaming."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

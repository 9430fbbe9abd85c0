"""Which file a pooled SQLite connection has open, and whether it is still the one that lies there."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import InvalidatePoolError

from core.damage_mark import refuse_marked
from core.private_file import create_private
from core.sqlite_fault import ForeignFile, MissingFile, NoFile

Inode = tuple[int, int]
"""A file's device and its number there."""

_FILE = "monitor_file"
"""Under this name a pooled connection keeps its OpenFile."""

_seen: set[Path] = set()
"""The files that this process has had open."""


class FileRule(NamedTuple):
    """Which file may be opened.

    creates: makes an empty one where there is none. only: no other one than this, which is served.
    takes_damaged: also one that is marked as damaged, to restore it.
    """

    creates: bool = True
    only: Inode | None = None
    takes_damaged: bool = False


ANY_FILE = FileRule()
"""What lies there, or a new one."""


class OpenFile(NamedTuple):
    """The database's file of one connection.

    file: as the connection was given it. real: without links; its log and its mark lie beside that. log: its
    -wal, which is open as long as the connection is.
    """

    file: Path
    real: Path
    inode: Inode
    log: Inode | None


def note_file(rule: FileRule, record: Any, path: str) -> None:
    """Before the file is opened: what takes its place in between is found to be another one.

    Raises UnusableFile where there is none to open.
    """
    file = Path(path)
    real = file.resolve()
    if not rule.takes_damaged:
        refuse_marked(real)
    if rule.creates:
        create_private(real)
    inode = inode_of(file)
    if inode is None:
        raise MissingFile(file) if real in _seen else NoFile(file)
    _seen.add(real)
    if rule.only not in (None, inode):
        raise ForeignFile(file, "another file")
    record.info[_FILE] = OpenFile(file, real, inode, None)


def note_log(record: Any) -> None:
    """Once the file is open."""
    opened: OpenFile = record.info[_FILE]
    record.info[_FILE] = opened._replace(log=inode_of(log_of(opened.real)))


def refuse_lost(rule: FileRule, record: Any) -> None:
    """Before the connection is used: UnusableFile when its file is gone, or must not be used.

    Have the pool open what lies there now, where a backup has taken the file's place.
    """
    opened: OpenFile = record.info[_FILE]
    if not rule.takes_damaged:
        refuse_marked(opened.real)
    found = inode_of(opened.file)
    if found == opened.inode:
        return
    if found is None:
        raise MissingFile(opened.file)
    set_log_aside(opened)
    if rule.only is not None:
        raise ForeignFile(opened.file, "another file")
    raise InvalidatePoolError(f"{opened.file} was replaced")


def refuse_lost_commit(connection: Connection) -> None:
    """After a commit: UnusableFile when it went into a file that does not lie there any more."""
    opened: OpenFile | None = connection.info.get(_FILE)
    if opened is None:
        return
    found = inode_of(opened.file)
    if found is None:
        raise MissingFile(opened.file)
    if found != opened.inode:
        raise ForeignFile(opened.file, "another file")


def set_log_aside(opened: OpenFile) -> None:
    """A log that belongs to the file of before would be read into the one that took its place.

    It is the old one's for certain: the connection still has it open, so its number is not given again.
    """
    log = log_of(opened.real)
    if opened.log is None or inode_of(log) != opened.log:
        return
    aside = log_aside_of(opened.real)
    with suppress(FileNotFoundError):  # another process has just done it
        log.with_name(f"{log.name.removesuffix('-wal')}-shm").unlink(missing_ok=True)
        log.rename(aside)
        if inode_of(aside) != opened.log:
            aside.rename(log)


def log_of(file: Path) -> Path:
    """SQLite's log of this file, which is no link."""
    return file.with_name(f"{file.name}-wal")


def log_aside_of(file: Path) -> Path:
    """Where the log is put of a file that was replaced or deleted."""
    return log_of(file).with_name(f"{log_of(file).name}.replaced")


def inode_of(file: Path) -> Inode | None:
    """Which file lies there; None when there is none. Measured: 20 µs, on a busy machine."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino

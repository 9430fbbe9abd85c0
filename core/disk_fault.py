"""What keeps the database from being written, in plain words with the cure: one home for these texts."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from core.sqlite_fault import UnusableFile, sqlite_code

DATABASE_FILE = "database_file"
"""Under this name a fault of SQLite's carries the path of its file: `core/database.py` notes it."""

_NO_ROOM = 65_536
"""Bytes: SQLite says "disk I/O error" when its shared memory (32 KiB at a time) does not fit the disk (own)."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_SERVER_FULL = "53100"
_SERVER_READ_ONLY = "25006"
_ENDS = ("", "-wal", "-shm")
"""Of the names of the files that are written: the database, its log, its shared memory."""


class DiskFault(NamedTuple):
    """short: what is wrong, without a path, for everybody. line: with the path and the cure, for the owner."""

    short: str
    line: str


def find_disk_fault(fault: BaseException, file: Path | None = None) -> DiskFault | None:
    """What is wrong with the place of the database, or None: the fault has another cause.

    file: of the SQLite database, where the fault itself does not carry it.
    """
    if isinstance(fault, UnusableFile):
        return DiskFault("its file cannot be used", f"{fault}.")
    cause = getattr(fault, "orig", None) or fault
    named = file or _file_of(cause)
    found = _without_link(named) if named else None
    if getattr(cause, "sqlstate", None) == _SERVER_FULL:
        return _of_server("its disk is full", "Its disk is full: make room there")
    if getattr(cause, "sqlstate", None) == _SERVER_READ_ONLY:
        return _of_server(
            "it is read-only",
            "It is read-only: name the primary server in MONITOR_DATABASE_URL, not a standby",
        )
    if isinstance(cause, OSError):
        return _of_system(cause, found) if found else None
    return _of_sqlite(cause, found) if found else None


def find_unwritable(file: Path) -> DiskFault | None:
    """Why this process may not write the SQLite database, before it tries; None: nothing keeps it from that."""
    folder = file.absolute().parent
    if _is_mounted_read_only(folder):
        return DiskFault(
            "its disk is mounted read-only",
            f"The disk of {folder} is mounted read-only: see the system's log for why, and mount it "
            "writable (mount -o remount,rw).",
        )
    for each in (folder, *(file.with_name(f"{file.name}{end}") for end in _ENDS)):
        if each.exists() and not os.access(each, os.W_OK | (os.X_OK if each.is_dir() else 0)):
            return DiskFault("its files may not be written", _permission(each))
    return None


def _without_link(file: Path) -> Path:
    """SQLite writes to the file that a link leads to, and beside that: there is the disk, and there are the rights."""
    return file.resolve() if file.is_symlink() else file


def _of_server(short: str, line: str) -> DiskFault:
    return DiskFault(short, f"The database's server takes no writes. {line}.")


def _of_system(fault: OSError, file: Path) -> DiskFault | None:
    if fault.errno in _FULL:
        return _full(file)
    return find_unwritable(_existing(file)) if fault.errno in _REFUSED else None


def _of_sqlite(fault: BaseException, file: Path) -> DiskFault | None:
    code = sqlite_code(fault)
    if code == sqlite3.SQLITE_FULL:
        return _full(file)
    if code == sqlite3.SQLITE_BUSY:
        return DiskFault(
            "another program keeps it locked",
            f"Another program keeps {file} locked: end it (a tool that has the database open, a copy "
            "that hangs); then it goes on by itself.",
        )
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _has_no_room(file.parent):
        return _full(file)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR):
        found = find_unwritable(file)
        if found or code != sqlite3.SQLITE_IOERR:
            return found
        return DiskFault(
            "its disk fails",
            f"The disk of {file.parent} fails ({fault}): see the system's log (dmesg), and move the "
            "database to a sound one.",
        )
    return None


def _full(file: Path) -> DiskFault:
    folder = file.absolute().parent
    return DiskFault(
        "its disk is full",
        f"{folder} is full: make room there, or move the database to a larger disk.",
    )


def _permission(path: Path) -> str:
    """The line for a file or a folder that this user may not write."""
    user, found = os.geteuid(), path.stat()
    said = f"{path} may not be written by this user (uid {user})"
    needed = "rwx" if stat.S_ISDIR(found.st_mode) else "rw"
    if found.st_uid != user and not _is_for_all(found.st_mode):
        return f"{said}: chown {user} {path}"
    if found.st_uid == user and not found.st_mode & stat.S_IWUSR:
        return f"{said}: chmod u+{needed} {path}"
    return f"{path} is protected from being written: take that off (lsattr shows it, chattr -i)"


def _is_for_all(mode: int) -> bool:
    return bool(mode & stat.S_IWOTH)


def _existing(file: Path) -> Path:
    """The file itself, or a name in the lowest folder above it that is there."""
    while not file.parent.exists() and file != file.parent:
        file = file.parent
    return file


def _is_mounted_read_only(folder: Path) -> bool:
    with suppress(OSError):
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    return False


def _has_no_room(folder: Path) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(folder).free < _NO_ROOM
    return False


def _file_of(fault: BaseException) -> Path | None:
    named = getattr(fault, DATABASE_FILE, None) or getattr(fault, "filename", None)
    return Path(named) if isinstance(named, str | Path) else None

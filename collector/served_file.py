"""The SQLite file that a collector serves: taken before, given back when it cannot be served any longer."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from core.command_error import CommandError, first_line
from core.damage_mark import DamageMark, clear_mark, mark_of, read_mark, set_mark, state_of
from core.file_check import find_damage, find_foreign
from core.open_file import Inode, OpenFile, inode_of, log_aside_of, log_of, set_log_aside
from core.private_file import create_private, create_private_folder
from core.serving_lock import LockHeld, ServingLock, is_lock_free, refuse_second_name
from core.sqlite_copy import rescue_database
from core.sqlite_fault import (
    DamagedFile,
    ForeignFile,
    MissingFile,
    UnusableFile,
    rescued_at,
    rescued_copies,
)

LARGE = 100_000_000
"""Bytes of a file from which it is not checked while everybody waits for it: some 0.5 s, from a slow disk 5."""

_DESCRIPTORS = Path("/proc/self/fd")
_log = logging.getLogger("collector.file")


class BeingChecked(UnusableFile):
    """All of a large file has to be read before it may be served."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"The database's file is being checked: {file}. It is served once it is found sound"
        )


class _Keeper:
    """The served file and its log, open. log: None when there was none."""

    def __init__(self, file: Path) -> None:
        self.file = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        self.log = None
        with suppress(FileNotFoundError):
            self.log = os.open(log_of(file), os.O_RDONLY | os.O_CLOEXEC)
        log = None if self.log is None else _inode(self.log)
        self.opened = OpenFile(file, file, _inode(self.file), log)

    def close(self) -> None:
        os.close(self.file)
        if self.log is not None:
            os.close(self.log)


class ServedFile:
    """Taken by one collector at a time, which knows what it has served before: nothing else takes its place unseen.

    inode: of the file that is served. is_unchecked: it is large, and was left by a process that was killed: it
    is to be checked while it is served.
    """

    def __init__(self, file: Path) -> None:
        self.file = file.resolve()
        self.inode: Inode | None = None
        self.is_unchecked = False
        self._lock: ServingLock | None = None
        self._keeper: _Keeper | None = None
        self._refused: tuple[UnusableFile | LockHeld, tuple[str, bool]] | None = None
        self._doubted: set[Inode] = set()
        self._not_saved = ""

    def take(self, *, may_take_long: bool) -> None:
        """Take the lock, and see that the file is sound. Raises LockHeld, SecondName and UnusableFile.

        What was refused is looked at again only once it has changed. A large file is read only if that may
        take long, else BeingChecked is raised.
        """
        if self._refused and self._is_as_refused() and not self._rescue():
            raise self._refused[0]
        create_private_folder(self.file.parent)
        lock = None
        try:
            lock = ServingLock(self.file)
            self._check(lock, may_take_long)
        except BaseException as fault:
            self._refused = None
            if isinstance(fault, UnusableFile | LockHeld) and not isinstance(fault, BeingChecked):
                self._refused = fault, self._signs()
            if lock:
                lock.give_back()
            raise
        self._lock, self._refused = lock, None

    def hold(self) -> None:
        """Keep the file and its log open while it is served: so what is deleted can be saved.

        Not by a connection: SQLite's locks do not survive the forks of this process.
        """
        self._close_keeper()
        with suppress(OSError):  # gone already: the next look says so
            keeper = _Keeper(self.file)
            if keeper.opened.inode == self.inode:
                self._keeper = keeper
            else:
                keeper.close()

    def look(self) -> None:
        """See that the file is still there, the same, ours alone and not marked. Raises LockHeld and UnusableFile."""
        if self._lock:
            self._lock.keep()
        if mark_of(self.file).exists():
            raise self._damaged()
        found = inode_of(self.file)
        if found is None:
            raise MissingFile(self.file)
        if found != self.inode:
            raise ForeignFile(self.file, "another file")

    @property
    def is_usable(self) -> bool:
        """Whether a look finds nothing wrong."""
        try:
            self.look()
        except (LockHeld, UnusableFile):
            return False
        return True

    def note_sound(self) -> None:
        """It was checked while it was served."""
        self.is_unchecked = False
        if self._lock:
            self._lock.was_left = False

    def let_go(self) -> None:
        """Give the file back: who restores a backup takes it. One that was deleted is kept open, to be saved."""
        found = inode_of(self.file)
        if found == self.inode:
            self._close_keeper()
        elif self._keeper and (found or self._is_deleted()):
            set_log_aside(self._keeper.opened)
        if self._lock:
            self._lock.give_back()
            self._lock = None

    def let_go_in_child(self, keeps_lock: bool) -> None:
        """Close what a forked process has from its parent, before it opens the file itself: to close it later would
        take its locks away. The lock is held until the writer has ended, too."""
        self._close_keeper()
        if self._lock and not keeps_lock:
            self._lock.close()

    def end(self) -> None:
        """Give all back; what a deleted file held is saved first."""
        self.let_go()
        if inode_of(self.file) is None:
            self._rescue()
        self._close_keeper()

    def _check(self, lock: ServingLock, may_take_long: bool) -> None:
        refuse_second_name(self.file)
        found, mark = inode_of(self.file), read_mark(self.file)
        if found and not self.file.is_file():
            self._rescue()
            raise ForeignFile(self.file, "a folder" if self.file.is_dir() else "no file")
        if found is None or not self.file.stat().st_size:
            self._take_new(found, mark)
            return
        if mark and mark.state == state_of(self.file):
            raise self._damaged()
        must_be_sound = bool(mark) or self.inode not in (None, found)
        is_large = self.file.stat().st_size >= LARGE
        if must_be_sound and is_large and not may_take_long:
            raise BeingChecked(self.file)
        self.is_unchecked = lock.was_left and is_large and not must_be_sound
        if must_be_sound or (lock.was_left and not is_large):
            self._refuse_damaged(found, mark)
            lock.was_left = False
        if self.inode and (foreign := find_foreign(self.file)):
            self._rescue()
            raise ForeignFile(self.file, foreign)
        clear_mark(self.file)
        self._close_keeper()
        self.inode = found

    def _take_new(self, found: Inode | None, mark: DamageMark | None) -> None:
        """An empty file is where a new database begins, but never in the place of one that was there."""
        if self.inode or mark or _was_served(self.file):
            self._rescue()
            raise ForeignFile(self.file, "empty") if found else MissingFile(self.file)
        create_private(self.file)
        self.inode = inode_of(self.file)

    def _refuse_damaged(self, inode: Inode, mark: DamageMark | None) -> None:
        """What SQLite calls damaged again after the whole file was found sound stays damaged."""
        try:
            found = find_damage(self.file)
        except sqlite3.Error as fault:
            raise UnusableFile(f"{self.file} cannot be read: {first_line(fault)}") from None
        if not found and mark and not mark.state:
            found = mark.found if inode in self._doubted else ""
            self._doubted.add(inode)
        if found:
            self._rescue()
            set_mark(self.file, found, state_of(self.file))
            raise self._damaged()

    def _damaged(self) -> DamagedFile:
        mark = read_mark(self.file)
        return DamagedFile(self.file, mark.found if mark else "")

    def _is_as_refused(self) -> bool:
        assert self._refused
        fault, signs = self._refused
        if not is_lock_free(self.file):
            return True
        return signs == self._signs() and not isinstance(fault, LockHeld)

    def _signs(self) -> tuple[str, bool]:
        return state_of(self.file), mark_of(self.file).exists()

    def _is_deleted(self) -> bool:
        """Whether no folder has the served file any more. Where that cannot be seen, it counts as deleted."""
        with suppress(OSError):
            for each in _DESCRIPTORS.iterdir():
                with suppress(OSError):
                    found = each.stat()
                    if (found.st_dev, found.st_ino) == self.inode:
                        return found.st_nlink == 0
        return True

    def _rescue(self) -> bool:
        """Save what a deleted file held, beside its place; one that was moved is put back by its owner.

        Returns whether it was saved now. While there is no room it is tried again.
        """
        is_there = inode_of(self.file) == self.inode
        if not self._keeper or is_there or not self._is_deleted():
            return False
        to = rescued_at(self.file, f"{datetime.now(UTC):%Y%m%d-%H%M%S}")
        try:
            rescue_database(self._keeper.file, self._keeper.log, to)
        except CommandError as fault:
            if str(fault) != self._not_saved:
                _log.error("deleted_database_not_saved fault='%s'", fault)
            self._not_saved = str(fault)
            return False
        _log.warning("deleted_database_saved file=%s", to)
        self._close_keeper()
        return True

    def _close_keeper(self) -> None:
        if self._keeper:
            self._keeper.close()
            self._keeper = None


def _inode(opened: int) -> Inode:
    found = os.fstat(opened)
    return found.st_dev, found.st_ino


def _was_served(file: Path) -> bool:
    """Whether a database has left something beside: its log, or what was saved or put aside when it was lost.

    So it is known over a restart, too.
    """
    log = log_of(file)
    has_log = log.exists() and log.stat().st_size > 0
    return has_log or log_aside_of(file).exists() or bool(rescued_copies(file))

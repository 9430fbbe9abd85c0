"""The copies that were made of the database: when, why, and where they were written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select
from sqlmodel import col

from core.tables import Backup

GONE_FORGOTTEN_AFTER = timedelta(days=400)
"""A copy of the owner's that is no longer where it was written may have been moved; so long after it was made it
is forgotten all the same (own), or a copy an hour under names of their own would be a list without end."""

_table = Backup.metadata.tables["backup"]


class BackupKind(StrEnum):
    """Why a copy was made."""

    BACKUP = "backup"
    """By the owner, to keep."""
    UPGRADE = "upgrade"
    """By the collector, before a new version changed the tables."""
    RESTORE = "restore"
    """Of what there was, before a backup took its place."""
    EXPORT = "export"
    """Of some of it, by the owner, for another program."""


_OF_THE_OWNER = (BackupKind.BACKUP, BackupKind.EXPORT)
"""May be moved to wherever the owner keeps them."""


def record_backup(db: Connection, kind: BackupKind, file: Path, size: int, now: datetime) -> None:
    """Record a copy. It takes the place of one that was written to the same file before.

    size: 0 while it is written. Whoever is forgotten meanwhile may be in it. now: when it was whole, so that
    nobody in it began later.
    """
    db.execute(delete(Backup).where(col(Backup.file) == str(file)))
    db.execute(insert(Backup).values(made_at=now, kind=kind, file=str(file), size=size))
    _forget_gone(db, now - GONE_FORGOTTEN_AFTER)


def list_backups(db: Connection) -> Sequence[Backup]:
    """Every copy that is known of, of every kind, the newest first.

    Its file may have been moved or deleted since by whoever keeps it.
    """
    statement = select(_table).order_by(_table.c.made_at.desc(), _table.c.id.desc())
    return [Backup.of(row) for row in db.execute(statement).mappings()]


def latest_backup(db: Connection) -> Backup | None:
    """The newest copy that the owner has made to keep; None: never."""
    made = (each for each in list_backups(db) if each.kind == BackupKind.BACKUP and each.size)
    return next(made, None)


def forget_missing(db: Connection) -> None:
    """Forget the copies beside the database that were deleted. The owner's may have been moved only."""
    forget_unfinished(db)
    for each in list_backups(db):
        if each.kind not in _OF_THE_OWNER and not Path(each.file).exists():
            db.execute(delete(Backup).where(col(Backup.id) == each.id))


def _forget_gone(db: Connection, before: datetime) -> None:
    """Forget the copies made before the moment whose files are not where they were written, but the owner's last."""
    latest = latest_backup(db)
    for each in list_backups(db):
        if each != latest and each.made_at < before and not Path(each.file).exists():
            db.execute(delete(Backup).where(col(Backup.id) == each.id))


def forget_unfinished(db: Connection) -> None:
    """Forget the copies that never became whole, and are gone. A copy also knows of itself as such a one."""
    for each in list_backups(db):
        if not each.size and not Path(each.file).exists():
            db.execute(delete(Backup).where(col(Backup.id) == each.id))

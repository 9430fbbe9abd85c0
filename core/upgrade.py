"""An upgrade of the tables: of a SQLite file that has some, a copy is made before."""

from __future__ import annotations

import logging
from datetime import datetime
from glob import escape
from pathlib import Path

from sqlalchemy import Engine

from core.backups import BackupKind, forget_missing, record_backup
from core.command_error import CommandError, first_line
from core.database import DATABASE_ERRORS, empty_log, reading, sqlite_file, writing
from core.file_rewrite import file_size, vacuum
from core.freed_space import can_give_back, give_back
from core.part_file import PART, remove_unfinished
from core.schema import (
    head_revision,
    is_empty,
    known_revision,
    touch_schema,
    upgrade_schema,
)
from core.sqlite_copy import copy_database, refuse_full_disk

KEPT_COPIES = 3
"""Copies from before an upgrade that are kept beside the database."""

PAGES_A_BITE = 2_048
"""Pages that are given back to the disk at once: at most 8 MB of the log."""

_HOW_ON_POSTGRES = "pg_dump --format=custom before you start a new version"
_log = logging.getLogger("core.upgrade")


def upgrade_database(engine: Engine, now: datetime) -> None:
    """Create the tables, or bring them to this version; then the database has taken a write.

    Raises CommandError when there is no room for the copy: then nothing is changed. What the database
    raises when it may not be written, it raises here rather than with the first visitor.
    """
    _upgrade(engine, now)
    touch_schema(engine)
    if sqlite_file(str(engine.url)):
        # What one start after another has left in it, before the first checkpoint is due.
        empty_log(engine)


def _upgrade(engine: Engine, now: datetime) -> None:
    revision = None if is_empty(engine) else known_revision(engine)
    if revision in (None, head_revision()):
        upgrade_schema(engine)
        return
    file = sqlite_file(str(engine.url))
    if file is None:
        upgrade_schema(engine)
        _log.info("upgraded_without_copy from=%s how='%s'", revision, _HOW_ON_POSTGRES)
        return
    copy = _copy(engine, file.resolve(), now)
    # Before the upgrade: one that is killed each time would fill the disk with copies.
    _drop_old_copies(file.resolve())
    upgrade_schema(engine)
    _let_shrink(engine, file.resolve())
    with writing(engine) as db:
        record_backup(db, BackupKind.UPGRADE, copy, copy.stat().st_size, now)
        forget_missing(db)


def _let_shrink(engine: Engine, file: Path) -> None:
    """Give back to the disk what the old tables took: a dropped table's text stays in its pages until then.

    The file of an earlier version is rewritten for it. It is in the log, and in a temporary file, as a whole. Where
    that has no room the file stays as it is.
    """
    if can_give_back(engine):
        while give_back(engine, PAGES_A_BITE):
            empty_log(engine)
        return
    with reading(engine) as db:
        size = file_size(db)
    try:
        refuse_full_disk(file.parent, 2 * size)
        _log.info("file_rewritten_so_that_it_can_shrink file=%s bytes=%d", file, size)
        vacuum(engine)
    except (CommandError, *DATABASE_ERRORS) as fault:
        _log.warning("file_cannot_shrink file=%s fault='%s'", file, first_line(fault))


def _copy(engine: Engine, file: Path, now: datetime) -> Path:
    """It lies beside the database, where its owner finds it when the new version does not do."""
    remove_unfinished(file.parent.glob(f"{escape(file.name)}.before-*{PART}"))
    copy = file.with_name(f"{file.name}.before-{head_revision()}-{now:%Y%m%d-%H%M%S}")
    size = copy_database(engine, copy)
    _log.info("copied_before_upgrade file=%s bytes=%d", copy, size)
    return copy


def _drop_old_copies(file: Path) -> None:
    copies = file.parent.glob(f"{escape(file.name)}.before-[0-9]*")
    for copy in sorted(copies, key=_date_in_name)[:-KEPT_COPIES]:
        copy.unlink()
        _log.info("old_copy_deleted file=%s", copy)


def _date_in_name(copy: Path) -> list[str]:
    return copy.name.rsplit("-", 2)[1:]

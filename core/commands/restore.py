"""python -m core restore: a backup in the place of the database."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from core.backups import BackupKind, forget_unfinished, list_backups, record_backup
from core.command_error import CommandError, exit_in_one_line
from core.commands.copying import file_of, shown_progress
from core.damage_mark import clear_mark, read_mark
from core.database import open_database, reading, writing
from core.moment import from_milliseconds, to_milliseconds, utc_now
from core.open_file import FileRule, log_of
from core.schema import SchemaError, check_schema, upgrade_schema
from core.serving_lock import LockHeld, serving_lock
from core.settings import SettingsError, settings
from core.site_changes import note_changes
from core.sites import list_sites
from core.sqlite_copy import (
    DamagedDatabase,
    check_backup,
    copy_database,
    overwrite_database,
    set_aside,
    size_label,
)
from core.tables import Backup
from core.visits.visit_edits import note_all_edited

if TYPE_CHECKING:
    from sqlalchemy import Engine

_ON_POSTGRES = """\
Nothing was restored: the database is on Postgres, which has a command of its own. Stop the collector first.
It asks for the password, or reads it from ~/.pgpass:
  pg_restore --clean --if-exists --no-owner --single-transaction --dbname={url} FILE"""

_NEXT = "Start the collector again, unless it runs: then it goes on by itself."


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Restore without asking.")
def restore(file: Path, yes: bool) -> None:
    """Put the backup FILE in the place of the database, and keep what was there as a copy.

    The collector must not serve meanwhile: stop it, unless it says itself that the database cannot be used. A
    dashboard may run, and shows the restored data.
    """
    with exit_in_one_line(SettingsError, SchemaError):
        url = settings().database_url
        database = file_of(url, _ON_POSTGRES).resolve()
        file = file.resolve()
        if file == database:
            raise CommandError(f"{file} is the database itself: name the file of a backup")
        check_backup(file)
        with _without_collector(url, database):
            if database.exists() and not yes:
                _ask(file, database)
            _restore(url, file, database)


@contextmanager
def _without_collector(url: str, database: Path) -> Generator[None]:
    try:
        with serving_lock(url):
            yield
    except LockHeld as held:
        raise CommandError(
            f"A collector ({held.owner}) serves {database}: stop it first, then restore"
        ) from None


def _ask(file: Path, database: Path) -> None:
    click.echo(f"This replaces {database} by {file} of {_written_at(file):%d %b %Y, %H:%M} UTC.")
    click.echo("What has happened since is gone then, except in a copy that is kept beside it.")
    click.confirm("Restore?", abort=True)


def _restore(url: str, file: Path, database: Path) -> None:
    began, now = monotonic(), utc_now()
    engine = open_database(url, FileRule(takes_damaged=True))
    kept = _keep(engine, database, now) if database.exists() else None
    if kept is None:
        _set_log_aside(database, now)
    known = [_record(BackupKind.BACKUP, file, _written_at(file)), *_known_backups(engine)]
    with shown_progress("Restoring") as tell:
        overwrite_database(engine, file, tell)
    upgrade_schema(engine)
    with writing(engine) as db:
        for each in [*known, *([_record(BackupKind.RESTORE, kept, now)] if kept else [])]:
            record_backup(db, BackupKind(each.kind), Path(each.file), each.size, each.made_at)
        forget_unfinished(db)
        sites = [site.id for site in list_sites(db) if site.id]
        note_all_edited(db, sites)
        note_changes(db, sites, to_milliseconds(now))  # open pages draw themselves anew
    engine.dispose()
    clear_mark(database)
    size = size_label(file.stat().st_size)
    click.echo(f"Restored {size} in {monotonic() - began:.1f} seconds. {_NEXT}")
    if kept:
        click.echo(f"What was there before is kept as {kept}")
        click.echo("Delete that copy once all is well: it has what visitors did and said.")


def _keep(engine: Engine, database: Path, now: datetime) -> Path:
    """The copy of what was there; a database that is too damaged for one is only moved."""
    kept = _name_kept(database, now)
    if read_mark(database):
        set_aside(database, kept)
        return kept
    try:
        with shown_progress("Keeping what is there") as tell:
            copy_database(engine, kept, tell)
    except DamagedDatabase:
        engine.dispose()
        set_aside(database, kept)
    return kept


def _set_log_aside(database: Path, now: datetime) -> None:
    """The log of a file that is gone: it would be read into the one that takes its place."""
    if log_of(database).exists():
        set_aside(database, _name_kept(database, now))


def _name_kept(database: Path, now: datetime) -> Path:
    return database.with_name(f"{database.name}.before-restore-{now:%Y%m%d-%H%M%S}")


def _known_backups(engine: Engine) -> Sequence[Backup]:
    """Copies that the restored database cannot know of: whoever asks for deletion is told of them too."""
    try:
        check_schema(engine)
    except SchemaError:
        return []
    with reading(engine) as db:
        return list_backups(db)


def _record(kind: BackupKind, file: Path, made_at: datetime) -> Backup:
    return Backup(kind=kind, file=str(file), size=file.stat().st_size, made_at=made_at)


def _written_at(file: Path) -> datetime:
    return from_milliseconds(int(file.stat().st_mtime * 1000))

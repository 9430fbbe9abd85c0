"""python -m core backup: a copy of the database, to keep."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from core.backups import BackupKind, forget_missing, record_backup
from core.command_error import exit_in_one_line
from core.commands.copying import file_of, refuse_target, shown_progress
from core.commands.owner_database import refuse_missing
from core.database import open_database, writing
from core.moment import utc_now
from core.part_file import PART, remove_unfinished
from core.schema import SchemaError, head_revision, known_revision
from core.settings import SettingsError, settings
from core.sqlite_copy import copy_database, size_label

if TYPE_CHECKING:
    from sqlalchemy import Engine

_NAME = "visitor-monitor-{}.db"
_ON_POSTGRES = """\
Nothing was copied: the database is on Postgres, which has a command of its own.
It asks for the password, or reads it from ~/.pgpass:
  pg_dump --format=custom --file=FILE {url}"""


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite FILE.")
def backup(file: Path, force: bool) -> None:
    """Copy the database to FILE while everything runs, and check the copy.

    If FILE is a folder, the copy is a new file in it, named by the moment.
    """
    with exit_in_one_line(SettingsError, SchemaError):
        url = settings().database_url
        database = file_of(url, _ON_POSTGRES)
        refuse_missing(url)
        now = utc_now()
        target = _target(file.resolve(), now)
        refuse_target(target, database, force)
        engine = open_database(url)
        _back_up(engine, target, now)
        engine.dispose()


def _target(file: Path, now: datetime) -> Path:
    return file / _NAME.format(f"{now:%Y%m%d-%H%M%S}") if file.is_dir() else file


def _back_up(engine: Engine, target: Path, now: datetime) -> None:
    revision, began = known_revision(engine), monotonic()
    remove_unfinished(target.parent.glob(f"{_NAME.format('*')}{PART}"))
    is_current = revision == head_revision()  # an older one may have no table for it
    if is_current:
        with writing(engine) as db:
            record_backup(db, BackupKind.BACKUP, target.with_name(f"{target.name}{PART}"), 0, now)
    try:
        with shown_progress("Copying") as tell:
            size = copy_database(engine, target, tell)
        if is_current:
            with writing(engine) as db:
                record_backup(db, BackupKind.BACKUP, target, size, utc_now())
    finally:
        if is_current:
            with writing(engine) as db:
                forget_missing(db)
    click.echo(f"Copied and checked {size_label(size)} in {monotonic() - began:.1f} seconds.")
    click.echo(f"The backup is {target}")
    click.echo("It has all that visitors did and said: keep it secret, and delete it in time.")
    click.echo(f"What puts it back: python -m core restore {shlex.quote(str(target))}")

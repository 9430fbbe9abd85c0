"""python -m core move: all that a SQLite database holds, into Postgres."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from core.command_error import CommandError, exit_in_one_line, first_line
from core.commands.move_progress import move_progress
from core.commands.owner_database import refuse_missing
from core.database import empty_log, is_sqlite, open_database, sqlite_file, writing
from core.database_move import (
    begin_move,
    compare,
    copy_rows,
    count_arrived,
    count_rows,
    end_move,
    forget_move,
    origin_of,
)
from core.schema import SchemaError, check_schema, is_empty, upgrade_schema
from core.serving_lock import LockHeld, SecondName, serving_lock
from core.settings import SettingsError, settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

_NOT_SQLITE = (
    "The database is on Postgres already (MONITOR_DATABASE_URL): this moves a SQLite file there"
)
_NO_TARGET = (
    "--to must be the address of a Postgres database: postgresql+psycopg://USER:PASSWORD@HOST/NAME"
)


@click.command()
@click.option(
    "--to", "target_url", required=True, metavar="URL", help="An empty Postgres database."
)
@click.option(
    "--again", is_flag=True, help="Empty a target in which a move was begun, and begin anew."
)
def move(target_url: str, again: bool) -> None:
    """Copy the SQLite database into Postgres, and compare the two.

    The collector must be stopped meanwhile; the dashboard cannot write. One that was interrupted goes on where it was.
    The file stays as it is.
    """
    with exit_in_one_line(SettingsError, SchemaError, SecondName):
        url = settings().database_url
        file = sqlite_file(url)
        if file is None:
            raise CommandError(_NOT_SQLITE)
        refuse_missing(url)
        target = _open_target(target_url)
        with _without_collector(url, file):
            _move(open_database(url), target, file.resolve(), again)
        target.dispose()


def _open_target(url: str) -> Engine:
    try:
        if is_sqlite(url) or make_url(url).get_backend_name() != "postgresql":
            raise CommandError(_NO_TARGET)
    except ArgumentError:
        raise CommandError(_NO_TARGET) from None
    return open_database(url)


@contextmanager
def _without_collector(url: str, file: Path) -> Generator[None]:
    try:
        with serving_lock(url):
            yield
    except LockHeld as held:
        raise CommandError(
            f"A collector ({held.owner}) serves {file}: stop it first, then move"
        ) from None


def _move(source: Engine, target: Engine, file: Path, again: bool) -> None:
    began = monotonic()
    check_schema(source)
    empty_log(source, within=5)
    with _reached():
        if is_empty(target):
            upgrade_schema(target)
        check_schema(target)
        if again:
            forget_move(target)
    # Nobody writes to the file until the command ends: what is written then would be missing in Postgres.
    with writing(source) as db, _reached():
        rows = count_rows(db)
        goes_on = begin_move(target, origin_of(file))
        done = count_arrived(target) if goes_on else 0
        click.echo(
            f"Moving {rows:,} rows"
            + (f", from where it was interrupted: {done:,} are there." if goes_on else ".")
        )
        with move_progress(rows, done) as tell:
            copy_rows(db, target, tell)
        click.echo("Comparing both.")
        if differences := compare(db, target):
            raise CommandError(
                "What arrived is not what was sent; the file is as it was. "
                f"Begin anew with --again. {'; '.join(differences)}"
            )
    with _reached():
        end_move(target)
    source.dispose()
    click.echo(
        f"Moved {rows:,} rows in {monotonic() - began:.1f} seconds: counts and sums are the same."
    )
    click.echo(
        "Set MONITOR_DATABASE_URL to the new address, then start the collector and the dashboard."
    )
    click.echo(f"{file} was not changed: delete it, and its backups, once all is well.")


@contextmanager
def _reached() -> Generator[None]:
    """What the server says, in one line."""
    try:
        yield
    except SQLAlchemyError as fault:
        raise CommandError(
            f"The new database does not take it: {first_line(fault)}. The file is as it was; "
            "once the server does, the same command goes on"
        ) from None

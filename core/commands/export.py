"""python -m core export: a table of one site, as a file for other programs."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO

import click

from core.backups import BackupKind, forget_missing, record_backup
from core.command_error import CommandError
from core.commands.copying import refuse_target, shown_progress
from core.commands.owner_database import owner_database
from core.database import reading, sqlite_file, writing
from core.exports.tables import Export, ExportTable
from core.moment import utc_now
from core.part_file import PART, held_part
from core.sites import existing_site
from core.visits.calendar import Period, day_period, local_day

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.exports.csv_file import CsvFile
    from core.exports.parquet_file import ParquetFile

_DAY = click.DateTime(["%Y-%m-%d"])
_CSV, _PARQUET = "csv", "parquet"


@click.command()
@click.option("--site", "key", required=True, help="The site's short name.")
@click.option("--from", "first", type=_DAY, required=True, help="The first day, as 2026-01-01.")
@click.option("--to", "last", type=_DAY, help="The last day; today without it.")
@click.option(
    "--table",
    type=click.Choice([each.value for each in ExportTable]),
    default=ExportTable.VISITS.value,
    show_default=True,
)
@click.option(
    "--format", "kind", type=click.Choice([_CSV, _PARQUET]), default=_CSV, show_default=True
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="Write it there, not to the terminal."
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--with-messages", is_flag=True, help="Also what visitors and agents wrote.")
def export(
    key: str,
    first: datetime,
    last: datetime | None,
    table: str,
    kind: str,
    output: Path | None,
    force: bool,
    with_messages: bool,
) -> None:
    """Write a table of a site as CSV or Parquet, of days in the site's time zone.

    Of visits and what belongs to them, those that began in these days; of messages, those sent in them. Moments in the file are UTC.
    """
    if output is None and kind == _PARQUET:
        raise click.UsageError("Parquet is no text: name a file with --output.")
    began = monotonic()
    with owner_database() as (chosen, engine):
        with reading(engine) as db:
            site = existing_site(db, key)
        until = last.date() if last else local_day(site.time_zone, utc_now())
        period = _period(first.date(), until, site.time_zone)
        wanted = Export(ExportTable(table), site.id or 0, period, with_messages)
        if output is None:
            rows = _write(wanted, engine, kind, sys.stdout.buffer)
            written = "to the terminal"
        else:
            target = output.resolve()
            refuse_target(target, sqlite_file(chosen.database_url), force)
            with _whole_file(engine, target) as file:
                rows = _write(wanted, engine, kind, file)
            written = f"to {output}, which only you can read,"
        click.echo(
            f"Wrote {rows:,} rows of {table} {written} in {monotonic() - began:.1f} seconds:"
            f" {first:%Y-%m-%d} to {until} in {site.time_zone}.",
            err=True,
        )


def _period(first: date, last: date, time_zone: str) -> Period:
    if last < first:
        raise click.UsageError(f"--to is {last}, which is before --from, {first}.")
    try:
        return Period(day_period(first, time_zone).from_at, day_period(last, time_zone).until_at)
    except OverflowError:
        raise click.UsageError("Name days of the years 2 to 9998.") from None


def _write(wanted: Export, engine: Engine, kind: str, file: BinaryIO) -> int:
    """How many rows were written."""
    with reading(engine) as db:
        there = wanted.count(db)
    rows, passed = 0, 0
    with _writer(wanted, kind, file) as writer, shown_progress("Exporting") as tell:
        for bite in wanted.bites(engine):
            writer.write(bite.rows)
            rows, passed = rows + len(bite.rows), passed + bite.passed
            tell(max(there - passed, 0), max(there, passed, 1))
    return rows


@contextmanager
def _writer(wanted: Export, kind: str, file: BinaryIO) -> Generator[CsvFile | ParquetFile]:
    """Only what writes this kind is loaded: pyarrow takes half a second."""
    if kind == _PARQUET:
        from core.exports.parquet_file import ParquetFile

        writer = ParquetFile(file, wanted.columns)
        yield writer
        writer.end()
        return
    from io import TextIOWrapper

    from core.exports.csv_file import CsvFile

    text = TextIOWrapper(file, encoding="utf-8", newline="")
    yield CsvFile(text, wanted.columns)
    text.flush()
    text.detach()


@contextmanager
def _whole_file(engine: Engine, target: Path) -> Generator[BinaryIO]:
    """A private file that has its name once it is whole. Who is forgotten later is told of it, as of a backup."""
    with writing(engine) as db:
        unfinished = target.with_name(f"{target.name}{PART}")
        record_backup(db, BackupKind.EXPORT, unfinished, 0, utc_now())
    try:
        with held_part(target) as part:
            with part.open("wb") as file:
                yield file
            size = part.stat().st_size
            part.replace(target)
        with writing(engine) as db:
            record_backup(db, BackupKind.EXPORT, target, size, utc_now())
    except OSError as fault:
        raise CommandError(f"{target} cannot be written: {fault.strerror}") from None
    finally:
        with writing(engine) as db:
            forget_missing(db)

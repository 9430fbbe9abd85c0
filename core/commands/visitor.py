"""python -m core visitor: what is stored of one visitor, for who asks to see it or to have it deleted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

import click
from sqlalchemy.exc import DatabaseError

from core.chat.retention import delete_withdrawn
from core.command_error import CommandError, first_line
from core.commands.owner_database import owner_database
from core.commands.rows import echo_rows
from core.database import empty_log, is_sqlite, reading, writing
from core.file_rewrite import asked_rewrite, file_size, rewrite_file, rewrites_itself
from core.moment import utc_now
from core.private_file import open_private
from core.serving_lock import LockHeld, serving_lock
from core.sites import existing_site
from core.visitor_data import (
    AT_ONCE,
    StoredCounts,
    copies_since,
    count_stored,
    export_visits,
    forget_visits_of,
    visits_of_person,
    visits_with,
)
from core.visits.labels import visitor_label, visitor_name

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from core.tables import Backup, Site, Visit

CLEAN_WITHIN = timedelta(minutes=1)
"""From the deletion until the running collector has rewritten SQLite's file and emptied its log."""

_EMPTY_LOG_TRIES = 20
_LISTENERS_HEAR_WITHIN = 2.0
"""Seconds in which open dashboards have read that a chat is over; visitors hear of none while no collector runs."""


@click.group()
def visitor() -> None:
    """What is stored of one visitor: export it, or delete it."""


def _of_visitor(command: Callable[..., None]) -> Callable[..., None]:
    """The options by which a visitor is named."""
    for option in (
        click.option(
            "--attribute", help="NAME=VALUE that a page has told, as email=ada@shop.example."
        ),
        click.option("--visit", "visit_id", help="The reference at the end of the visitor's page."),
        click.option("--site", "key", required=True, help="The site's short name."),
    ):
        command = option(command)
    return command


@visitor.command("export")
@_of_visitor
@click.option("--to", "file", type=Path, help="Write it there, for you alone to read.")
def export(key: str, visit_id: str | None, attribute: str | None, file: Path | None) -> None:
    """Write everything that is stored of a visitor, as JSON; the names are those of docs/schema.md."""
    with owner_database() as (_, engine), reading(engine) as db:
        site = existing_site(db, key)
        visits = _find(db, site, visit_id, attribute)
        exported = export_visits(db, site, [visit.id for visit in visits], utc_now())
        text = json.dumps(exported, ensure_ascii=False, indent=2)
        if file is None:
            click.echo(text)
            return
        _write(file, text)
    click.echo(
        f"Wrote {_plural(len(visits), 'visit')} to {file}, which only you can read.", err=True
    )


@visitor.command("forget")
@_of_visitor
@click.option("--yes", is_flag=True, help="Delete without asking.")
def forget(key: str, visit_id: str | None, attribute: str | None, yes: bool) -> None:
    """Delete everything that is stored of a visitor. Nothing brings it back."""
    with owner_database() as (chosen, engine):
        with reading(engine) as db:
            site = existing_site(db, key)
            visits = _find(db, site, visit_id, attribute)
            stored = count_stored(db, site.id or 0, [visit.id for visit in visits])
        _show(visits, stored, site)
        if not yes:
            click.confirm("Delete all of it, for good?", abort=True)
        for at in range(0, len(visits), AT_ONCE):
            ids = [visit.id for visit in visits[at : at + AT_ONCE]]
            with writing(engine) as db:
                forget_visits_of(db, site.id or 0, ids, utc_now())
        click.echo("Deleted. No page shows it any more.")
        try:
            _clean(engine, chosen.database_url, has_chats=stored.conversations > 0)
        finally:
            with reading(engine) as db:
                _show_copies(copies_since(db, min(visit.started_at for visit in visits)))


@visitor.command("wipe")
def wipe() -> None:
    """Rewrite SQLite's file, so that nothing of what was deleted is left in it.

    Nothing is recorded meanwhile, and as much room as the file has is needed twice.
    """
    with owner_database() as (chosen, engine):
        if not is_sqlite(chosen.database_url):
            raise CommandError("Postgres wipes by its own means: VACUUM FULL, see docs/privacy.md")
        with reading(engine) as db:
            asked = asked_rewrite(db)
        _rewrite(engine, asked)
        try:
            with serving_lock(chosen.database_url):
                _empty_log(engine)
        except LockHeld:
            click.echo(f"The file is clean. Its log will be {_by(utc_now())}.")
            return
    click.echo("The file and its log are clean.")


def _find(db: Connection, site: Site, visit_id: str | None, attribute: str | None) -> list[Visit]:
    """The visits of the person. Raises CommandError when there is none."""
    if (visit_id is None) == (attribute is None):
        raise click.UsageError("Name the visitor by either --visit ID or --attribute NAME=VALUE.")
    site_id = site.id or 0
    if visit_id is not None:
        found, asked = visits_of_person(db, site_id, [visit_id]), f"the reference {visit_id}"
    else:
        name, equals, value = (attribute or "").partition("=")
        if not equals:
            raise click.UsageError(f"--attribute is '{attribute}': write NAME=VALUE.")
        found = visits_of_person(db, site_id, visits_with(db, site_id, name, value))
        asked = f"{name} = {value}"
    if not found:
        raise CommandError(f"{site.name} has no visit with {asked}: nothing is stored under it.")
    return found


def _show(visits: Sequence[Visit], stored: StoredCounts, site: Site) -> None:
    click.echo(f"Stored of this visitor at {site.name} ({site.key}):")
    echo_rows(("BEGAN (UTC)", "LAST SEEN (UTC)", "PAGES", "WHO", "VISIT"), *map(_row, visits))
    click.echo(
        f"{_plural(stored.visits, 'visit')}, {_plural(stored.page_views, 'page view')}, "
        f"{_plural(stored.conversations, 'chat')} with {_plural(stored.messages, 'message')}."
    )


def _row(visit: Visit) -> tuple[str, ...]:
    who = visitor_label(visitor_name(visit.attributes), visit.browser, visit.country)
    began, seen = (f"{at:%Y-%m-%d %H:%M}" for at in (visit.started_at, visit.last_seen_at))
    return began, seen, str(visit.page_count), who, visit.id


def _clean(engine: Engine, database_url: str, *, has_chats: bool) -> None:
    """Say when the file is clean; without a collector make it so."""
    if not is_sqlite(database_url):
        click.echo(
            "Postgres frees the rows with its next vacuum, and does not wipe them: see docs/privacy.md."
        )
        return
    with reading(engine) as db:
        asked, is_small = asked_rewrite(db), rewrites_itself(db)
        size = file_size(db)
    try:
        with serving_lock(database_url):
            if has_chats:
                sleep(_LISTENERS_HEAR_WITHIN)
                _delete_withdrawn(engine)
            if is_small:
                _rewrite(engine, asked)
            _empty_log(engine)
        when = "now"
    except LockHeld:
        when = _by(utc_now())
    if is_small:
        click.echo(f"The database's file and its log are clean {when}.")
        return
    click.echo(
        f"The database's log is clean {when}. Its file has {size / 1024**3:.1f} GB: copies of deleted rows may "
        "stay in unused parts until you rewrite it, when few visitors come: python -m core visitor wipe"
    )


def _rewrite(engine: Engine, asked: str) -> None:
    try:
        rewrite_file(engine, asked)
    except (sqlite3.Error, DatabaseError) as fault:
        raise CommandError(
            f"The database's file is not clean yet ({first_line(getattr(fault, 'orig', None) or fault)}): end "
            "what writes to it for long, or make as much room as it has, beside it and once more in the folder "
            "for temporary files (SQLITE_TMPDIR), then: python -m core visitor wipe"
        ) from None


def _delete_withdrawn(engine: Engine) -> None:
    with writing(engine) as db:
        delete_withdrawn(db, utc_now(), told_after=timedelta(0))


def _empty_log(engine: Engine) -> None:
    """Readers are short: a few tries find none in the way. Raises CommandError."""
    for _ in range(_EMPTY_LOG_TRIES):
        if empty_log(engine):
            return
        sleep(0.25)
    raise CommandError(
        "Deleted, but somebody reads the database all the time, so its log cannot be emptied: end other "
        "programs that have it open, or start the collector, which does it."
    )


def _by(now: datetime) -> str:
    return f"by {now + CLEAN_WITHIN:%H:%M:%S} UTC: the collector sees to it"


def _show_copies(copies: Sequence[Backup]) -> None:
    there = [copy for copy in copies if Path(copy.file).exists()]
    gone = [copy for copy in copies if copy not in there]
    if there:
        click.echo("These copies were made before, and still hold it until you delete them:")
        echo_rows(*((f"{copy.made_at:%Y-%m-%d %H:%M} UTC", copy.kind, copy.file) for copy in there))
    if gone:
        click.echo("These were made too, and are not where they were written any more:")
        echo_rows(*((f"{copy.made_at:%Y-%m-%d %H:%M} UTC", copy.kind, copy.file) for copy in gone))
    if not copies:
        click.echo("Visitor Monitor has made no copy of the database that holds it.")
    click.echo(
        "Copies that you make by other means (dumps, snapshots of the disk) are not known here."
    )


def _write(file: Path, text: str) -> None:
    """Readable by its owner from the first byte on. What is there already may be anything, so it stays."""
    try:
        with open(file, "x", encoding="utf-8", opener=open_private) as written:
            written.write(f"{text}\n")
    except FileExistsError:
        raise CommandError(f"{file} exists: name another file, or delete it first") from None


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"

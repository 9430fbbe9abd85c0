"""What the commands that copy a database, or a part of it, share."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import URL, make_url

from core.command_error import CommandError
from core.database import own_files, sqlite_file
from core.sqlite_copy import Progress


@contextmanager
def shown_progress(label: str) -> Generator[Progress]:
    """What to tell of the pages; it draws a bar on a terminal, and nothing elsewhere."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=1, label=label, file=sys.stderr, hidden=hidden) as bar:

        def tell(left: int, pages: int) -> None:
            bar.length = pages
            bar.update(pages - left - bar.pos)

        yield tell


def file_of(database_url: str, on_postgres: str) -> Path:
    """The database's file; of Postgres CommandError says how, with its URL for {url}, instead."""
    file = sqlite_file(database_url)
    if file is None:
        raise CommandError(on_postgres.format(url=_shell_url(database_url)))
    return file


def refuse_target(target: Path, database: Path | None, force: bool) -> None:
    """Raise CommandError if the file must not be written; database: that of SQLite."""
    if not target.parent.is_dir():
        raise CommandError(f"There is no folder {target.parent}: make it first")
    own = own_files(database.resolve()) if database else ()
    if target in own or any(
        target.samefile(each) for each in own if each.exists() and target.exists()
    ):
        raise CommandError(f"{target} belongs to the database itself: name another file")
    if target.exists() and not force:
        raise CommandError(f"{target} exists: name another file, or overwrite it with --force")


def _shell_url(database_url: str) -> str:
    """The URL as Postgres' own tools take it in a shell, without the password."""
    url = make_url(database_url)
    public = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, url.query
    )
    return shlex.quote(public.render_as_string())

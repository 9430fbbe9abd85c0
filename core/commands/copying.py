"""What the commands that copy a database share: a bar that moves, and what they say of Postgres."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import URL, make_url

from core.command_error import CommandError
from core.database import sqlite_file
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


def _shell_url(database_url: str) -> str:
    """The URL as Postgres' own tools take it in a shell, without the password."""
    url = make_url(database_url)
    public = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, url.query
    )
    return shlex.quote(public.render_as_string())

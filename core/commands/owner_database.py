"""The settings and the database, as a command of the owner's opens them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.command_error import CommandError, exit_in_one_line
from core.database import open_database, sqlite_file
from core.schema import SchemaError, check_schema
from core.settings import Settings, SettingsError, settings
from core.sites import SiteError

if TYPE_CHECKING:
    from sqlalchemy import Engine

IN_FORCE = "In force within 5 seconds."


@contextmanager
def owner_database(*expected: type[Exception]) -> Generator[tuple[Settings, Engine]]:
    """The settings and the database; an error ends the command with one line and exit code 1.

    expected: errors of the command's own that carry such a line.
    """
    with exit_in_one_line(SettingsError, SchemaError, SiteError, *expected):
        chosen = settings()
        refuse_missing(chosen.database_url)
        engine = open_database(chosen.database_url)
        check_schema(engine)
        yield chosen, engine
        engine.dispose()


def refuse_missing(database_url: str) -> None:
    """Opening a SQLite file would create it and its folder, which only the collector does."""
    file = sqlite_file(database_url)
    if file and not file.exists():
        raise CommandError(
            f"There is no database at {file}: start the collector once: python -m collector"
        )

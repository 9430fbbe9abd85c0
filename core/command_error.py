"""What stops a command, in one line for the person who runs it."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager

import click
from pydantic_settings import SettingsError as SourceError
from sqlalchemy.exc import SQLAlchemyError

from core.disk_fault import find_disk_fault
from core.log_format import is_json
from core.pooler_refusal import pooler_cure
from core.sqlite_fault import RESTORE, UnusableFile, is_damage


class CommandError(Exception):
    """A command cannot go on; the text says in one line what is wrong and the cure."""


@contextmanager
def exit_in_one_line(*expected: type[Exception]) -> Generator[None]:
    """End the process with one line on stderr when one of these is raised.

    The expected ones carry such a line themselves, and an `exit_code` where it is not 1. For errors
    of the system and the database it is made here.
    """
    try:
        yield
    except (CommandError, UnusableFile, *expected) as fault:
        _fail(str(fault), getattr(fault, "exit_code", 1))
    except SourceError as fault:
        _fail(f"A MONITOR_ setting cannot be read: {first_line(fault)}", os.EX_CONFIG)
    except (SQLAlchemyError, sqlite3.Error) as fault:  # the latter: of rows that the driver gives
        cause = first_line(getattr(fault, "orig", None) or fault)
        if is_damage(fault):
            _fail(f"The database is damaged ({cause}): {RESTORE}")
        if found := find_disk_fault(fault):
            _fail(found.line)
        cure = pooler_cure(cause) or "check MONITOR_DATABASE_URL"
        _fail(f"The database does not answer: {cause}. {cure[0].upper()}{cure[1:]}.")
    except OSError as fault:
        if found := find_disk_fault(fault):
            _fail(found.line)
        _fail(f"{fault.filename or 'The system'}: {fault.strerror or fault}.")


def first_line(fault: object) -> str:
    """The first line of what a fault says, without a full stop."""
    return str(fault).strip().partition("\n")[0].rstrip(".")


def _fail(line: str, code: int = 1) -> None:
    if is_json():
        logging.getLogger("core").error("%s", line)
    else:
        click.echo(line, err=True)
    sys.exit(code)

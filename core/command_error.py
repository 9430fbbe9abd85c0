"""What stops a command, in one line for the person who runs it."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

import click
from pydantic_settings import SettingsError as SourceError
from sqlalchemy.exc import SQLAlchemyError


class CommandError(Exception):
    """A command cannot go on; the text says in one line what is wrong and the cure."""


@contextmanager
def exit_in_one_line(*expected: type[Exception]) -> Generator[None]:
    """End the process with exit code 1 and one line on stderr when one of these is raised.

    The expected ones carry such a line themselves. For errors of the system and the database it is
    made here.
    """
    try:
        yield
    except (CommandError, *expected) as fault:
        _fail(str(fault))
    except SourceError as fault:
        _fail(f"A MONITOR_ setting cannot be read: {first_line(fault)}")
    except SQLAlchemyError as fault:
        cause = first_line(getattr(fault, "orig", None) or fault)
        _fail(f"The database does not answer: {cause}. Check MONITOR_DATABASE_URL.")
    except OSError as fault:
        _fail(f"{fault.filename or 'The system'}: {fault.strerror or fault}.")


def first_line(fault: object) -> str:
    """The first line of what a fault says, without a full stop."""
    return str(fault).strip().partition("\n")[0].rstrip(".")


def _fail(line: str) -> None:
    click.echo(line, err=True)
    sys.exit(1)

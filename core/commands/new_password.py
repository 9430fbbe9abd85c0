"""A new password, as a command is given it: never among its arguments, where others could read it."""

from __future__ import annotations

import sys

import click

from core.accounts.passwords import LONGEST_PASSWORD, check_password
from core.command_error import CommandError

_LONGEST_LINE = 8 * LONGEST_PASSWORD
"""Bytes; a character takes four at most."""


def ask_password(*known: str) -> str:
    """The password that is typed twice, unseen. Raises PasswordError, and CommandError when the two differ."""
    password = check_password(click.prompt("Password", hide_input=True), *known)
    if click.prompt("The same password again", hide_input=True) != password:
        raise CommandError("The two passwords differ: run the command again.")
    return password


def read_password(*known: str) -> str:
    """The password in the first line of the standard input. Raises PasswordError."""
    line = sys.stdin.buffer.readline(_LONGEST_LINE)
    password = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
    return check_password(password, *known)

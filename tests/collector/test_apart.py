"""Work in a process of its own: what it raises is raised here, as it was."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from collector.apart import run_apart
from core.command_error import CommandError
from core.schema import NewerSchemaError
from core.sqlite_fault import MissingFile


def of_sqlite(tmp_path: Path) -> Exception:
    """A fault as SQLite raises it, with its number."""
    with pytest.raises(sqlite3.OperationalError) as raised:
        sqlite3.connect(tmp_path / "no folder" / "file")
    return raised.value


def of_sqlalchemy(tmp_path: Path) -> Exception:
    return OperationalError("SELECT 1", {}, of_sqlite(tmp_path))


FAULTS: list[Callable[[Path], Exception]] = [
    of_sqlite,
    of_sqlalchemy,
    lambda _: CommandError("no room: make some"),
    lambda _: NewerSchemaError("install that version"),
    lambda path: MissingFile(path / "monitor.db"),
    lambda path: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)),
]


def test_what_it_has_done_is_done(tmp_path: Path) -> None:
    run_apart("test", (tmp_path / "done").touch)
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("make", FAULTS)
def test_what_it_raises_is_raised_here(make: Callable[[Path], Exception], tmp_path: Path) -> None:
    fault = make(tmp_path)

    def fail() -> None:
        raise fault

    with pytest.raises(type(fault)) as raised:
        run_apart("test", fail)
    assert str(raised.value) == str(fault)
    for name in ("errno", "filename", "sqlite_errorcode", "exit_code"):
        assert getattr(raised.value, name, None) == getattr(fault, name, None)
    found, orig = (getattr(each, "orig", None) for each in (raised.value, fault))
    assert getattr(found, "sqlite_errorcode", None) == getattr(orig, "sqlite_errorcode", None)


def test_process_that_is_killed_is_a_fault() -> None:
    with pytest.raises(OSError, match="SIGKILL"):
        run_apart("test", lambda: os.kill(os.getpid(), signal.SIGKILL))

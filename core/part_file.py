"""A copy that is being written: until it is whole it has another name, and one process only writes it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from core.command_error import CommandError
from core.private_file import open_private

PART = ".part"
"""Behind the name of a file that is not whole yet."""

_BESIDE = ("-journal", "-wal", "-shm")
"""What SQLite puts beside a file."""


@contextmanager
def held_part(to: Path) -> Generator[Path]:
    """A new, empty, private file to be renamed to `to`; it goes when that does not happen.

    Raises CommandError while another process writes one. The system lets go of it when the process
    ends, however it ends; what a killed one has left is removed.
    """
    part = to.with_name(f"{to.name}{PART}")
    remove_unfinished([part])
    with _created(part) as held:
        if held is None or not _locks(held, part):
            raise CommandError(f"Another copy is being written to {to}: wait until it is done")
        try:
            yield part
        except BaseException:
            remove_with_log(part)
            raise


def remove_unfinished(parts: Iterable[Path]) -> None:
    """Remove the files that no process writes any more."""
    for part in parts:
        with suppress(FileNotFoundError), part.open("rb") as held:
            if _locks(held.fileno(), part):
                remove_with_log(part)


def remove_with_log(file: Path) -> None:
    """The file, and what lies beside it."""
    for suffix in ("", *_BESIDE):
        file.with_name(f"{file.name}{suffix}").unlink(missing_ok=True)


@contextmanager
def _created(part: Path) -> Generator[int | None]:
    """None when there is one: it is written by somebody else."""
    try:
        held = open_private(str(part), os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        yield None
        return
    try:
        yield held
    finally:
        os.close(held)


def _locks(held: int, part: Path) -> bool:
    """Whether it is ours now: not another's, and not removed or renamed meanwhile."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(held), part.stat())
    except OSError:
        return False

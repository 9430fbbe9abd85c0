"""Which process holds back SQLite's log: the locks that readers have in its shared memory, as Linux lists them.

A reader has a lock on one of five bytes, and the frame of the log up to which it reads stands beside them. The
file of that memory (`-shm`) is never opened here: when a process closes it, SQLite's own locks on it are gone.
What SQLite has mapped into this process is read instead.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

LONGEST_NAME = 40
"""Characters of a program's name."""

_READERS = 5
_MARKS_AT, _MARKS = 100, struct.Struct(f"={_READERS}I")
"""Where the frames stand up to which each of the five reads (sqlite.org/walformat.html, the WAL-index header)."""

_FIRST_LOCK = 123
"""The byte of the first reader's lock; the others follow."""

_STRANGE = re.compile(r"[^\w.@+-]+")


class _Shared(NamedTuple):
    """Where the shared memory is mapped, and its file as /proc/locks names it."""

    address: int
    file: str


def log_readers(database: Path) -> frozenset[int]:
    """The processes of which one is the oldest reader, as far as this one can see; none where it cannot."""
    with suppress(OSError, ValueError, struct.error):
        if shared := _find_shared(Path(f"{database.resolve()}-shm")):
            return _oldest(_read_marks(shared.address), list(_read_locks(shared.file)))
    return frozenset()


def name_process(process: int) -> str:
    """What runs, "sqlite3 (process 812)", without its arguments; "" when that cannot be seen."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    program = _plain(words[0])
    if program.startswith("python"):
        program = f"{program} {_script(words[1:])}".strip()
    return f"{program} (process {process})" if program else ""


def _find_shared(path: Path) -> _Shared | None:
    for line in Path("/proc/self/maps").read_text(errors="replace").splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[5] == str(path) and int(fields[2], 16) == 0:
            return _Shared(int(fields[0].partition("-")[0], 16), f"{fields[3]}:{fields[4]}")
    return None


def _read_marks(address: int) -> tuple[int, ...]:
    """Through the system, which refuses where the memory is gone meanwhile."""
    memory = os.open("/proc/self/mem", os.O_RDONLY)
    try:
        return _MARKS.unpack(os.pread(memory, _MARKS.size, address + _MARKS_AT))
    finally:
        os.close(memory)


def _read_locks(file: str) -> Iterator[tuple[int, int]]:
    """Each reader's lock: which of the five, and the process."""
    for line in Path("/proc/locks").read_text("ascii").splitlines():
        fields = line.split()
        if len(fields) == 8 and fields[1] == "POSIX" and fields[3] == "READ" and fields[5] == file:
            first, last = int(fields[6]), int(fields[7]) if fields[7] != "EOF" else -1
            for number in range(_READERS):
                if first <= _FIRST_LOCK + number <= last:
                    yield number, int(fields[4])


def _oldest(marks: tuple[int, ...], locks: list[tuple[int, int]]) -> frozenset[int]:
    if not locks:
        return frozenset()
    mark = min(marks[number] for number, _ in locks)
    return frozenset(process for number, process in locks if marks[number] == mark and process > 0)


def _plain(word: str) -> str:
    return _STRANGE.sub("", Path(word).name)[:LONGEST_NAME]


def _script(arguments: list[str]) -> str:
    """The module or the script that Python runs."""
    if "-m" in arguments[:-1]:
        return f"-m {_plain(arguments[arguments.index('-m') + 1])}"
    scripts = [each for each in arguments if each and not each.startswith("-")]
    return _plain(scripts[0]) if scripts and scripts[0].endswith(".py") else ""

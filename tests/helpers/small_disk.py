"""A disk of its own for a test: small enough to be filled, and taken away from nobody else."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.root_rights import run_as_root


class SmallDisk:
    """A mounted disk in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no byte on it."""
        with self._filler.open("ab", buffering=0) as filler:
            try:
                while filler.write(b"0" * 4_096):
                    pass
            except OSError:
                return

    def make_room(self) -> None:
        """Take away what `fill` has written."""
        self._filler.unlink()

    def set_writable(self, *, is_writable: bool) -> None:
        """Mount it anew; read-only is refused by the system while a file is open to be written."""
        way = "rw" if is_writable else "ro"
        subprocess.run(["mount", "-o", f"remount,{way}", str(self.folder)], check=True)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[SmallDisk]:
    """A disk of this size ("16m"), mounted at a new folder; the test fails where that is not allowed."""
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    run_as_root("to mount a disk", *mount)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)

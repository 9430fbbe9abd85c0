"""Files that are being written."""

import subprocess
import sys

import pytest

from core.command_error import CommandError
from core.part_file import held_part, remove_unfinished


def test_part_is_private_and_is_renamed(tmp_path):
    to = tmp_path / "b.db"
    with held_part(to) as part:
        assert part.stat().st_mode & 0o777 == 0o600
        part.write_text("whole")
        part.replace(to)

    assert [file.name for file in tmp_path.iterdir()] == ["b.db"]
    assert to.read_text() == "whole"


def test_part_goes_with_its_log_when_it_does_not_become_whole(tmp_path):
    with pytest.raises(KeyboardInterrupt), held_part(tmp_path / "b.db") as part:
        part.with_name(f"{part.name}-journal").touch()
        raise KeyboardInterrupt

    assert not list(tmp_path.iterdir())


def test_part_that_somebody_writes_is_neither_taken_nor_removed(tmp_path):
    to = tmp_path / "b.db"
    with held_part(to) as part:
        part.write_text("half")
        with (
            pytest.raises(CommandError, match=r"Another copy is being written to .*b\.db: wait"),
            held_part(to),
        ):
            pass
        remove_unfinished([part])

        assert part.read_text() == "half"
        part.replace(to)
    with held_part(to):  # done: the next one may begin
        pass


def test_part_of_a_killed_process_is_taken_anew(tmp_path):
    killed = (
        "import os, sys; from pathlib import Path; from core.part_file import held_part\n"
        "with held_part(Path(sys.argv[1])) as part:\n"
        "    part.write_text('half')\n"
        "    os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", killed, str(tmp_path / "b.db")], check=False)
    (left,) = tmp_path.iterdir()
    assert left.read_text() == "half"

    with held_part(tmp_path / "b.db") as part:
        assert part.read_text() == ""
    part.touch()
    remove_unfinished([part])
    assert not list(tmp_path.iterdir())

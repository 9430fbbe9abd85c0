"""Log files are kept small, and few, while a process writes to them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from supervision.log_file import KEPT, MOST_BYTES, LogFile


def grow(log: LogFile, size: int, letter: str = "a") -> None:
    file = log.open()
    os.write(file, letter.encode() * (size - 1) + b"\n")
    os.close(file)


@pytest.mark.parametrize(("size", "left"), [(MOST_BYTES - 1, MOST_BYTES - 1), (MOST_BYTES, 0)])
def test_log_is_cut_once_it_is_large(tmp_path: Path, size: int, left: int) -> None:
    log = LogFile(tmp_path / "logs" / "collector.log")
    grow(log, size)
    log.rotate_when_large()
    assert log.path.stat().st_size == left
    assert (tmp_path / "logs" / "collector.log.1").exists() is (left == 0)


def test_newest_logs_are_kept(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "collector.log")
    for letter in "abcdefg":
        grow(log, MOST_BYTES, letter)
        log.rotate_when_large()
    kept = {each.name: each.read_text()[0] for each in tmp_path.glob("collector.log.*")}
    assert len(kept) == KEPT
    assert [kept[f"collector.log.{number}"] for number in range(1, 6)] == list("gfedc")


def test_process_that_has_the_file_open_writes_on_after_a_cut(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "collector.log")
    grow(log, MOST_BYTES)
    file = log.open()
    code = "import sys; input(); sys.stderr.write('after\\n')"
    writer = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=file)
    os.close(file)
    log.rotate_when_large()
    writer.communicate(b"\n", timeout=60)
    assert log.path.read_text() == "after\n"


def test_it_is_emptied_even_where_no_copy_can_be_made(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "collector.log")
    grow(log, MOST_BYTES)
    (tmp_path / "collector.log.4").touch()
    (tmp_path / "collector.log.5").mkdir()
    with pytest.raises(OSError):
        log.rotate_when_large()
    assert log.path.stat().st_size == 0


def test_it_tells_its_last_line_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "logs" / "collector.log")
    os.close(log.open())
    assert log.last_line() == ""
    log.path.write_text("one\nMONITOR_STREAMS is 'many'\n\n")
    assert log.last_line() == "MONITOR_STREAMS is 'many'"
    assert log.path.stat().st_mode & 0o007 == 0
    assert log.path.parent.stat().st_mode & 0o007 == 0

"""Which process holds SQLite's log back, and how it is named."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.writing.log_reader import log_readers, name_process

READ = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN")
database.execute("SELECT count(*) FROM number").fetchone()
print("reads", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "monitor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE number (value)")
    yield connection
    connection.close()


@pytest.fixture
def start_reader(tmp_path: Path) -> Iterator[object]:
    """Starts processes that read until the test ends."""
    script = tmp_path / "reader.py"
    script.write_text(READ)
    started: list[subprocess.Popen[str]] = []

    def start() -> int:
        command = [sys.executable, str(script), str(tmp_path / "monitor.db"), "a secret"]
        process = subprocess.Popen(
            command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout is not None and process.stdout.readline() == "reads\n"
        return process.pid

    yield start
    for process in started:
        process.communicate()


def test_the_oldest_of_several_readers_is_found(database, start_reader, tmp_path):
    oldest = start_reader()
    for value in range(3):
        database.execute("INSERT INTO number VALUES (?)", (value,))
        start_reader()

    assert log_readers(tmp_path / "monitor.db") == {oldest}


def test_nobody_is_found_where_nobody_reads(database, tmp_path):
    assert log_readers(tmp_path / "monitor.db") == frozenset()


def test_looking_leaves_sqlites_own_locks(database, start_reader, tmp_path):
    """A process that closes a file loses its locks on it, so the file is not opened."""
    database.execute("INSERT INTO number VALUES (1)")
    database.execute("BEGIN")
    database.execute("SELECT * FROM number").fetchall()
    before = locks_of(os.getpid())

    assert log_readers(tmp_path / "monitor.db") == {os.getpid()}

    assert locks_of(os.getpid()) == before
    database.execute("COMMIT")


def locks_of(process: int) -> set[tuple[str, ...]]:
    lines = [line.split() for line in Path("/proc/locks").read_text("ascii").splitlines()]
    return {tuple(fields[1:]) for fields in lines if fields[4] == str(process)}


def test_process_is_named_without_its_arguments(database, start_reader):
    process = start_reader()

    assert name_process(process) == f"{Path(sys.executable).name} reader.py (process {process})"


def test_process_that_is_gone_has_no_name():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    assert name_process(process.pid) == ""

"""A database that is there and gives no answer: whoever holds it, or serves it, is stopped by SIGSTOP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.postgres_server import PostgresServer

_HOLDER = """
import fcntl, sys, time
shared = open(sys.argv[1] + "-shm", "r+b")
fcntl.lockf(shared, fcntl.LOCK_EX, 8, 120)
print("held", flush=True)
time.sleep(3600)
"""
"""Takes every lock of SQLite's log, which are these eight bytes of its index (sqlite.org/walformat.html).
BEGIN EXCLUSIVE would stop no reader: in the log they go on beside it."""


@contextmanager
def frozen_sqlite(file: Path) -> Iterator[None]:
    """While it lasts, every reader and writer of the file waits for a process that is stopped.

    Somebody must have the file open: without its log's index there is nothing to hold.
    """
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER, str(file)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        holder.send_signal(signal.SIGSTOP)
        yield
    finally:
        holder.kill()
        holder.communicate()


@contextmanager
def frozen_postgres(server: PostgresServer) -> Iterator[None]:
    """While it lasts, all processes of the server are stopped: it takes connections, and says nothing."""
    main = int((server.directory / "data" / "postmaster.pid").read_text().split()[0])
    stopped = [main]
    os.kill(main, signal.SIGSTOP)  # first: it begins no other
    try:
        for child in Path(f"/proc/{main}/task/{main}/children").read_text().split():
            os.kill(int(child), signal.SIGSTOP)
            stopped.append(int(child))
        yield
    finally:
        for process in reversed(stopped):
            os.kill(process, signal.SIGCONT)

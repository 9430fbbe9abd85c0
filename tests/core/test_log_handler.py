"""The log never stops who writes it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.log_handler import MOST_WAITING, LogHandler

ROOT = Path(__file__).parents[2]
TOO_MANY = MOST_WAITING * 2
ENDS_WITHIN = 60


@contextmanager
def log_into_pipe() -> Iterator[tuple[logging.Logger, LogHandler, int]]:
    """A logger, its handler, and where its lines can be read."""
    reader, writer = os.pipe()
    logger, handler = logging.Logger("test"), LogHandler(writer)
    logger.addHandler(handler)
    yield logger, handler, reader
    for file in (reader, writer):
        with suppress(OSError):
            os.close(file)


def read_until(reader: int, last: bytes) -> list[str]:
    text = b""
    while last not in text or not text.endswith(b"\n"):
        text += os.read(reader, 1_000_000)
    return text.decode().splitlines()


def test_lines_come_in_their_order():
    with log_into_pipe() as (logger, handler, reader):
        for number in range(100):
            logger.warning("%d", number)
        handler.flush()
        assert read_until(reader, b"99\n") == [str(number) for number in range(100)]


def test_pipe_that_nobody_reads_stops_nobody_and_what_is_lost_is_told():
    with log_into_pipe() as (logger, _, reader):
        for number in range(TOO_MANY):
            logger.warning("line %d of many", number)

        lines = read_until(reader, b"log_lines_dropped count=")

    # More than once where the handler's thread came too late before the pipe was full.
    told = [line for line in lines if line.startswith("log_lines_dropped")]
    dropped = sum(int(line.partition("count=")[2].split()[0]) for line in told)
    assert 0 < dropped < TOO_MANY
    assert lines[0] == "line 0 of many"


def test_pipe_whose_reader_has_gone_stops_nobody():
    with log_into_pipe() as (logger, handler, reader):
        os.close(reader)
        logger.warning("lost")
        handler.flush()


def test_process_ends_although_nobody_reads_its_log():
    code = (
        "import logging\nfrom core.log_format import LogFormat, start_log\n"
        f"start_log(LogFormat.TEXT)\nfor _ in range({TOO_MANY}): logging.error('x' * 100)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE)
    try:
        assert process.wait(ENDS_WITHIN) == 0
    finally:
        process.kill()
        process.communicate()


FORKS = """
import logging, os, time
from core.log_format import LogFormat, start_log
start_log(LogFormat.TEXT)
log = logging.getLogger("core.test")
log.info("before")
pid = os.fork()
# A thread that has been joined may still be there to the system, for a moment.
until = time.monotonic() + 5
while (threads := len(os.listdir("/proc/self/task"))) > 2 and time.monotonic() < until:
    time.sleep(0.01)
log.info("%s threads=%d", "parent" if pid else "child", threads)
logging.shutdown()
if not pid:
    os._exit(0)
os.waitpid(pid, 0)
"""


def test_process_and_what_it_forks_both_log_and_each_line_once():
    done = subprocess.run(
        [sys.executable, "-c", FORKS], capture_output=True, text=True, timeout=30, cwd=ROOT
    )
    lines = sorted(line.split("core.test ")[1] for line in done.stderr.splitlines())
    assert lines == ["before", "child threads=2", "parent threads=2"]

"""A process that ends at once, again and again, is started after longer and longer pauses."""

from __future__ import annotations

import subprocess
import sys

from tests.helpers.preloaded import ROOT

ENDS_AT_ONCE = """
import logging, socket, time
from collector.children import Children
logging.basicConfig(format="%(message)s")
awake, _ = socket.socketpair()
began = time.monotonic()

def work(row, control):
    print("started", row, flush=True)
    raise SystemExit(3)

children = Children(1, lambda control: control.recv(1), work, print, lambda: None, lambda row: None)
children.run(awake, lambda: time.monotonic() > began + 3, 0.1)
children.stop()
"""


def test_process_that_ends_at_once_is_not_started_without_a_pause() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDS_AT_ONCE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert 1 < done.stdout.count("started 1") < 6
    pauses = [
        line.rpartition("=")[2] for line in done.stderr.splitlines() if "process=worker" in line
    ]
    assert pauses[:2] == ["0.5s", "1.0s"]
    assert "reason='exit code 3'" in done.stderr

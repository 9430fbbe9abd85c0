"""Whoever keeps the two processes running is killed, or one of them is: nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.running_collector import wait_for
from tests.helpers.running_monitor import RunningMonitor, answers, free_ports, start

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 120
ENDS_WITHIN = 60

STARTS_ANOTHER = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
time.sleep(600)
"""
SUPERVISES = """
import sys
from supervision.part import Part
part = Part("One", ["starts_another"], "http://127.0.0.1:1/")
part.start()
print(part.pid, flush=True)
for line in sys.stdin:
    part.stop()
    print("stopped", flush=True)
"""


@contextmanager
def supervised(
    folder: Path, code: str = SUPERVISES
) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Who supervises a part, and the ids of the part and of what that has started."""
    (folder / "starts_another.py").write_text(STARTS_ANOTHER)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        pids = [int(process.stdout.readline()) for _ in range(2)]
        assert all(map(is_there, pids))
        try:
            yield process, sorted(pids)
        finally:
            process.kill()


def is_there(pid: int) -> bool:
    """Whether the process runs; one that nobody has waited for yet does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def are_gone(pids: list[int]) -> bool:
    return not any(map(is_there, pids))


@pytest.mark.parametrize("command", [("run.py",), ("-m", "supervision")], ids=["run", "serve"])
def test_what_runs_both_is_killed_and_both_end(tmp_path: Path, command: tuple[str, ...]) -> None:
    ports = free_ports()
    log = tmp_path / "run.log"
    process = start(tmp_path, log, ports, *command)
    monitor = RunningMonitor(process, log, ports)
    wait_for(lambda: "part_started part='The dashboard'" in monitor.printed, STARTS_WITHIN)
    parts = [monitor.part("-m\0collector"), monitor.part("streamlit")]
    assert answers(f"http://127.0.0.1:{ports['collector']}/readyz")

    process.kill()
    process.wait()

    wait_for(lambda: are_gone(parts), ENDS_WITHIN)
    assert "collector_stopped" in monitor.printed


def test_what_a_part_has_started_ends_with_its_supervisor(tmp_path: Path) -> None:
    with supervised(tmp_path) as (process, pids):
        process.kill()
        wait_for(lambda: are_gone(pids), ENDS_WITHIN)


def test_who_carries_out_the_will_may_be_killed_before(tmp_path: Path) -> None:
    killed_before = SUPERVISES.replace(
        "part.start()",
        "Part.will.name(2**30); Part.will.process.kill(); Part.will.process.wait(); part.start()",
    )
    with supervised(tmp_path, killed_before) as (process, pids):
        process.kill()
        wait_for(lambda: are_gone(pids), ENDS_WITHIN)


def test_part_that_is_killed_leaves_none_of_its_own_behind(tmp_path: Path) -> None:
    with supervised(tmp_path) as (process, pids):
        assert process.stdin and process.stdout
        os.kill(pids[0], signal.SIGKILL)
        process.stdin.write("stop\n")
        process.stdin.flush()
        assert process.stdout.readline() == "stopped\n"
        wait_for(lambda: are_gone(pids), ENDS_WITHIN)

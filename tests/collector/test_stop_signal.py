"""A signal ends the collector whenever it comes, also where Python ignores what is raised."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.free_port import free_port
from tests.helpers.preloaded import ROOT

SIGNAL_IN_A_DESTRUCTOR = """
import gc, signal, sys
from collector.command import main

class Garbage:
    def __init__(self):
        self.cycle = self
    def __del__(self):
        signal.raise_signal(int(sys.argv[1]))

gc.disable()  # it goes with the collection before the collector serves
Garbage()
main([])
"""


@pytest.mark.parametrize("number", [2, 15], ids=["SIGINT", "SIGTERM"])
def test_signal_while_garbage_is_collected_ends_it(tmp_path: Path, number: int) -> None:
    settings = {
        "MONITOR_DATABASE_URL": f"sqlite:///{tmp_path / 'monitor.db'}",
        "MONITOR_COLLECTOR_PORT": str(free_port()),
    }
    done = subprocess.run(
        [sys.executable, "-c", SIGNAL_IN_A_DESTRUCTOR, str(number)],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Garbage.__del__" in done.stderr
    assert (tmp_path / "monitor.db").exists()

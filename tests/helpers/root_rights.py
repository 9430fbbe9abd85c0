"""What only root may do: a test that needs it fails without it, and says how to run it."""

from __future__ import annotations

import os
import subprocess

import pytest


def need_root(what: str) -> None:
    """Fail the test unless it is run by root. what: it takes root for, "to mount a disk"."""
    if os.geteuid() != 0:
        pytest.fail(
            f"It takes root {what}: run this test as root, or in a container where you are "
            "(CONTRIBUTING.md, Set up)."
        )


def run_as_root(what: str, *command: str) -> None:
    """Run what only root may; fail the test with the command where this machine does not allow it."""
    need_root(what)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(
            f"Not allowed {what}, also for root: {' '.join(command)}: {done.stderr.strip()}. A container "
            "has to be given that right."
        )

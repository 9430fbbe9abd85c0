"""How busy others kept the machine while something was measured, from /proc/stat."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.figure import Figure, Measurement

BUSY = 0.15
"""The share of the CPU from which on times on the clock are no longer those of this program."""

_SET_CHILD_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux's prctl.h: children whose parent has ended become ours."""


class CpuTimes(NamedTuple):
    """Seconds of CPU since the machine's start: in all, those used, and those used by this process and
    by its children, theirs and so on that have ended."""

    total: float
    used: float
    ours: float


def measured(measure: Callable[[], list[Figure]]) -> list[Measurement]:
    """The figures, each with the share of the CPU that others took.

    To be called while no child of this process runs: those that are left of it at the end are waited for.
    """
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = cpu_times()
    figures = measure()
    _wait_for_ended()
    busy = others_share(before, cpu_times())
    return [Measurement(figure, busy) for figure in figures]


def cpu_times() -> CpuTimes:
    """Now. What the kernel does in interrupts is nobody's; what a host takes from this machine is others'."""
    line = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0]
    user, nice, system, idle, waiting, interrupts, soft, stolen = map(int, line.split()[1:9])
    used = user + nice + system + stolen
    per_second = os.sysconf("SC_CLK_TCK")
    ours = os.times()
    return CpuTimes(
        (used + idle + waiting + interrupts + soft) / per_second,
        used / per_second,
        ours.user + ours.system + ours.children_user + ours.children_system,
    )


def others_share(before: CpuTimes, after: CpuTimes) -> float:
    """The share of all CPU time in between, 0 to 1, that processes took which are not ours."""
    total = after.total - before.total
    others = (after.used - before.used) - (after.ours - before.ours)
    return min(max(others / total, 0.0), 1.0) if total else 0.0


def _wait_for_ended() -> None:
    """Only what was waited for counts as ours."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return

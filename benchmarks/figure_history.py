"""The figures of past runs: benchmarks/history.jsonl, one line for each figure of each run."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from os import cpu_count
from pathlib import Path

from benchmarks.busy import BUSY
from benchmarks.figure import Measurement

HISTORY = Path(__file__).with_name("history.jsonl")
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class PastFigure:
    """A figure of a run: medians of its rounds, how many there were, and the least and most of what compares.

    date: when, in UTC. revision: of the program; with a + where files were changed. machine: its cores. ratio: None
    where there is no yardstick. busy: the share of the CPU that others took, 0 to 1.
    """

    date: str
    revision: str
    machine: str
    python: str
    figure: str
    unit: str
    ours: float
    yardstick: float | None
    ratio: float | None
    rounds: int
    least: float
    most: float
    needs_quiet: bool
    busy: float

    @property
    def compared(self) -> float:
        """What compares with another run: the ratio; ours where there is no yardstick."""
        return self.ours if self.ratio is None else self.ratio

    @property
    def is_to_be_had(self) -> bool:
        """Whether the machine was quiet enough for it."""
        return not self.needs_quiet or self.busy <= BUSY


def read_history(file: Path = HISTORY) -> list[PastFigure]:
    """All of it, oldest first; empty where there is no file."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()
    return [PastFigure(**json.loads(line)) for line in lines]


def add_to_history(
    measurements: Iterable[Measurement], revision: str, now: datetime, file: Path = HISTORY
) -> None:
    """Append a line for each figure."""
    with file.open("a", encoding="utf-8") as lines:
        for each in measurements:
            past = _past_figure(each, revision, now)
            lines.write(json.dumps(asdict(past), ensure_ascii=False) + "\n")


def last_before(
    history: Sequence[PastFigure], revision: str, machine: str
) -> dict[str, PastFigure]:
    """Of each figure, by its name, what this machine measured last at another revision.

    A time that a busy machine has measured is left out.
    """
    return {
        past.figure: past
        for past in history
        if past.revision != revision and past.machine == machine and past.is_to_be_had
    }


def this_revision() -> str:
    """The short name of what is checked out, with a + where files were changed; "unknown" without git."""
    try:
        name = _git("rev-parse", "--short", "HEAD")
        is_changed = _git("status", "--porcelain", "--", ".", f":!benchmarks/{HISTORY.name}")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{name}+" if is_changed else name


def this_machine() -> str:
    """Its cores and their model, as in "2 x AMD EPYC"."""
    said = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    _, found, rest = said.partition("model name")
    model = rest.partition(":")[2].split("\n", 1)[0].strip() if found else platform.machine()
    return f"{cpu_count()} x {model}"


def _past_figure(measurement: Measurement, revision: str, now: datetime) -> PastFigure:
    figure, busy = measurement
    yardstick, ratio, compared = figure.yardstick_median, figure.ratio, figure.compared
    return PastFigure(
        date=f"{now:%Y-%m-%dT%H:%MZ}",
        revision=revision,
        machine=this_machine(),
        python=platform.python_version(),
        figure=figure.name,
        unit=figure.unit,
        ours=_digits(figure.median),
        yardstick=None if yardstick is None else _digits(yardstick),
        ratio=None if ratio is None else _digits(ratio),
        rounds=len(compared),
        least=_digits(min(compared)),
        most=_digits(max(compared)),
        needs_quiet=figure.needs_quiet,
        busy=round(busy, 3),
    )


def _digits(value: float) -> float:
    """Four of them."""
    return float(f"{value:.4g}")


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=_ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()

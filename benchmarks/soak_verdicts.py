"""What a soak has to show: nothing grows, nothing is lost, and nobody gets an answer that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.soak_samples import SoakSample

JUDGED_FROM = 30
"""Minutes: a shorter run says nothing of growth. Retention runs every ten minutes, so the size of the
database moves in steps of ten."""

MOST_GROWTH = 0.10
"""Of memory, threads and handles an hour, by a line through the last two thirds of the samples."""

WINDOW = 300.0
"""Seconds of which the fewest threads and handles count: those that work needs come and go with how busy the
machine is, and what is lost is there in the quietest moment too."""

FEWEST = 2.0
"""Threads or handles an hour that count as growth: one more in the busiest minutes gives a line of nearly two
(seen: 12 for fifty minutes, then 13, while the load of the machine went from 3 to 48)."""

MOST_LOG = 64_000_000
"""Bytes of SQLite's log: a quarter of what the Health page warns of."""

MOST_SIZE_GROWTH = 0.05
"""Of the database: the largest size of the last third to that of the third before."""

MOST_SPREAD = 0.15
"""Of the bytes in use for each stored page view, from the least to the most, in the last two thirds."""

_NUMBERS = ("memory", "threads", "handles")


@dataclass(frozen=True)
class Verdict:
    """What was looked at, what was found, in words, and whether it is as it should be; None: not judged."""

    name: str
    found: str
    is_good: bool | None

    def __str__(self) -> str:
        word = {True: "ok", False: "FAILED", None: "not judged"}[self.is_good]
        return f"{word:<10}  {self.name}: {self.found}"


def judge_samples(samples: Sequence[SoakSample]) -> Iterator[Verdict]:
    """The verdicts on what was measured during the run."""
    is_long = samples[-1].seconds >= (JUDGED_FROM - 1) * 60
    late = samples[len(samples) // 3 :]
    for part in ("collector", "dashboard"):
        for name in _NUMBERS:
            yield _judge_growth(late, part, name, is_long)
    wal = max(sample.wal for sample in samples)
    yield Verdict("SQLite's log", f"{wal / 1e6:.1f} MB at most", wal <= MOST_LOG)
    middle = max(sample.database for sample in _third(samples, 1))
    last = max(sample.database for sample in _third(samples, 2))
    grown = last / middle - 1
    found = f"{last / 1e6:.1f} MB, {grown:+.1%} in the last third"
    yield Verdict("the database's size", found, grown <= MOST_SIZE_GROWTH if is_long else None)
    each = [sample.used / max(sample.views, 1) for sample in late]
    spread = max(each) / min(each) - 1
    found = f"{min(each):.0f} to {max(each):.0f} B"
    yield Verdict("bytes for each stored page view", found, spread <= MOST_SPREAD)
    queue = max(sample.queue for sample in samples)
    yield Verdict("hits that waited", f"{queue} at most", samples[-1].queue <= queue // 2 + 10)
    p99 = [float(np.median([sample.p99 for sample in _third(samples, at)])) for at in (0, 2)]
    found = f"p99 {p99[0]:.0f} ms in the first third, {p99[1]:.0f} ms in the last (medians)"
    yield Verdict("answers", found, None)


def _fewest(hours: Sequence[float], values: Sequence[int]) -> tuple[list[float], list[int]]:
    """The least value of each WINDOW, and the hour at its begin."""
    fewest: dict[int, int] = {}
    for hour, value in zip(hours, values, strict=True):
        window = int((hour - hours[0]) * 3600 // WINDOW)
        fewest[window] = min(value, fewest.get(window, value))
    return [hours[0] + window * WINDOW / 3600 for window in fewest], list(fewest.values())


def _judge_growth(late: Sequence[SoakSample], part: str, name: str, is_long: bool) -> Verdict:
    values = [getattr(sample, f"{part}_{name}") for sample in late]
    hours = [sample.seconds / 3600 for sample in late]
    if name != "memory":
        hours, values = _fewest(hours, values)
    slope = float(np.polyfit(hours, values, 1)[0]) if len(values) > 1 else 0.0
    level = float(np.mean(values))
    show: Callable[[float], str] = (
        (lambda value: f"{value / 1e6:.1f} MB") if name == "memory" else "{:.1f}".format
    )
    found = (
        f"{show(level)}, {'+' if slope >= 0 else ''}{show(slope)} an hour ({slope / level:+.1%})"
    )
    is_steady = slope / level <= MOST_GROWTH or (name != "memory" and slope < FEWEST)
    return Verdict(f"{part}'s {name}", found, is_steady if is_long else None)


def _third(samples: Sequence[SoakSample], at: int) -> Sequence[SoakSample]:
    length = max(len(samples) // 3, 1)
    return samples[at * length : (at + 1) * length] or samples[-1:]

"""One thing that a benchmark has measured, beside what it is compared with, and what it has to reach."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Bar(NamedTuple):
    """What a figure has to reach: at most its limit, or at least; of the ratio, or of ours."""

    limit: float
    is_least: bool
    is_of_ratio: bool

    def __str__(self) -> str:
        sign = ">=" if self.is_least else "<="
        return f"{sign} {self.limit:,.6g}{' times' if self.is_of_ratio else ''}"


def at_most(limit: float) -> Bar:
    """A bar for ours, in the unit of the figure."""
    return Bar(limit, is_least=False, is_of_ratio=False)


def ratio_at_most(limit: float) -> Bar:
    """A bar for ours as a multiple of the yardstick."""
    return Bar(limit, is_least=False, is_of_ratio=True)


def ratio_at_least(limit: float) -> Bar:
    """A bar for ours as a multiple of the yardstick."""
    return Bar(limit, is_least=True, is_of_ratio=True)


@dataclass(frozen=True)
class Figure:
    """What was measured in each round of a run, at least one.

    yardstick: the same of what ours is compared with, in each round; empty where there is nothing to compare with.
    needs_quiet: it is a time on the clock, or counts what was done in one: other processes change it.
    """

    name: str
    unit: str
    ours: Sequence[float]
    yardstick: Sequence[float] = ()
    bar: Bar | None = None
    needs_quiet: bool = False

    @property
    def median(self) -> float:
        """Ours, in the unit."""
        return statistics.median(self.ours)

    @property
    def yardstick_median(self) -> float | None:
        """The yardstick's, in the unit; None where there is none."""
        return statistics.median(self.yardstick) if self.yardstick else None

    @property
    def compared(self) -> list[float]:
        """Of each round what compares with another run: the ratio; ours where there is no yardstick."""
        if not self.yardstick:
            return [*self.ours]
        return [ours / other for ours, other in zip(self.ours, self.yardstick, strict=True)]

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' ratios; None where there is no yardstick."""
        return statistics.median(self.compared) if self.yardstick else None

    @property
    def is_reached(self) -> bool | None:
        """Whether the bar is; None where there is no bar."""
        if self.bar is None:
            return None
        reached = self.median
        if self.bar.is_of_ratio:
            reached = statistics.median(self.compared)
        return reached >= self.bar.limit if self.bar.is_least else reached <= self.bar.limit


class Measurement(NamedTuple):
    """A figure, and the share of the machine's CPU, 0 to 1, that others took meanwhile."""

    figure: Figure
    busy: float

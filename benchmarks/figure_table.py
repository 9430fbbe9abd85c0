"""Figures as one table of aligned text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import chain

import click

from benchmarks.busy import BUSY, measured
from benchmarks.figure import Figure, Measurement
from benchmarks.figure_history import PastFigure

HEAD = ("figure", "ours", "yardstick", "ratio", "before", "bar", "verdict", "others' CPU")
NOTHING = "-"


class BarVerdict(StrEnum):
    """What a figure says about its bar."""

    MET = "met"
    MISSED = "missed"
    BUSY = "not to be had: busy"
    NO_BAR = NOTHING


def print_figures(measure: Callable[[], list[Figure]]) -> None:
    """Measure, and print the table: for a benchmark that runs alone."""
    click.echo(table(measured(measure)))


def table(
    measurements: Sequence[Measurement], before: Mapping[str, PastFigure] | None = None
) -> str:
    """A line for each figure. before: what another revision had, by the figure's name."""
    known = before or {}
    lines = [HEAD, *(_line(each, known.get(each.figure.name)) for each in measurements)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_aligned(line, widths) for line in lines)


def verdict(measurement: Measurement) -> BarVerdict:
    """Whether the bar is met. A machine that others keep busy says nothing about times on the clock."""
    figure, busy = measurement
    if figure.needs_quiet and busy > BUSY:
        return BarVerdict.BUSY
    if figure.is_reached is None:
        return BarVerdict.NO_BAR
    return BarVerdict.MET if figure.is_reached else BarVerdict.MISSED


def change(measurement: Measurement, before: PastFigure) -> str:
    """ "up" or "down" where the rounds of both runs lie apart; "" where they overlap, or one has a single round,
    or the machine was too busy for the figure."""
    now = measurement.figure.compared
    if len(now) < 2 or before.rounds < 2 or verdict(measurement) is BarVerdict.BUSY:
        return ""
    if min(now) > before.most:
        return "up"
    return "down" if max(now) < before.least else ""


def _line(measurement: Measurement, before: PastFigure | None) -> tuple[str, ...]:
    figure, busy = measurement
    return (
        figure.name,
        f"{_number(figure.median)} {figure.unit}",
        NOTHING if figure.yardstick_median is None else _number(figure.yardstick_median),
        NOTHING if figure.ratio is None else _number(figure.ratio),
        NOTHING if before is None else _before(measurement, before),
        str(figure.bar or NOTHING),
        verdict(measurement).value,
        f"{busy:.0%}",
    )


def _before(measurement: Measurement, before: PastFigure) -> str:
    said = change(measurement, before)
    return f"{_number(before.compared)}{f', now {said}' if said else ''}"


def _number(value: float) -> str:
    places = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{places}f}"


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    """Names to the left, and what begins with a number to the right."""
    name, *cells = zip(line, widths, strict=True)
    padded = (
        text.ljust(width) if heading in ("bar", "verdict") else text.rjust(width)
        for heading, (text, width) in zip(HEAD[1:], cells, strict=True)
    )
    return "  ".join(chain([name[0].ljust(name[1])], padded)).rstrip()

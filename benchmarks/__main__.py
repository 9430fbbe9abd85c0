"""`python -m benchmarks`: run the benchmarks one after the other, and print one table of what they have measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic

import click

from benchmarks.busy import measured
from benchmarks.figure import Measurement
from benchmarks.figure_history import (
    add_to_history,
    last_before,
    read_history,
    this_machine,
    this_revision,
)
from benchmarks.figure_table import table
from benchmarks.suite import BENCHMARKS, Benchmark, run
from core.moment import utc_now


@click.command()
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([each.name for each in BENCHMARKS]),
    help="May be repeated.",
)
@click.option("--quick", is_flag=True, help="A first look: fewer rounds, and nothing is kept.")
def main(only: Sequence[str], quick: bool) -> None:
    """Measure, print the table, and keep the figures in benchmarks/history.jsonl."""
    revision, failed = this_revision(), list[str]()
    chosen = [each for each in BENCHMARKS if not only or each.name in only]
    measurements: list[Measurement] = []
    for each in _measurements(chosen, quick, failed):
        measurements.append(each)
        if not quick:
            add_to_history([each], revision, utc_now())
    click.echo(table(measurements, last_before(read_history(), revision, this_machine())))
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def _measurements(
    benchmarks: Sequence[Benchmark], quick: bool, failed: list[str]
) -> Iterator[Measurement]:
    """Of each benchmark, in a process of its own; one that fails is noted, and the others go on."""
    for place, each in enumerate(benchmarks, 1):
        about = "a minute or two" if quick else f"about {each.minutes:.0f} min"
        _say(f"{each.name} ({place} of {len(benchmarks)}): {about}")
        began = monotonic()
        try:
            yield from measured(lambda each=each: run(each, quick))
        except (Exception, SystemExit) as fault:
            _say(f"{each.name} has failed: {fault!r}")
            failed.append(each.name)
        _say(f"{each.name} took {(monotonic() - began) / 60:.1f} min")


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()

"""What `make bench` says of its figures: the bars, the table, how busy the machine was, and the history."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from benchmarks import __main__ as bench
from benchmarks import figure_history, suite
from benchmarks.busy import BUSY, CpuTimes, cpu_times, measured, others_share
from benchmarks.figure import Bar, Figure, Measurement, at_most, ratio_at_least, ratio_at_most
from benchmarks.figure_history import add_to_history, last_before, read_history
from benchmarks.figure_table import BarVerdict, change, table, verdict
from benchmarks.suite import BENCHMARKS, Benchmark

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def figure(ours: Sequence[float] = (10,), yardstick: Sequence[float] = (), **more: Any) -> Figure:
    return Figure("CPU of a refresh", "ms", ours, yardstick, **more)


def past(file: Path, revision: str, measurement: Measurement) -> figure_history.PastFigure:
    """The measurement as a later run reads it."""
    add_to_history([measurement], revision, NOW, file)
    return read_history(file)[-1]


@pytest.mark.parametrize(
    ("bar", "ours", "is_reached"),
    [
        (at_most(15), 14.9, True),
        (at_most(15), 15, True),
        (at_most(15), 15.1, False),
        (ratio_at_most(3.6), 36, True),
        (ratio_at_most(3.6), 36.1, False),
        (ratio_at_least(0.35), 3.5, True),
        (ratio_at_least(0.35), 3.4, False),
        (None, 3.4, None),
    ],
)
def test_bar_is_reached_up_to_its_limit(
    bar: Bar | None, ours: float, is_reached: bool | None
) -> None:
    assert figure([ours], [10], bar=bar).is_reached is is_reached


def test_ratio_is_the_median_of_the_rounds_and_not_of_their_halves() -> None:
    noisy = figure([10, 40, 12], [10, 40, 6])
    assert noisy.ratio == 1
    assert noisy.compared == [1, 1, 2]
    assert (noisy.median, noisy.yardstick_median) == (12, 10)


@pytest.mark.parametrize(
    ("needs_quiet", "busy", "said"),
    [
        (True, BUSY, BarVerdict.MET),
        (True, BUSY + 0.01, BarVerdict.BUSY),
        (False, 1.0, BarVerdict.MET),
    ],
)
def test_time_on_the_clock_is_not_judged_on_a_busy_machine(
    needs_quiet: bool, busy: float, said: BarVerdict
) -> None:
    assert verdict(Measurement(figure(bar=at_most(15), needs_quiet=needs_quiet), busy)) is said


def test_verdict_says_missed_and_nothing_where_there_is_no_bar() -> None:
    assert verdict(Measurement(figure(bar=at_most(9)), 0)) is BarVerdict.MISSED
    assert verdict(Measurement(figure(), 0)) is BarVerdict.NO_BAR


def test_table_has_a_line_for_each_figure_under_its_heads(tmp_path: Path) -> None:
    now = Measurement(figure([20, 22], [10, 10], bar=ratio_at_most(2)), 0.4)
    before = past(tmp_path / "history", "abc", Measurement(figure([10, 11], [10, 10]), 0))
    head, line = table([now], {"CPU of a refresh": before}).splitlines()
    assert cells(head) == [
        *("figure", "ours", "yardstick", "ratio", "before", "bar", "verdict", "others' CPU")
    ]
    assert cells(line) == [
        *("CPU of a refresh", "21.0 ms", "10.0", "2.10", "1.05, now up", "<= 2 times"),
        *("missed", "40%"),
    ]
    assert head.index("bar") == line.index("<=")


def cells(line: str) -> list[str]:
    return re.split(r" {2,}", line)


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ([10, 11], [12, 13], "up"),
        ([10, 11], [8, 9], "down"),
        ([10, 11], [11, 13], ""),
        ([10], [20, 21], ""),
        ([10, 11], [20], ""),
    ],
)
def test_change_is_marked_where_the_rounds_of_both_runs_lie_apart(
    before: list[float], now: list[float], said: str, tmp_path: Path
) -> None:
    known = past(tmp_path / "history", "abc", Measurement(figure(before), 0))
    assert change(Measurement(figure(now), 1), known) == said


def test_change_of_a_time_is_not_marked_on_a_busy_machine(tmp_path: Path) -> None:
    known = past(tmp_path / "history", "abc", Measurement(figure([10, 11]), 0))
    slower = figure([12, 13], needs_quiet=True)
    assert change(Measurement(slower, 0), known) == "up"
    assert change(Measurement(slower, 1), known) == ""


def test_others_share_leaves_out_what_is_ours() -> None:
    assert others_share(CpuTimes(100, 50, 10), CpuTimes(120, 65, 20)) == 0.25
    assert others_share(CpuTimes(100, 50, 10), CpuTimes(100, 50, 10)) == 0


WORK = "import time\nwhile time.process_time() < 0.5: pass"


def test_cpu_of_children_is_ours_also_of_one_whose_parent_has_ended() -> None:
    orphan = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {WORK!r}])"
    marks: list[float] = []

    def measure() -> list[Figure]:
        marks.append(cpu_times().ours)
        subprocess.run([sys.executable, "-c", WORK], check=True)
        subprocess.run([sys.executable, "-c", orphan], check=True)
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        return [figure()]

    measured(measure)
    assert cpu_times().ours - marks[0] > 1.0


def test_cpu_of_a_stranger_is_not_ours() -> None:
    before = cpu_times()
    stranger = subprocess.Popen([sys.executable, "-c", WORK])
    read_until_end(stranger)
    after = cpu_times()
    stranger.wait()
    assert after.used - before.used >= 0.4
    assert others_share(before, after) > 0


def read_until_end(process: subprocess.Popen[bytes]) -> None:
    """Returns when it has ended, and leaves it to be waited for."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def test_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "history"
    assert read_history(file) == []
    found = past(file, "abc", Measurement(figure([1.23456, 3], [2, 2], needs_quiet=True), 0.12345))
    assert (found.date, found.revision, found.unit) == ("2026-11-30T12:00Z", "abc", "ms")
    assert (found.ours, found.yardstick, found.ratio) == (2.117, 2.0, 1.059)
    assert (found.rounds, found.least, found.most, found.busy) == (2, 0.6173, 1.5, 0.123)
    assert past(file, "abd", Measurement(figure(), 0)).ratio is None
    assert len(read_history(file)) == 2


def test_before_is_the_last_of_another_revision_on_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "history"
    for revision, ours in (("aaa", 1), ("bbb", 2), ("ccc", 3)):
        past(file, revision, Measurement(figure([ours]), 0))
    history = read_history(file)
    machine = history[0].machine
    assert last_before(history, "ccc", machine)["CPU of a refresh"].ours == 2
    assert last_before(history, "ddd", machine)["CPU of a refresh"].ours == 3
    assert last_before(history, "ddd", "another machine") == {}


def test_before_leaves_out_times_of_a_busy_machine(tmp_path: Path) -> None:
    file = tmp_path / "history"
    past(file, "aaa", Measurement(figure([1], needs_quiet=True), 0.1))
    busy = past(file, "bbb", Measurement(figure([2], needs_quiet=True), 0.5))
    assert last_before(read_history(file), "ccc", busy.machine)["CPU of a refresh"].ours == 1


def test_kept_history_is_readable() -> None:
    assert all(line.least <= line.compared <= line.most for line in read_history())


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda each: each.name)
def test_each_benchmark_has_the_options_that_a_quick_run_sets(benchmark: Benchmark) -> None:
    options = import_module(f"benchmarks.{benchmark.name}").main.params
    assert set(benchmark.quick) <= {option.name for option in options}


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of two benchmarks one fails; the file that figures are kept in."""
    file = tmp_path / "history"
    monkeypatch.setattr(
        bench, "BENCHMARKS", [Benchmark("storage", 1, {}), Benchmark("chat", 1, {})]
    )
    monkeypatch.setattr(bench, "run", one_that_fails)
    monkeypatch.setattr(bench, "add_to_history", partial(add_to_history, file=file))
    return file


def one_that_fails(benchmark: Benchmark, quick: bool) -> list[Figure]:
    if benchmark.name == "storage":
        raise SystemExit("a server ended")
    return [figure([3])]


def test_benchmark_that_fails_is_named_and_the_others_go_on(small: Path) -> None:
    done = CliRunner().invoke(bench.main, [])
    assert done.exit_code == 1
    assert "3.00 ms" in done.stdout
    assert "storage has failed: SystemExit('a server ended')" in done.stderr
    assert "failed: storage" in done.output
    assert [line.ours for line in read_history(small)] == [3]


def test_quick_look_at_one_is_not_kept(small: Path) -> None:
    done = CliRunner().invoke(bench.main, ["--only", "chat", "--quick"])
    assert "3.00 ms" in done.stdout
    assert not small.exists()


def test_benchmark_runs_with_its_own_defaults_and_prints_to_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stand:
        @staticmethod
        @click.command()
        @click.option("--visits", default=20)
        @click.option("--rounds", default=5)
        def main(visits: int, rounds: int) -> None: ...

        @staticmethod
        def measure(visits: int, rounds: int) -> list[Figure]:
            click.echo("half done")
            return [figure([visits, rounds])]

    monkeypatch.setattr(suite, "import_module", lambda name: Stand)
    [measured] = suite._measure("stand", {"rounds": 2})
    assert measured.ours == [20, 2]
    assert capsys.readouterr() == ("", "half done\n")

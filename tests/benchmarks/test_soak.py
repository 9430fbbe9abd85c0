"""The soak: what it finds bad, and one minute of it at the real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from benchmarks.soak_plot import plot
from benchmarks.soak_samples import SoakSample, read_csv, write_csv
from benchmarks.soak_verdicts import JUDGED_FROM, judge_samples

ROOT = Path(__file__).parents[2]
MINUTES = 60
MB = 1_000_000
QUIET: dict[str, Any] = {field.name: 100 for field in fields(SoakSample)} | {
    "collector_memory": 120 * MB,
    "dashboard_memory": 280 * MB,
    "wal": 4 * MB,
    "database": 40 * MB,
    "used": 30 * MB,
    "views": 100_000,
    "queue": 1,
}


def run(minutes: int = MINUTES, /, **values: Callable[[float], float]) -> list[SoakSample]:
    """An hour of samples in which nothing changes but these values, each a function of the hour's part."""
    return [
        SoakSample(
            **QUIET
            | {name: round(value(at / (minutes * 6))) for name, value in values.items()}
            | {"seconds": (at + 1) * 10}
        )
        for at in range(minutes * 6)
    ]


def failed(samples: list[SoakSample]) -> list[str]:
    return [verdict.name for verdict in judge_samples(samples) if verdict.is_good is False]


def test_an_hour_in_which_nothing_grows_is_good() -> None:
    assert failed(run()) == []


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("collector_memory", "collector's memory"),
        ("collector_threads", "collector's threads"),
        ("dashboard_memory", "dashboard's memory"),
        ("dashboard_handles", "dashboard's handles"),
        ("database", "the database's size"),
    ],
)
def test_what_grows_by_a_third_in_an_hour_is_found(value: str, verdict: str) -> None:
    grown = run(**{value: lambda at: QUIET[value] * (1 + at / 3)})
    assert verdict in failed(grown)


def test_memory_that_grows_only_while_it_warms_up_is_good() -> None:
    assert failed(run(collector_memory=lambda at: min(90 + 100 * at, 120) * MB)) == []


@pytest.mark.parametrize(("more", "is_found"), [(1, False), (4, True)])
def test_one_thread_more_in_the_busiest_minutes_is_no_growth(more: int, is_found: bool) -> None:
    grown = run(dashboard_threads=lambda at: 12 + more * (at > 0.8))
    assert ("dashboard's threads" in failed(grown)) is is_found


def test_growth_is_not_judged_in_a_run_that_is_too_short_for_it() -> None:
    grown = run(JUDGED_FROM - 2, collector_memory=lambda at: 100 * MB * (1 + at))
    assert failed(grown) == []


def test_a_log_that_was_large_once_is_found() -> None:
    assert failed(run(wal=lambda at: (300 if 0.5 < at < 0.51 else 4) * MB)) == ["SQLite's log"]


def test_views_that_take_more_and_more_room_are_found() -> None:
    assert failed(run(used=lambda at: 30 * MB * (1 + at))) == ["bytes for each stored page view"]


def test_a_queue_that_is_never_worked_off_is_found() -> None:
    assert failed(run(queue=lambda at: 1_000 * at)) == ["hits that waited"]


def test_samples_are_read_as_they_were_written(tmp_path: Path) -> None:
    samples = run(2, p99=lambda at: 100 * at)
    write_csv(samples, tmp_path / "soak.csv")
    assert read_csv(tmp_path / "soak.csv") == samples


def test_the_plot_has_its_colours_for_light_and_dark(tmp_path: Path) -> None:
    plot(run(2), tmp_path / "soak.svg")
    drawn = (tmp_path / "soak.svg").read_text("utf-8")
    assert drawn.startswith("<svg ")
    assert "prefers-color-scheme:dark" in drawn
    assert drawn.count("role-mark") > 6
    assert "SQLite's log" in drawn


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_minute_at_the_real_processes_loses_nothing(tmp_path: Path) -> None:
    files = [f"--csv={tmp_path / 'soak.csv'}", f"--svg={tmp_path / 'soak.svg'}"]
    done = subprocess.run(
        [sys.executable, "benchmarks/soak.py", "--minutes=1", "--rate=20", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 lost, 0 that nobody sent" in done.stdout
    assert len(read_csv(tmp_path / "soak.csv")) >= 5

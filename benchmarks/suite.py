"""The benchmarks of `make bench`, and one of them run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from importlib import import_module
from multiprocessing import get_context
from typing import Any, NamedTuple

from benchmarks.figure import Figure


class Benchmark(NamedTuple):
    """A file whose `measure` gives figures. minutes: what it takes, about. quick: arguments for a first look."""

    name: str
    minutes: float
    quick: Mapping[str, Any]


BENCHMARKS = (
    Benchmark("ingest", 3, {"rounds": 2, "seconds": 2.0}),
    Benchmark("worker", 1, {"rounds": 2, "turns": 20}),
    Benchmark("writer", 1, {"hits": 6_000}),
    Benchmark("footprint", 2, {"starts": 1}),
    Benchmark("refresh", 2, {"much": 100_000, "rounds": 5}),
    Benchmark("past", 4, {"online": 2_000, "much": 100_000, "rounds": 5}),
    Benchmark("retention", 15, {"visits": 50_000, "seconds": 10}),
    Benchmark("storage", 1, {"visits": 2_000}),
    Benchmark("export_table", 2, {"visits": 20_000, "rounds": 1}),
    Benchmark("viewers", 3, {"rounds": 2, "seconds": 8}),
    Benchmark("live", 5, {"times": 3, "seconds": 5}),
    Benchmark("streams", 2, {"streams": 1_000, "seconds": 5}),
    Benchmark("listeners", 4, {"browsers": 200, "seconds": 5}),
    Benchmark("chat", 6, {"invitations": 3, "messages": 5}),
    Benchmark("page_load", 4, {"loads": 3}),
)


def run(benchmark: Benchmark, quick: bool) -> list[Figure]:
    """What it measures, in a process of its own. Raises what it raises.

    What it prints meanwhile is progress, and goes to stderr.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        arguments = benchmark.quick if quick else {}
        return processes.submit(_measure, benchmark.name, arguments).result()


def _measure(name: str, arguments: Mapping[str, Any]) -> list[Figure]:
    """With the defaults of its own options for what is not named."""
    with redirect_stdout(sys.stderr):
        benchmark = import_module(f"benchmarks.{name}")
        defaults = benchmark.main.make_context(name, []).params
        return benchmark.measure(**defaults | dict(arguments))

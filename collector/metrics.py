"""The metrics of /metrics. What the processes of a collector count is in memory that they share, so that whichever
of them is asked gives the sum as it is at that moment."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector as MetricSource

from collector.shared_numbers import SharedNumbers
from core.reasons import Reason

_BATCHES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)
_COMMITS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_RESULTS = ("accepted", *Reason)
NOTICE_RESULTS = ("sent", "failed", "given_up")
MOST_REFUSALS = 40
"""Reasons for which a connection may be refused, at most."""


class Gauge(IntEnum):
    """What a process is at, by its number in the process' row.

    IS_WORKER: 1 while it answers requests. BEGAN: since when the writer is at what it does, 0 while it waits. SEEN: when
    it has begun to wait last.
    """

    DEPTH = 0
    STREAMS = 1
    CONNECTIONS = 2
    IS_FOLLOWING = 3
    IS_WORKER = 4
    BEGAN = 5
    SEEN = 6
    LISTENERS = 7


class _Histogram:
    """Numbers of a row: how many fell into each bucket, then their sum."""

    def __init__(self, first: int, bounds: Sequence[float]) -> None:
        self._first = first
        self._bounds = bounds
        self.end = first + len(bounds) + 2

    def observe(self, row: memoryview[float], value: float) -> None:
        row[self._first + bisect_left(self._bounds, value)] += 1
        row[self.end - 1] += value

    def family(self, name: str, text: str, sums: Sequence[float]) -> Metric:
        *counts, total = sums[self._first : self.end]
        bounds = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        buckets = list(zip(bounds, accumulate(counts), strict=True))
        return HistogramMetricFamily(name, text, buckets=buckets, sum_value=total)


_BEACONS = len(Gauge)
_CALLS = _BEACONS + len(_RESULTS)
_REFUSED = _CALLS + len(_RESULTS)
_BATCH_HITS = _Histogram(_REFUSED + MOST_REFUSALS, _BATCHES)
_COMMIT_SECONDS = _Histogram(_BATCH_HITS.end, _COMMITS)
_ACTION_SECONDS = _Histogram(_COMMIT_SECONDS.end, _COMMITS)
_NOTICES = _ACTION_SECONDS.end
COLUMNS = _NOTICES + len(NOTICE_RESULTS)
"""Numbers in the row of a process."""

_BEACON_OF = {result: _BEACONS + number for number, result in enumerate(_RESULTS)}
_CALL_OF = {result: _CALLS + number for number, result in enumerate(_RESULTS)}


def process_numbers(processes: int) -> SharedNumbers:
    """The rows of so many processes."""
    return SharedNumbers(processes, COLUMNS)


def forget_process(numbers: SharedNumbers, row: int) -> None:
    """It has ended, and is at nothing any more; what it has counted stays."""
    for gauge in Gauge:
        numbers.row(row)[gauge] = 0


class Metrics:
    """What one process counts, at some tenths of a microsecond each, and the sum of all.

    row: which one is this process'. refusals: the reasons for which connections are refused.
    """

    def __init__(self, numbers: SharedNumbers, row: int, refusals: Sequence[str] = ()) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Sums(self))
        self.numbers = numbers
        self.refusals = refusals
        self.row_number = row
        self._row = numbers.row(row)
        self._refused_of = {reason: _REFUSED + number for number, reason in enumerate(refusals)}
        self._watched: dict[Gauge, Callable[[], float]] = {}

    def beacon(self, result: str) -> None:
        """Count one beacon."""
        self._row[_BEACON_OF[result]] += 1

    def call(self, result: str) -> None:
        """Count one chat call."""
        self._row[_CALL_OF[result]] += 1

    def action_committed(self, seconds: float) -> None:
        """Count one chat action that took so long until it was committed."""
        _ACTION_SECONDS.observe(self._row, seconds)

    def refused_connection(self, reason: str) -> None:
        """Count one connection that was refused or ended."""
        self._row[self._refused_of[reason]] += 1

    def committed(self, size: int, seconds: float) -> None:
        """Count one transaction of `size` hits."""
        _BATCH_HITS.observe(self._row, size)
        _COMMIT_SECONDS.observe(self._row, seconds)

    def notice(self, result: str, number: int = 1) -> None:
        """Count attempts to send notices: one of NOTICE_RESULTS."""
        self._row[_NOTICES + NOTICE_RESULTS.index(result)] += number

    def set(self, gauge: Gauge, value: float) -> None:
        """Note what this process is at."""
        self._row[gauge] = value

    def sum(self, gauge: Gauge) -> float:
        """What all processes have noted last."""
        return sum(self.numbers.column(gauge))

    def watch(self, gauge: Gauge, value: Callable[[], float]) -> None:
        """Ask for this whenever the metrics are read here; for other processes at each `note`."""
        self._watched[gauge] = value

    def note(self) -> None:
        """Note what is watched, for other processes to read."""
        self._row[Gauge.IS_WORKER] = 1
        for gauge, value in self._watched.items():
            self._row[gauge] = value()

    def text(self) -> bytes:
        """The metrics in Prometheus' text format."""
        self.note()
        return generate_latest(self.registry)


class _Sums(MetricSource):
    """The metrics of all processes together."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def describe(self) -> Sequence[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        numbers, refusals = self._metrics.numbers, self._metrics.refusals
        sums = [sum(numbers.column(column)) for column in range(COLUMNS)]
        yield _counter(
            "monitor_beacons", "Beacons by result: accepted, or the reason why not", "result",
            _RESULTS, sums[_BEACONS:],
        )  # fmt: skip
        yield _BATCH_HITS.family("monitor_batch_hits", "Hits in one transaction", sums)
        text = "Seconds that one transaction took"
        yield _COMMIT_SECONDS.family("monitor_commit_seconds", text, sums)
        text = "Hits that wait for the results of their transaction"
        yield GaugeMetricFamily("monitor_queue_depth", text, sums[Gauge.DEPTH])
        yield _counter(
            "monitor_chat_calls", "Chat calls by result: accepted, or the reason why not", "result",
            _RESULTS, sums[_CALLS:],
        )  # fmt: skip
        text = "Seconds from a chat call to its commit"
        yield _ACTION_SECONDS.family("monitor_chat_action_seconds", text, sums)
        text = "Open conversation streams"
        yield GaugeMetricFamily("monitor_chat_streams", text, sums[Gauge.STREAMS])
        text = "Open calls of browsers that wait for an invitation"
        yield GaugeMetricFamily("monitor_chat_listeners", text, sums[Gauge.LISTENERS])
        yield GaugeMetricFamily(
            "monitor_chat_feed_up",
            "1 while what is written in chats is passed on to the streams, else 0",
            float(sums[Gauge.IS_FOLLOWING] == sums[Gauge.IS_WORKER]),
        )
        text = "Open connections"
        yield GaugeMetricFamily("monitor_connections", text, sums[Gauge.CONNECTIONS])
        yield _counter(
            "monitor_refused_connections", "Connections that were refused or ended, by reason",
            "reason", refusals, sums[_REFUSED:],
        )  # fmt: skip
        yield _counter(
            "monitor_notices", "Texts to addresses for notices, by result", "result",
            NOTICE_RESULTS, sums[_NOTICES:],
        )  # fmt: skip


def _counter(
    name: str, text: str, label: str, values: Sequence[str], sums: Sequence[float]
) -> Metric:
    """What has been counted at least once."""
    family = CounterMetricFamily(name, text, labels=[label])
    for value, number in zip(values, sums, strict=False):
        if number:
            family.add_metric([value], number)
    return family

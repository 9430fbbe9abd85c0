"""The metrics of /metrics, in a registry of their own, without those of other libraries."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BATCHES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)
_COMMITS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """Counters that cost less than a microsecond a beacon."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._beacons = Counter(
            "monitor_beacons",
            "Beacons by result: accepted, or the reason why not",
            ["result"],
            registry=self.registry,
        )
        self._batch_size = Histogram(
            "monitor_batch_hits",
            "Hits in one transaction",
            buckets=_BATCHES,
            registry=self.registry,
        )
        self._commit_seconds = Histogram(
            "monitor_commit_seconds",
            "Seconds that one transaction took",
            buckets=_COMMITS,
            registry=self.registry,
        )
        self._queue_depth = Gauge(
            "monitor_queue_depth", "Hits that wait for a transaction", registry=self.registry
        )
        self._calls = Counter(
            "monitor_chat_calls",
            "Chat calls by result: accepted, or the reason why not",
            ["result"],
            registry=self.registry,
        )
        self._action_seconds = Histogram(
            "monitor_chat_action_seconds",
            "Seconds from a chat call to its commit",
            buckets=_COMMITS,
            registry=self.registry,
        )
        self._streams = Gauge(
            "monitor_chat_streams", "Open conversation streams", registry=self.registry
        )
        self._feed = Gauge(
            "monitor_chat_feed_up",
            "1 while what is written in chats is passed on to the streams, else 0",
            registry=self.registry,
        )
        self._connections = Gauge("monitor_connections", "Open connections", registry=self.registry)
        self._refused_connections = Counter(
            "monitor_refused_connections",
            "Connections that were refused or ended, by reason",
            ["reason"],
            registry=self.registry,
        )
        self._results: dict[str, Counter] = {}

    def beacon(self, result: str) -> None:
        """Count one beacon."""
        counter = self._results.get(result)
        if counter is None:
            counter = self._results[result] = self._beacons.labels(result)
        counter.inc()

    def call(self, result: str) -> None:
        """Count one chat call."""
        self._calls.labels(result).inc()

    def action_committed(self, seconds: float) -> None:
        """Count one chat action that took so long until it was committed."""
        self._action_seconds.observe(seconds)

    def watch_streams(self, number: Callable[[], int]) -> None:
        """Ask for the number of open streams whenever the metrics are read."""
        self._streams.set_function(number)

    def watch_feed(self, is_following: Callable[[], bool]) -> None:
        """Ask whether the feed follows the chats whenever the metrics are read."""
        self._feed.set_function(is_following)

    def watch_connections(self, number: Callable[[], int]) -> None:
        """Ask for the number of open connections whenever the metrics are read."""
        self._connections.set_function(number)

    def refused_connection(self, reason: str) -> None:
        """Count one connection that was refused or ended."""
        self._refused_connections.labels(reason).inc()

    def committed(self, size: int, seconds: float) -> None:
        """Count one transaction of `size` hits."""
        self._batch_size.observe(size)
        self._commit_seconds.observe(seconds)

    def watch_queue(self, depth: Callable[[], int]) -> None:
        """Ask for the queue's depth whenever the metrics are read."""
        self._queue_depth.set_function(depth)

    def text(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)

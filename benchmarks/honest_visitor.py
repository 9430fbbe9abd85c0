"""A visitor who sends a beacon every few milliseconds, and how long each answer took."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass, field
from threading import Event

EVERY = 0.02
"""Seconds between two beacons."""

ANSWERED_WITHIN = 5.0
"""Seconds after which a beacon has failed."""

_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
)


@dataclass
class Experience:
    """latencies: seconds, of each beacon; of one that failed, until it did. failed: without a 2xx."""

    latencies: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def sent(self) -> int:
        return len(self.latencies)

    def percentile(self, share: float) -> float:
        """Seconds that this share of the beacons did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class HonestVisitor:
    """Sends over one connection after another, ten beacons each."""

    def __init__(self, port: int) -> None:
        self.experience = Experience()
        self._port = port
        self._is_over = Event()

    def run(self) -> None:
        """Send until `end` is called."""
        number = 0
        while not self._is_over.is_set():
            connection = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=ANSWERED_WITHIN
            )
            for _ in range(10):
                number += 1
                if not self._send(connection, number):
                    break
                self._is_over.wait(EVERY)
            connection.close()

    def end(self) -> None:
        """Send no more."""
        self._is_over.set()

    def _send(self, connection: http.client.HTTPConnection, number: int) -> bool:
        event = {"e": "v", "n": number, "u": f"/page-{number % 50}"}
        body = {"v": 1, "k": "demo", "s": "visit0000000honest", "t": "tab00001", "b": [event]}
        began = time.perf_counter()
        try:
            connection.request("POST", "/v1/beacon", json.dumps(body), {"User-Agent": _AGENT})
            response = connection.getresponse()
            response.read()
            is_answered = response.status == 200
        except (OSError, http.client.HTTPException):
            is_answered = False
        self.experience.latencies.append(time.perf_counter() - began)
        self.experience.failed += not is_answered
        if not is_answered:
            time.sleep(EVERY)
        return is_answered

"""A visitor who goes on sending page views while a collector is attacked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import httpx

from tests.helpers.running_collector import CHROME, view

ANSWERED_WITHIN = 10.0
"""Seconds, on a machine where other tests run too: who is shut out waits for longer."""

A_CONNECTION = 5
"""Beacons on one connection; then the next one has to be let in."""


class HonestClient:
    """`answers`: how many there were of each status, 0 for none at all."""

    def __init__(self, port: int, site: str) -> None:
        self.answers: Counter[int] = Counter()
        self._url = f"http://127.0.0.1:{port}/v1/beacon"
        self._site = site
        self._is_over = Event()

    def run(self) -> None:
        """Send until `end` is called."""
        number = 0
        while not self._is_over.is_set():
            with httpx.Client(timeout=ANSWERED_WITHIN) as http:
                for _ in range(A_CONNECTION):
                    number += 1
                    self.answers[self._send(http, number)] += 1
                    self._is_over.wait(0.05)

    def end(self) -> None:
        """Send no more."""
        self._is_over.set()

    def _send(self, http: httpx.Client, number: int) -> int:
        body = {"v": 1, "k": self._site, "s": "visit0000000honest", "t": "tab00001"}
        try:
            answer = http.post(
                self._url, json=body | {"b": [view(number)]}, headers={"User-Agent": CHROME}
            )
        except httpx.TransportError:
            return 0
        return answer.status_code


@contextmanager
def honest_client(port: int, site: str) -> Iterator[HonestClient]:
    """A client that sends as long as the context lasts."""
    client = HonestClient(port, site)
    thread = Thread(target=client.run)
    thread.start()
    try:
        yield client
    finally:
        client.end()
        thread.join(30)

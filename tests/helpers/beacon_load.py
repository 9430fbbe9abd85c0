"""Visitors who send page views to a collector as fast as it answers, and what it has acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

import httpx

from tests.helpers.running_collector import CHROME, view

VISITORS = 6


class BeaconLoad:
    """`acknowledged`: the page views that are stored for good, each as its visit and number.

    each_path: what follows the number of each page view in its path.
    """

    def __init__(self, url: str, site: str, each_path: str) -> None:
        self._each_path = each_path
        self.acknowledged: list[tuple[str, int]] = []
        self._url = url
        self._site = site
        self._stop = Event()

    def visit(self, visitor: int) -> None:
        """Send the page views of one visit until the load ends, or the collector does."""
        visit = f"visit{visitor:011d}"
        with httpx.Client(headers={"User-Agent": CHROME}, timeout=20) as http:
            for number in range(1, 100_000):
                if self._stop.is_set():
                    return
                body = {
                    "v": 1,
                    "k": self._site,
                    "s": visit,
                    "t": "tab00001",
                    "b": [self._view(number)],
                }
                with suppress(httpx.TransportError):
                    if http.post(f"{self._url}/v1/beacon", json=body).status_code == 200:
                        self.acknowledged.append((visit, number))

    def _view(self, number: int) -> dict[str, Any]:
        return view(number, f"/{number}/{self._each_path}" if self._each_path else "/")

    def end(self) -> None:
        """Send no more."""
        self._stop.set()


@contextmanager
def beacon_load(url: str, site: str, each_path: str = "") -> Iterator[BeaconLoad]:
    """A load that lasts as long as the context."""
    load = BeaconLoad(url, site, each_path)
    threads = [Thread(target=load.visit, args=(number,)) for number in range(VISITORS)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.end()
        for thread in threads:
            thread.join(30)

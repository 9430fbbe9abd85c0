"""How soon a beacon is on the screen, and what the push costs, with real browsers that watch."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import click
import httpx
from playwright.sync_api import Browser, Page, WebSocket, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.figure import Figure, at_most
from benchmarks.figure_table import print_figures
from benchmarks.servers import BenchmarkServer, collector, dashboard
from core.database import open_database, writing
from core.sites import add_site

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ON_SCREEN_WITHIN = 29_000
"""Milliseconds: less than the timer's interval, so that only what is pushed counts."""

MOST_SECONDS = 3
"""From a beacon until its row is visible."""

ACTIVE_EVERY = 10.0
"""Seconds between two page views of an active visitor."""

_numbers = count(1)


class Beacons:
    """What visitors' scripts send to the collector."""

    def __init__(self, server: BenchmarkServer) -> None:
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{server.port}", headers={"User-Agent": CHROME}, timeout=30
        )

    def view(self, site: str, path: str, visitor: int, number: int = 1) -> None:
        """One page view of this visitor; returns once it is committed."""
        beacon = {
            "v": 1,
            "k": site,
            "s": f"visitor{visitor:013d}",
            "t": "tab00001",
            "b": [{"e": "v", "n": number, "u": path}],
        }
        self._http.post("/v1/beacon", json=beacon).raise_for_status()

    @contextmanager
    def active(self, site: str, visitors: int) -> Iterator[None]:
        """While it lasts, so many visitors look at another page every ACTIVE_EVERY."""
        over = Event()
        ids = [next(_numbers) for _ in range(visitors)]

        def visit() -> None:
            for number in count(1):
                for visitor in ids:
                    self.view(site, f"/page-{number}", visitor, number)
                    if over.wait(ACTIVE_EVERY / visitors):
                        return

        thread = Thread(target=visit)
        if visitors:
            thread.start()
        yield
        over.set()
        if visitors:
            thread.join()


@click.command()
@click.option("--times", default=10, show_default=True, help="Beacons of each kind.")
@click.option("--seconds", default=20, show_default=True, help="Length of one CPU measurement.")
@click.option("--database-url", default=None, help="Default: a SQLite file of its own.")
@click.option("--browser", default="/usr/bin/chromium", show_default=True)
def main(**options: Any) -> None:
    """Print seconds to the screen, CPU per viewer, and bytes per refresh."""
    print_figures(lambda: measure(**options))


def measure(times: int, seconds: int, database_url: str | None, browser: str) -> list[Figure]:
    """Seconds to the screen, bytes of a refresh, and CPU of a viewer."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        url = database_url or f"sqlite:///{Path(folder) / 'monitor.db'}"
        with collector(url) as shop, dashboard(url) as server:
            chromium = playwright.chromium.launch(executable_path=browser, args=BROWSER_ARGUMENTS)
            new_sites = [f"new-{number}" for number in range(times)]
            _add_sites(url, [*new_sites, "busy", "calm"])
            beacons = Beacons(shop)
            rows = _time_rows(chromium, server, beacons, times)
            first = [_time_first(chromium, server, beacons, site) for site in new_sites]
            figures = [
                *_to_screen("from a beacon to its row", rows),
                *_to_screen("from the first visit to the table", first),
                _bytes(chromium, server, beacons),
                *_cpu(chromium, server, beacons, seconds),
            ]
            chromium.close()
    return figures


def _add_sites(url: str, keys: list[str]) -> None:
    engine = open_database(url)
    with writing(engine) as db:
        for key in keys:
            add_site(db, name=key, key=key, now=datetime.now(UTC))
    engine.dispose()
    time.sleep(3)  # until the collector has read them


def _open(chromium: Browser, server: BenchmarkServer, site: str) -> Page:
    """A browser of its own that watches the site live."""
    page = chromium.new_context().new_page()
    page.goto(f"http://127.0.0.1:{server.port}/?site={site}")
    page.get_by_role("status").get_by_text("Live", exact=True).wait_for()
    page.wait_for_timeout(3_000)
    return page


def _time_rows(
    chromium: Browser, server: BenchmarkServer, beacons: Beacons, times: int
) -> list[float]:
    """Seconds, at random moments: the page before may just have been pushed."""
    beacons.view("calm", "/", next(_numbers))
    page = _open(chromium, server, "calm")
    measured: list[float] = []
    for number in range(times):
        page.wait_for_timeout(random.uniform(500, 4_000))
        path = f"/beacon-{number}"
        measured.append(
            _seconds_to(page, path, lambda path=path: beacons.view("calm", path, next(_numbers)))
        )
    page.context.close()
    return measured


def _time_first(chromium: Browser, server: BenchmarkServer, beacons: Beacons, site: str) -> float:
    page = _open(chromium, server, site)
    page.get_by_text("No visitors yet").wait_for()
    seconds = _seconds_to(page, "/first", lambda: beacons.view(site, "/first", next(_numbers)))
    page.context.close()
    return seconds


def _seconds_to(page: Page, path: str, send: Callable[[], None]) -> float:
    """Until the path stands in the table."""
    row = page.get_by_role("table").get_by_text(path, exact=True)
    began = time.perf_counter()
    send()
    row.wait_for(timeout=ON_SCREEN_WITHIN)
    return time.perf_counter() - began


def _bytes(chromium: Browser, server: BenchmarkServer, beacons: Beacons) -> Figure:
    """What a refresh carries, and what it would with the scripts and styles in it."""
    received: list[int] = []

    def watch(socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: received.append(len(payload)))

    page = chromium.new_context().new_page()
    page.on("websocket", watch)
    page.goto(f"http://127.0.0.1:{server.port}/?site=calm")
    page.get_by_role("status").get_by_text("Live", exact=True).wait_for()
    sizes: list[int] = []
    for number in range(5):
        page.wait_for_timeout(3_000)
        before = sum(received)
        path = f"/size-{number}"
        _seconds_to(page, path, lambda path=path: beacons.view("calm", path, next(_numbers)))
        page.wait_for_timeout(1_000)
        sizes.append(sum(received) - before)
    scripts: Any = page.evaluate(
        """() => performance.getEntriesByType("resource")
            .filter(({ name }) => name.includes("/scripts/") && !name.includes("_chat-"))
            .reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0)"""
    )
    page.context.close()
    return Figure(
        "a pushed refresh, to one with its scripts",
        "kB",
        [size / 1024 for size in sizes],
        [(size + scripts) / 1024 for size in sizes],
    )


def _cpu(
    chromium: Browser, server: BenchmarkServer, beacons: Beacons, seconds: int
) -> list[Figure]:
    page = _open(chromium, server, "busy")
    paused: dict[int, float] = {}
    live: dict[int, float] = {}
    for choice, measured in (("Paused", paused), ("Live", live)):
        _choose(page, choice)
        for visitors in (0, 10, 100):
            with beacons.active("busy", visitors):
                page.wait_for_timeout(3_000)
                before = server.cpu()
                page.wait_for_timeout(seconds * 1_000)
                measured[visitors] = (server.cpu() - before) / seconds
    page.context.close()
    return [
        Figure(
            f"a live viewer, to a paused one, {visitors} active visitors",
            "% of a core",
            [live[visitors] * 100],
            [max(paused[visitors], 0.001) * 100],
        )
        for visitors in live
    ]


def _choose(page: Page, choice: str) -> None:
    page.get_by_role("combobox", name="Refresh").click()
    page.get_by_role("option", name=choice, exact=True).click()
    page.wait_for_timeout(2_000)


def _to_screen(label: str, seconds: list[float]) -> list[Figure]:
    return [
        Figure(label, "s", seconds, needs_quiet=True),
        Figure(
            f"{label}, slowest of {len(seconds)}",
            "s",
            [max(seconds)],
            (),
            at_most(MOST_SECONDS),
            needs_quiet=True,
        ),
    ]


if __name__ == "__main__":
    main()

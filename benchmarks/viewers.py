"""What a viewer's refresh costs the dashboard: beside Streamlit's floor, and with one and several real browsers."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.figure import Figure, at_most, ratio_at_most
from benchmarks.figure_table import print_figures
from benchmarks.history import fill
from benchmarks.page_viewer import PageViewer, open_page
from benchmarks.servers import BenchmarkServer, dashboard, empty_page

INTERVAL = 2
"""Seconds: the shortest that an agent may choose."""

DRAWS = 10
"""Refreshes of each viewer in a round."""

MOST_CPU = 15
"""Milliseconds of a refresh, with eight viewers."""

MOST_BYTES = 40
"""Kilobytes of a refresh."""

OPENS_WITHIN = 120_000
"""Milliseconds: a load of 40 on two cores has taken more than 30 s."""

BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


WatchedPages = tuple[BenchmarkServer, Sequence[PageViewer]]
"""A server, and those who watch it."""


class RefreshCost(NamedTuple):
    """What a refresh of one viewer costs: milliseconds of the server's CPU, and kilobytes."""

    cpu: float
    size: float


@click.command()
@click.option("--live", default=10_000, show_default=True, help="Live visitors.")
@click.option("--viewers", default=8, show_default=True, help="Who watch at the same time.")
@click.option("--rounds", default=5, show_default=True, help="Of viewers without a browser.")
@click.option("--seconds", default=20, show_default=True, help="How long browsers watch.")
@click.option("--browser", default="/usr/bin/chromium", show_default=True)
def main(**options: Any) -> None:
    """Print what a refresh costs for each viewer, without and with browsers."""
    print_figures(lambda: measure(**options))


def measure(live: int, viewers: int, rounds: int, seconds: int, browser: str) -> list[Figure]:
    """CPU and bytes of a refresh to those of an empty page, and CPU with several browsers to one."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'monitor.db'}"
        fill(url, history=0, live=live, now=datetime.now(UTC))
        with dashboard(url) as server:
            with empty_page() as empty:
                ours, floor = asyncio.run(_in_turns(server, empty, viewers, rounds))
            one, several = _with_browsers(server, browser, viewers, seconds)
    return [
        Figure(
            f"CPU of a refresh, {viewers} viewers, to an empty page",
            "ms",
            [cost.cpu for cost in ours],
            [cost.cpu for cost in floor],
            at_most(MOST_CPU),
        ),
        Figure(
            f"bytes of a refresh, {viewers} viewers, to an empty page",
            "kB",
            [cost.size for cost in ours],
            [cost.size for cost in floor],
            at_most(MOST_BYTES),
        ),
        Figure(
            f"CPU of a refresh, {viewers} browsers, to one",
            "ms",
            [several],
            [one],
            ratio_at_most(1),
        ),
    ]


async def _in_turns(
    server: BenchmarkServer, empty: BenchmarkServer, viewers: int, rounds: int
) -> tuple[Sequence[RefreshCost], Sequence[RefreshCost]]:
    """Of each round, refreshes of the live page and, in their pauses, of the empty one; the first round warms up.

    So the viewers of both go on without a gap, as those of an open page do: after a pause the dashboard gives memory
    back, and takes it again.
    """
    async with _open_pages(server, viewers) as ours, _open_pages(empty, viewers) as others:
        costs = [await _round((server, ours), (empty, others)) for _ in range(rounds + 1)]
    live, floor = zip(*costs[1:], strict=True)
    return live, floor


async def _round(*watched: WatchedPages) -> Sequence[RefreshCost]:
    """Of one viewer of each, while all of its viewers have DRAWS, each with a new picture, as those who chose INTERVAL."""
    before = [_spent(*each) for each in watched]
    for _ in range(DRAWS):
        for _, pages in watched:
            await asyncio.gather(*(page.draw() for page in pages))
            await asyncio.sleep(INTERVAL / len(watched))
    spent = [_spent(*each) for each in watched]
    return [
        RefreshCost(
            (cpu - cpu_before) / (DRAWS * len(pages)) * 1000,
            (size - size_before) / (DRAWS * len(pages)) / 1000,
        )
        for (_, pages), (cpu, size), (cpu_before, size_before) in zip(
            watched, spent, before, strict=True
        )
    ]


def _spent(server: BenchmarkServer, pages: Sequence[PageViewer]) -> tuple[float, int]:
    """Seconds of CPU and bytes so far."""
    return server.cpu(), sum(page.received for page in pages)


@asynccontextmanager
async def _open_pages(server: BenchmarkServer, viewers: int) -> AsyncIterator[list[PageViewer]]:
    async with AsyncExitStack() as stack:
        pages = [open_page(server.port, "site=shop") for _ in range(viewers)]
        yield [await stack.enter_async_context(page) for page in pages]


def _with_browsers(
    server: BenchmarkServer, browser: str, viewers: int, seconds: int
) -> tuple[float, float]:
    """Milliseconds of CPU for each refresh of each viewer, with one and with all of them."""
    with sync_playwright() as playwright:
        address = f"http://127.0.0.1:{server.port}"
        chromium = playwright.chromium.launch(executable_path=browser, args=BROWSER_ARGUMENTS)
        _watch(chromium, address)
        one = _cpu_per_refresh(server, 1, seconds)
        for _ in range(viewers - 1):
            _watch(chromium, address)
        several = _cpu_per_refresh(server, viewers, seconds)
        chromium.close()
    return one, several


def _watch(chromium: Browser, address: str) -> None:
    page = chromium.new_context().new_page()
    page.set_default_timeout(OPENS_WITHIN)
    page.goto(f"{address}/?site=shop")
    page.get_by_text("Online Now").wait_for()
    page.get_by_role("combobox", name="Refresh").click()
    page.get_by_role("option", name=f"{INTERVAL} s", exact=True).click()
    page.wait_for_timeout(3 * INTERVAL * 1000)


def _cpu_per_refresh(server: BenchmarkServer, viewers: int, seconds: int) -> float:
    before = server.cpu()
    time.sleep(seconds)
    return (server.cpu() - before) / (viewers * seconds / INTERVAL) * 1000


if __name__ == "__main__":
    main()

"""CPU of the dashboard's process for each refresh of each viewer, with real browsers watching."""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.history import fill
from benchmarks.servers import BenchmarkServer, dashboard

INTERVAL = 2
"""Seconds: the shortest that an agent may choose."""

BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@click.command()
@click.option("--live", default=10_000, show_default=True, help="Live visitors.")
@click.option("--viewers", default=4, show_default=True, help="Browsers that watch.")
@click.option("--seconds", default=20, show_default=True, help="How long they watch.")
@click.option("--browser", default="/usr/bin/chromium", show_default=True)
def main(live: int, viewers: int, seconds: int, browser: str) -> None:
    """Print CPU per refresh with one viewer and with several, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'monitor.db'}"
        fill(url, history=0, live=live, now=datetime.now(UTC))
        with dashboard(url) as server, sync_playwright() as playwright:
            address = f"http://127.0.0.1:{server.port}"
            chromium = playwright.chromium.launch(executable_path=browser, args=BROWSER_ARGUMENTS)
            _watch(chromium, address)
            one = _cpu_per_refresh(server, 1, seconds)
            for _ in range(viewers - 1):
                _watch(chromium, address)
            several = _cpu_per_refresh(server, viewers, seconds)
            chromium.close()
    click.echo(f"{live:,} live visitors, a refresh every {INTERVAL} s")
    click.echo(f"1 viewer: {one * 1000:.0f} ms CPU per refresh")
    click.echo(f"{viewers} viewers: {several * 1000:.0f} ms CPU per viewer and refresh")
    click.echo(f"ratio several to one: {several / one:.2f}")


def _watch(chromium: Browser, address: str) -> None:
    page = chromium.new_context().new_page()
    page.goto(f"{address}/?site=shop")
    page.get_by_text("Online Now").wait_for()
    page.get_by_role("combobox", name="Refresh").click()
    page.get_by_role("option", name=f"{INTERVAL} s", exact=True).click()
    page.wait_for_timeout(3 * INTERVAL * 1000)


def _cpu_per_refresh(server: BenchmarkServer, viewers: int, seconds: int) -> float:
    before = server.cpu()
    time.sleep(seconds)
    return (server.cpu() - before) / (viewers * seconds / INTERVAL)


if __name__ == "__main__":
    main()

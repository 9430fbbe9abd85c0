"""CPU of the dashboard's process for each refresh of each viewer, with real browsers watching."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import click
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.history import fill
from benchmarks.servers import ROOT, free_port

INTERVAL = 2
"""Seconds: the shortest that an agent may choose."""

STARTS_WITHIN = 60
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
        with _dashboard(url) as (pid, address), sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser, args=BROWSER_ARGUMENTS)
            _watch(chromium, address)
            one = _cpu_per_refresh(pid, 1, seconds)
            for _ in range(viewers - 1):
                _watch(chromium, address)
            several = _cpu_per_refresh(pid, viewers, seconds)
            chromium.close()
    click.echo(f"{live:,} live visitors, a refresh every {INTERVAL} s")
    click.echo(f"1 viewer: {one * 1000:.0f} ms CPU per refresh")
    click.echo(f"{viewers} viewers: {several * 1000:.0f} ms CPU per viewer and refresh")
    click.echo(f"ratio several to one: {several / one:.2f}")


@contextmanager
def _dashboard(database_url: str) -> Iterator[tuple[int, str]]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=ROOT,
        env={**os.environ, "MONITOR_DATABASE_URL": database_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _await(f"{address}/_stcore/health")
        yield process.pid, address
    finally:
        process.terminate()
        process.wait(20)


def _watch(chromium: Browser, address: str) -> None:
    page = chromium.new_context().new_page()
    page.goto(f"{address}/?site=shop")
    page.get_by_text("Online Now").wait_for()
    page.get_by_role("combobox", name="Refresh").click()
    page.get_by_role("option", name=f"{INTERVAL} s", exact=True).click()
    page.wait_for_timeout(3 * INTERVAL * 1000)


def _cpu_per_refresh(pid: int, viewers: int, seconds: int) -> float:
    before = _cpu(pid)
    time.sleep(seconds)
    return (_cpu(pid) - before) / (viewers * seconds / INTERVAL)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _await(url: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            with urlopen(url, timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit(f"the dashboard did not answer within {STARTS_WITHIN} s") from None
            time.sleep(0.2)


if __name__ == "__main__":
    main()

"""Main-thread time of one page load: with the tag, with the tag of another revision, without one."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import click
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.figure import Figure
from benchmarks.figure_table import print_figures
from benchmarks.servers import collector
from benchmarks.viewers import BROWSER_ARGUMENTS

TAG = Path("embed/dist/visitor-monitor.js")
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title><h1>A page</h1>
<script async src="/{number}/visitor-monitor.js" data-site="demo" data-api="{collector}"></script>"""
SETTLED_AFTER = 4_000
"""Milliseconds: the view is answered, and what waits for an idle moment has run."""
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)


class Cost(NamedTuple):
    """Milliseconds of the main thread's CPU: our scripts' (the longest piece and all, but for those in idle
    moments; those), and the whole page's."""

    longest: float
    script: float
    idle: float
    page: float


@click.command()
@click.option("--revision", default="HEAD", show_default=True, help="Of the tag to compare with.")
@click.option("--loads", default=12, show_default=True, help="Of each page, in turns.")
@click.option("--browser", default="/usr/bin/chromium", show_default=True)
def main(**options: Any) -> None:
    """Print milliseconds of the main thread per page load, and their ratios."""
    print_figures(lambda: measure(**options))


def measure(revision: str, loads: int, browser: str) -> list[Figure]:
    """Milliseconds of the main thread for a page load: the tag's, and the page's."""
    before = subprocess.check_output(["git", "show", f"{revision}:{TAG}"], text=True)
    scripts = {"no tag": "", f"tag at {revision}": before, "tag now": TAG.read_text("utf-8")}
    costs: dict[str, list[Cost]] = {name: [] for name in scripts}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=BROWSER_ARGUMENTS)
        with (
            collector(f"sqlite:///{Path(folder) / 'monitor.db'}") as server,
            _website(f"http://127.0.0.1:{server.port}", [*scripts.values()]) as address,
        ):
            for _ in range(loads):
                for number, name in enumerate(scripts):
                    costs[name].append(_load(chromium, f"{address}/{number}"))
        chromium.close()
    medians = [Cost(*map(statistics.median, zip(*each, strict=True))) for each in costs.values()]
    for name, cost in zip(costs, medians, strict=True):
        click.echo(
            f"{name}: {cost.script:.1f} ms of the tag's, the longest {cost.longest:.1f};"
            f" in idle moments {cost.idle:.1f}; {cost.page:.0f} ms of the page's in all"
        )
    none, then, now = costs.values()
    return [
        Figure(
            f"the tag's main thread, to that of {revision}",
            "ms",
            [cost.script for cost in now],
            [cost.script for cost in then],
        ),
        Figure(
            "a page's main thread, to one without a tag",
            "ms",
            [cost.page for cost in now],
            [cost.page for cost in none],
        ),
    ]


@contextmanager
def _website(collector: str, scripts: list[str]) -> Iterator[str]:
    """A website whose pages /0, /1 ... differ only in what stands in the tag's place; its address."""

    class PageHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = self.path.split("/")[1]
            if self.path.endswith(".js"):
                kind, body = "text/javascript", scripts[int(number)]
            else:
                kind, body = "text/html", PAGE.format(number=number, collector=collector)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), PageHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def _load(chromium: Browser, address: str) -> Cost:
    """Load the page as a new visitor."""
    context = chromium.new_context(user_agent=CHROME)
    context.add_init_script("Object.defineProperty(navigator, 'webdriver', {get: () => false})")
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    chromium.start_tracing(page=page, categories=["devtools.timeline", "v8"])
    page.goto(address)
    page.wait_for_timeout(SETTLED_AFTER)
    trace = json.loads(chromium.stop_tracing())["traceEvents"]
    metrics = {
        each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]
    }
    context.close()
    idle, other = _pieces(trace)
    return Cost(max(other, default=0), sum(other), sum(idle), metrics["TaskDuration"] * 1000)


def _pieces(trace: list[dict[str, Any]]) -> tuple[list[float], list[float]]:
    """Milliseconds of each piece of the tag that the browser ran: in idle moments, and else."""
    moments = [event for event in trace if event["name"] == "FireIdleCallback"]
    idle: list[float] = []
    other: list[float] = []
    for event in trace:
        address = event.get("args", {}).get("data", {}).get("url", "")
        if event["name"] in ("EvaluateScript", "FunctionCall") and "/visitor-monitor" in address:
            is_idle = any(_is_within(event, moment) for moment in moments)
            (idle if is_idle else other).append(event["tdur"] / 1000)
    return idle, other


def _is_within(event: dict[str, Any], moment: dict[str, Any]) -> bool:
    is_same_thread = event["tid"] == moment["tid"]
    return is_same_thread and moment["ts"] <= event["ts"] <= moment["ts"] + moment["dur"]


if __name__ == "__main__":
    main()

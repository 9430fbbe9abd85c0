"""Whether the dashboard's memory comes back when viewers close the live page."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.history import fill
from benchmarks.page_viewer import open_page
from benchmarks.servers import BenchmarkServer, dashboard
from pages.server.closed_pages import LOOK_EVERY
from pages.server.shared import UNUSED_AFTER

KEPT_FOR = 5
"""Seconds for which Streamlit keeps a closed page for a browser that comes back; 120 without this."""

FREED_WITHIN = UNUSED_AFTER + 2 * LOOK_EVERY
"""Seconds from closing until everything is freed."""

SORTED_BY = ("path", "source", "browser", "country", "page_count", "time_on_site", "idle_seconds")
MIB = 2**20


@click.command()
@click.option("--live", default=10_000, show_default=True, help="Live visitors.")
@click.option(
    "--viewers", default=8, show_default=True, help="Open at once; every other one sorts."
)
@click.option("--rounds", default=5, show_default=True, help="How often they come and go.")
def main(live: int, viewers: int, rounds: int) -> None:
    """Print the dashboard's memory (PSS) after its first viewer, while many are there, and once all have left."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'monitor.db'}"
        fill(url, history=0, live=live, now=datetime.now(UTC))
        with dashboard(url, STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL=str(KEPT_FOR)) as server:
            asyncio.run(_visit(server, 1))
            time.sleep(FREED_WITHIN)
            before = server.resident()
            click.echo(f"after the first viewer: {before / MIB:.0f} MiB")
            opened: list[int] = []
            closed: list[int] = []
            for number in range(rounds):
                opened.append(asyncio.run(_visit(server, viewers)))
                time.sleep(FREED_WITHIN)
                closed.append(server.resident())
                click.echo(
                    f"round {number + 1}: {opened[-1] / MIB:.0f} MiB with {viewers} viewers, "
                    f"{closed[-1] / MIB:.0f} MiB without"
                )
    more = [each - before for each in closed]
    click.echo(
        f"medians: {viewers} viewers take {(statistics.median(opened) - before) / MIB:.1f} MiB, of which "
        f"{statistics.median(more) / MIB:.1f} MiB stay; from the first round to the last "
        f"{(more[-1] - more[0]) / MIB:+.1f} MiB"
    )


async def _visit(server: BenchmarkServer, viewers: int) -> int:
    """Bytes while so many look, each a few refreshes long."""
    async with AsyncExitStack() as stack:
        pages = [
            await stack.enter_async_context(open_page(server.port, f"site=shop{_sort(number)}"))
            for number in range(viewers)
        ]
        for _ in range(3):
            await asyncio.gather(*(page.draw() for page in pages))
            await asyncio.sleep(2)
        return server.resident()


def _sort(number: int) -> str:
    return f"&sort={SORTED_BY[number // 2 % len(SORTED_BY)]}" if number % 2 else ""


if __name__ == "__main__":
    main()

"""How long an invitation takes to be seen, and a message to arrive, between two real browsers."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.figure import Figure, at_most
from benchmarks.figure_table import print_figures
from benchmarks.servers import BenchmarkServer, collector, dashboard
from benchmarks.viewers import BROWSER_ARGUMENTS
from collector.background import SITES_EVERY
from collector.chat.offers import PRESENCE_SECONDS
from core.agents import AGENT_AWAY_AFTER, add_agent, mark_seen, new_secret
from core.chat.invitations import invite
from core.chat.store import find_conversation
from core.database import open_database, reading, writing
from core.tables import Agent, Conversation

Value = TypeVar("Value")
SITE_ID = 1
SHOWN_WITHIN = 60
MOST_INVITATION = 1
"""Seconds from Send until the visitor sees it, of half of them, while somebody looks."""

MOST_FIRST_INVITATION = 3
"""The same of the first one after the dashboard was opened."""

PAGES_BEGIN_WITHIN = 1.0
"""Seconds from one visitor's page to the next one's: so their beacons come at any moment."""

MOST_MESSAGE = 1
"""Seconds from Enter until the text stands on the other screen."""

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)


@click.command()
@click.option("--invitations", default=15, show_default=True)
@click.option("--messages", default=20, show_default=True, help="In each direction.")
@click.option("--database-url", default=None, help="Default: a SQLite file of its own.")
@click.option("--browser", default="/usr/bin/chromium", show_default=True)
def main(**options: Any) -> None:
    """Print seconds from Send to shown, and from one side's Enter to the other side's screen."""
    print_figures(lambda: measure(**options))


def measure(
    invitations: int, messages: int, database_url: str | None, browser: str
) -> list[Figure]:
    """Seconds from Send to shown, and from one side's Enter to the other side's screen."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        url = database_url or f"sqlite:///{Path(folder) / 'monitor.db'}"
        chromium = playwright.chromium.launch(executable_path=browser, args=BROWSER_ARGUMENTS)
        with collector(url) as shop, dashboard(url) as server:
            engine = open_database(url)
            with writing(engine) as db:
                secret = new_secret()
                agent = add_agent(db, "Ann", datetime.now(UTC), secret)
            first = _time_first_invitations(
                chromium, shop, server, engine, agent, secret, invitations
            )
            agent_page = _open_dashboard(chromium, server, secret)
            shown = _time_invitations(chromium, shop, engine, agent, invitations)
            visitor, conversation = _open_chat(chromium, shop, engine, agent)
            agent_page.goto(
                f"http://127.0.0.1:{server.port}/chats?site=demo&conversation={conversation}"
            )
            agent_page.get_by_role("textbox", name="message").wait_for()
            to_visitor = _time_messages(agent_page, visitor, "agent", messages)
            to_agent = _time_messages(visitor, agent_page, "visitor", messages)
            engine.dispose()
    return [
        *_invitation_figures("from Send to shown", shown, MOST_INVITATION),
        *_invitation_figures(
            "the same, as soon as a dashboard is open", first, MOST_FIRST_INVITATION
        ),
        Figure("a message from agent to visitor", "s", to_visitor, needs_quiet=True),
        _slowest("a message from agent to visitor", to_visitor, MOST_MESSAGE),
        Figure("a message from visitor to agent", "s", to_agent, needs_quiet=True),
        _slowest("a message from visitor to agent", to_agent, MOST_MESSAGE),
    ]


def _open_dashboard(chromium: Browser, server: BenchmarkServer, secret: str) -> Page:
    """The agent's browser with the dashboard open."""
    address = f"http://127.0.0.1:{server.port}"
    context = chromium.new_context()
    context.add_cookies([{"name": "visitor-monitor-agent", "value": secret, "url": address}])
    page = context.new_page()
    page.goto(f"{address}/chats")
    page.get_by_role("heading", name="Chats").first.wait_for()
    return page


def _time_invitations(
    chromium: Browser, shop: BenchmarkServer, engine: Engine, agent: Agent, number: int
) -> list[float]:
    """Seconds from Send to shown, at any moment between two beacons of a visible page."""
    return [
        _time_invitation(page, visit, engine, agent)
        for page, visit in _open_shops(chromium, shop, number)
    ]


def _time_first_invitations(
    chromium: Browser,
    shop: BenchmarkServer,
    server: BenchmarkServer,
    engine: Engine,
    agent: Agent,
    secret: str,
    number: int,
) -> list[float]:
    """The same, sent as soon as the dashboard is there, after a time in which nobody has looked."""
    seconds: list[float] = []
    for page, visit in _open_shops(chromium, shop, number):
        with writing(engine) as db:
            mark_seen(db, agent.id or 0, datetime.now(UTC) - AGENT_AWAY_AFTER)
        page.wait_for_timeout(SITES_EVERY * 1000 + 500)  # until the collector knows
        agent_page = _open_dashboard(chromium, server, secret)
        seconds.append(_time_invitation(page, visit, engine, agent))
        agent_page.context.close()
    return seconds


def _time_invitation(page: Page, visit: str, engine: Engine, agent: Agent) -> float:
    """Seconds from Send to shown; the visitor is gone then."""
    page.wait_for_timeout(random.uniform(0, 1_000))
    invited = _invite(engine, visit, agent)
    seen = _until(lambda: _found(engine, invited).shown_at)
    page.context.close()
    seconds = (seen - invited.created_at).total_seconds()
    click.echo(f"shown after {seconds:.2f} s", err=True)
    return seconds


def _open_shops(chromium: Browser, shop: BenchmarkServer, number: int) -> list[tuple[Page, str]]:
    """As many visitors, each with a browser profile of its own."""
    opened: list[tuple[Page, str]] = []
    for _ in range(number):
        opened.append(_open_shop(chromium, shop))
        time.sleep(random.uniform(0, PAGES_BEGIN_WITHIN))
    return opened


def _open_chat(
    chromium: Browser, shop: BenchmarkServer, engine: Engine, agent: Agent
) -> tuple[Page, str]:
    """A visitor who has accepted, and the conversation's id."""
    page, visit = _open_shop(chromium, shop)
    invited = _invite(engine, visit, agent)
    page.get_by_role("button", name="Chat", exact=True).click(timeout=SHOWN_WITHIN * 1000)
    page.get_by_role("textbox", name="message").wait_for()
    return page, invited.id


def _open_shop(chromium: Browser, shop: BenchmarkServer) -> tuple[Page, str]:
    """A visitor's page, and the visit's id."""
    page = chromium.new_context(user_agent=CHROME).new_page()
    page.add_init_script("Object.defineProperty(navigator, 'webdriver', {get: () => false})")
    with page.expect_response("**/v1/beacon"):
        page.goto(f"http://127.0.0.1:{shop.port}/demo/cart")
    visit = _until(lambda: page.evaluate("(localStorage.vm || '').split('.')[0]"))
    page.wait_for_timeout(500)
    return page, visit


def _invite(engine: Engine, visit: str, agent: Agent) -> Conversation:
    with writing(engine) as db:
        invited = invite(
            db,
            site_id=SITE_ID,
            visit_id=visit,
            agent_id=agent.id or 0,
            text="Can I help you?",
            now=datetime.now(UTC),
        )
    assert isinstance(invited, Conversation), invited
    return invited


def _found(engine: Engine, conversation: Conversation) -> Conversation:
    with reading(engine) as db:
        found = find_conversation(db, conversation.site_id, conversation.id)
    assert found is not None
    return found


def _time_messages(writer: Page, reader: Page, side: str, number: int) -> list[float]:
    times: list[float] = []
    for position in range(number):
        text = f"message {position} of the {side}"
        box = writer.get_by_role("textbox", name="message")
        box.fill(text)
        began = time.perf_counter()
        box.press("Enter")
        reader.get_by_role("log").get_by_text(text, exact=True).wait_for()
        times.append(time.perf_counter() - began)
        writer.wait_for_timeout(random.uniform(100, 400))
    return times


def _until(find: Callable[[], Value | None]) -> Value:
    deadline = time.monotonic() + SHOWN_WITHIN
    while not (found := find()):
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {SHOWN_WITHIN} s")
        time.sleep(0.02)
    return found


def _invitation_figures(label: str, seconds: list[float], most: float) -> list[Figure]:
    presence = [PRESENCE_SECONDS] * len(seconds)
    return [
        Figure(f"{label}, to the presence interval", "s", seconds, presence, at_most(most), True),
        Figure(f"{label}, slowest of {len(seconds)}", "s", [max(seconds)], needs_quiet=True),
    ]


def _slowest(label: str, seconds: list[float], most: float) -> Figure:
    name = f"{label}, slowest of {len(seconds)}"
    return Figure(name, "s", [max(seconds)], (), at_most(most), needs_quiet=True)


if __name__ == "__main__":
    main()

"""The browsers of agents on the real dashboard, for the tests of Chats: fixtures, and locators on the
page. The visitors are simulated on the database; see dashboard_chats.py."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from core.agents import list_agents
from core.chat.queries import open_conversations
from core.chat.states import ConversationState, TemplateKind
from core.chat.templates import add_template
from core.database import reading, writing
from core.sites import list_sites
from core.tables import Agent
from tests.helpers.dashboard_chats import Chat, agent_invites, make_agent, secret_of, visitor_opens
from tests.helpers.profiles import STILL
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database, make_site

HOSTILE = "![x](http://evil.example/a.png)<img src=http://evil.example/b onerror=alert(1)>"
COOKIE = "visitor-monitor-agent"
SOON = 3_000
"""Milliseconds within which a message appears, even on a busy machine."""

expect.set_options(timeout=20_000)
pytestmark = pytest.mark.timeout(300)
OpenChats = Callable[..., Page]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_database(tmp_path_factory.mktemp("chats"))


@pytest.fixture(scope="module")
def engine(database: Any) -> Any:
    return database[1]


@pytest.fixture(scope="module")
def site(engine: Any) -> Any:
    site = make_site(engine, key="tea", name="Tea shop")
    assert site.id is not None
    with writing(engine) as db:
        for text in ("Hello! How can I help?", "Shipping takes two days.\nIt is free from 40 €."):
            add_template(db, site.id, TemplateKind.REPLY, text, datetime.now(UTC))
    return site


@pytest.fixture(scope="module")
def dashboard(database: Any, site: Any) -> Iterator[str]:
    with running_dashboard(database[0]) as address:
        yield address


@pytest.fixture
def new_context(browser: Browser, dashboard: str) -> Iterator[Callable[..., BrowserContext]]:
    """Opens the browser of an agent; no page of a test may send a request to another server."""
    contexts: list[BrowserContext] = []
    requested: list[str] = []

    def new_context(
        agent: Agent | None = None, *, width: int = 1440, height: int = 900, theme: str = "light"
    ) -> BrowserContext:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,  # pyright: ignore[reportArgumentType]
            reduced_motion=STILL,
            accept_downloads=True,
        )
        context.set_default_timeout(20_000)
        context.on("request", lambda request: requested.append(request.url))
        if agent is not None:
            context.add_cookies([{"name": COOKIE, "value": secret_of(agent), "url": dashboard}])
        contexts.append(context)
        return context

    yield new_context
    for context in contexts:
        context.close()
    own = (dashboard, dashboard.replace("http", "ws"), "data:", "blob:")
    assert [url for url in requested if not url.startswith(own)] == []


@pytest.fixture
def open_chats(new_context: Callable[..., BrowserContext], dashboard: str) -> OpenChats:
    """Opens Chats as an agent."""

    def open_chats(agent: Agent | None, path: str = "chats", **screen: Any) -> Page:
        page = new_context(agent, **screen).new_page()
        page.goto(f"{dashboard}/{path}")
        return page

    return open_chats


@pytest.fixture
def agent(engine: Any) -> Agent:
    return make_agent(engine)


@pytest.fixture
def visit() -> str:
    """The id of a visit that no other test has."""
    return f"visit{time.time_ns():x}"


def item(page: Page, name: str) -> Locator:
    """The visitor's entry in the list; entries also have messages and states, where the name may occur."""
    entries = page.get_by_role("navigation", name="Chats").get_by_role("button")
    return entries.filter(has=page.locator(".name").get_by_text(name, exact=True))


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def log(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages")


def shown_texts(page: Page) -> list[str]:
    """The texts of the shown conversation, in their order."""
    return log(page).locator(".text").all_inner_texts()


def open_conversation(page: Page, name: str) -> None:
    """Choose the visitor's conversation in the list."""
    item(page, name).click()
    expect(page.get_by_role("region", name=f"Conversation with {name}")).to_be_visible()
    expect(log(page)).not_to_have_attribute("aria-busy", "true")


def seed_story(engine: Any, site: Any, visit: str, agent: Agent) -> None:
    """Make chats in every state, as in a working day."""
    for chat in all_open_chats(engine):
        chat.ends()
    colleague = make_agent(engine, "Bea")
    grace = agent_invites(
        engine,
        site,
        f"{visit}g",
        agent,
        "Hello! You are looking at our Amber Oolong. May I help you choose?",
        attributes={"name": "Grace Hopper"},
        current_path="/checkout/shipping",
        current_title="Checkout",
        page_context="In Checkout",
        country="FR",
    )
    grace.is_delivered()
    grace.is_shown()
    grace.is_accepted()
    grace.says("Oh hello! Yes please.\nIs it a light or a dark one?")
    grace.agent_says(agent, "It is a medium roast: honey, a little toast.")
    grace.reads()
    grace.says("That sounds right. And how long does shipping to Lyon take?")
    visitor_opens(
        engine,
        site,
        f"{visit}a",
        "Do you have the moon bowl in blue?",
        attributes={"name": "Ada Lovelace"},
        current_path="/products/moon-bowl",
    )
    alan = visitor_opens(
        engine, site, f"{visit}t", "My voucher does not work", attributes={"name": "Alan Turing"}
    )
    alan.agent_says(colleague, "Let me see. Which one is it?")
    agent_invites(engine, site, f"{visit}k", agent, attributes={}).is_delivered()
    visitor_opens(
        engine,
        site,
        f"{visit}l",
        "Please write to me about wholesale prices: linus@example.org",
        is_attended=False,
        attributes={"name": "Linus"},
    )
    no = agent_invites(engine, site, f"{visit}n", agent, attributes={"name": "Nora"})
    no.is_delivered()
    no.is_shown()
    no.is_dismissed()


def all_open_chats(engine: Any) -> list[Chat]:
    """Every conversation that is open."""
    with reading(engine) as db:
        sites = {site.id: site for site in list_sites(db)}
        rows = open_conversations(db)
    return [
        Chat(engine, sites[row.site_id], row.id)
        for row in rows
        if row.state == ConversationState.OPEN
    ]


def all_agents(engine: Any) -> list[Agent]:
    with reading(engine) as db:
        return list(list_agents(db))

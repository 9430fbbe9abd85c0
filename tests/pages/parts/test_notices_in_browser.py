"""Notices in the agent's browser: exactly one for an event over three open tabs, and none in quiet hours."""

# Fixtures are imported by their name: a test's parameter is no redefinition.
# ruff: noqa: F811

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from time import monotonic
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from core.database import reading, writing
from core.moment import utc_now
from core.notices.agent_choice import choose_notices, notices_of_agent
from core.notices.events import NoticeEvent
from core.notices.kinds import NoticeKind
from core.notices.store import store_events
from core.notices.wishes import Wishes
from core.tables import Agent
from tests.helpers.agent_browsers import (  # noqa: F401
    agent,
    dashboard,
    database,
    engine,
    new_context,
    site,
    visit,
)
from tests.helpers.seed import make_visit

pytestmark = pytest.mark.timeout(300)
_numbers = count(1)

RECORDER = """
window.shown = []
let permission = window.name === "asks" ? "default" : "granted"
window.Notification = class {
  static get permission() { return permission }
  static async requestPermission() { window.noted("asked"); permission = "granted"; return permission }
  constructor(title, options) {
    Object.assign(this, { title, ...options })
    window.shown.push(this)
    window.noted(`${title} | ${options.body}`)
  }
  close() {}
}
"""
"""The browser's own notifications, of which nobody can ask whether they are shown."""


class Notices:
    """What a browser's tabs have shown, in its order."""

    def __init__(self, context: BrowserContext) -> None:
        self.shown: list[str] = []
        context.expose_binding("noted", lambda _source, text: self.shown.append(text))
        context.add_init_script(RECORDER)


@pytest.fixture
def happens(engine: Any, site: Any) -> Callable[..., str]:
    """happens(kind): such an event now; returns the name of its visitor."""

    def happens(kind: NoticeKind = NoticeKind.RETURNING, minutes: int = 0) -> str:
        number = next(_numbers)
        now, visit = utc_now(), f"told{number}"
        make_visit(engine, site, visit, now=now, attributes={"name": f"Ada {number}"})
        event = NoticeEvent(site.id, f"{kind}-{visit}-{minutes}", kind, minutes, visit, "", now)
        with writing(engine) as db:
            assert store_events(db, [event], Wishes([], {}), now) == 1
        return f"Ada {number}"

    return happens


def choose(engine: Any, agent: Agent, **changes: Any) -> None:
    values = {"kinds": ["returning", "cart"], "minutes": 5, "quiet_from": 0, "quiet_until": 0}
    with writing(engine) as db:
        choose_notices(db, agent.id or 0, **{**values, "time_zone": "UTC", **changes})


@pytest.fixture
def browser_of(
    new_context: Callable[..., BrowserContext], agent: Agent
) -> Iterator[Callable[[], tuple[BrowserContext, Notices]]]:
    def browser_of() -> tuple[BrowserContext, Notices]:
        context = new_context(agent)
        return context, Notices(context)

    yield browser_of


def wait_for(page: Page, condition: Callable[[], Any], seconds: float = 20) -> None:
    """Wait as the browser's own: what its tabs tell is heard meanwhile."""
    latest = monotonic() + seconds
    while not condition():
        assert monotonic() < latest, f"not within {seconds} seconds"
        page.wait_for_timeout(50)


def open_tab(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(f"{address}/chats")
    expect(page.get_by_role("button", name="Notices")).to_be_visible()
    wait_for(page, lambda: page.evaluate("window[Symbol.for('visitor-monitor-chats')]?.isRead"))
    return page


@pytest.mark.long
def test_one_notice_for_an_event_over_three_tabs_also_when_the_leader_closes(
    dashboard, engine, agent, browser_of, happens
):
    choose(engine, agent)
    context, notices = browser_of()
    tabs = [open_tab(context, dashboard) for _ in range(3)]
    last = tabs[-1]

    first = happens()
    wait_for(last, lambda: notices.shown)
    happens(NoticeKind.NAMED)  # is not wanted
    happens(NoticeKind.CART, 3)  # after other minutes
    second = happens(NoticeKind.CART, 5)
    wait_for(last, lambda: len(notices.shown) == 2)
    leader = next(tab for tab in tabs if tab.evaluate("shown.length"))
    assert [tab.evaluate("shown.length") for tab in tabs if tab is not leader] == [0, 0]
    leader.close()
    tabs.remove(leader)
    last = tabs[0]
    third = happens()
    wait_for(last, lambda: len(notices.shown) == 3)
    last.wait_for_timeout(1_500)

    assert [text.partition(" · ")[0] for text in notices.shown] == [
        f"Tea shop: A visitor is back | {first}",
        f"Tea shop: A visitor is in Cart for 5 minutes | {second}",
        f"Tea shop: A visitor is back | {third}",
    ]


def test_click_on_a_notice_opens_the_visitor(dashboard, engine, agent, browser_of, happens):
    choose(engine, agent)
    context, notices = browser_of()
    page = open_tab(context, dashboard)
    name = happens()
    wait_for(page, lambda: notices.shown)

    page.evaluate("shown[0].onclick()")

    page.wait_for_url("**/visitor?site=tea&visit=told*")
    expect(page.get_by_text(name).first).to_be_visible()


def test_quiet_hours_are_quiet(dashboard, engine, agent, browser_of, happens):
    now = utc_now()
    minute = now.hour * 60 + now.minute
    choose(engine, agent, quiet_from=(minute - 5) % 1440, quiet_until=(minute + 30) % 1440)
    context, notices = browser_of()
    page = open_tab(context, dashboard)
    happens()
    told = "JSON.parse(localStorage.getItem('visitor-monitor-told') ?? '[]').length"
    wait_for(page, lambda: page.evaluate(told) == 1)

    assert notices.shown == []


def test_what_was_told_before_the_page_was_opened_is_no_news(
    dashboard, engine, agent, browser_of, happens
):
    choose(engine, agent)
    happens()
    context, notices = browser_of()
    page = open_tab(context, dashboard)
    name = happens()
    wait_for(page, lambda: notices.shown)

    assert [name in text for text in notices.shown] == [True]


def test_agent_switches_notices_on_and_the_browser_is_asked_once(
    dashboard, engine, agent, browser_of, happens
):
    context, notices = browser_of()

    page = open_tab(context, dashboard)
    page.evaluate("window.name = 'asks'")
    page.reload()
    page.get_by_role("button", name="Notices").click()
    page.get_by_text("A visitor is back").click()
    page.get_by_role("button", name="Save notices").click()
    wait_for(page, lambda: notices.shown == ["asked"])
    with reading(engine) as db:
        assert notices_of_agent(db, agent.id or 0).kinds == ["returning"]

    name = happens()

    wait_for(page, lambda: len(notices.shown) == 2)
    assert name in notices.shown[1]

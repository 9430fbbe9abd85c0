"""The pages heal by themselves: the agent does nothing, and the database is back."""

# Fixtures are imported by their name: a test's parameter is no redefinition.
# ruff: noqa: F811

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import make_url

from core.damage_mark import clear_mark, set_mark
from tests.helpers.agent_browsers import (  # noqa: F401
    OpenChats,
    agent,
    dashboard,
    database,
    engine,
    item,
    new_context,
    open_chats,
    site,
    visit,
)
from tests.helpers.dashboard_chats import now, visitor_opens
from tests.helpers.database_away import database_away
from tests.helpers.screens import keep_both_themes
from tests.helpers.seed import make_visit

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
NO_ANSWER = "No answer from the database."


def test_known_agent_is_asked_for_no_name_and_finds_the_chats_again(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    visitor_opens(engine, site, visit, attributes={"name": "Ada"})
    expect(item(open_chats(agent), "Ada")).to_be_visible()  # so that the process knows the sites
    with database_away(engine):
        page = open_chats(agent)
        expect(page.get_by_role("alert").first).to_contain_text(NO_ANSWER)
        expect(page.get_by_role("alert").first).to_contain_text("See that the collector runs")
        expect(page.get_by_text("Who are you?")).to_have_count(0)
        expect(page.get_by_role("button", name="Set your name")).to_have_count(0)
    expect(item(page, "Ada")).to_be_visible()
    expect(page.get_by_text(NO_ANSWER)).to_have_count(0)
    expect(page.get_by_role("switch", name="Available")).to_be_attached()


@pytest.mark.parametrize(
    ("address", "shown"), [("visitor?site=tea&visit=", "Send"), ("sites?site=tea", "Add template")]
)
def test_page_without_a_timer_of_its_own_heals(
    open_chats: OpenChats, engine, site, agent, visit, address: str, shown: str
) -> None:
    make_visit(engine, site, visit, now=now())
    address = f"{address}{visit if address.endswith('=') else ''}"
    page = open_chats(agent, address)
    expect(page.get_by_role("button", name=shown).first).to_be_visible()
    with database_away(engine):
        page = open_chats(agent, address)
        expect(page.get_by_text(NO_ANSWER).first).to_be_visible()
        expect(page.get_by_role("button", name=shown)).to_have_count(0)
    expect(page.get_by_role("button", name=shown).first).to_be_visible()
    expect(page.get_by_text(NO_ANSWER)).to_have_count(0)


def test_open_page_keeps_what_it_shows_until_the_database_is_back(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Grace"})
    page = open_chats(agent, f"visitor?site=tea&visit={visit}")
    chats = open_chats(agent, f"chats?site=tea&conversation={chat.id}")
    for each in (page, chats):
        expect(each.get_by_text("Grace").first).to_be_visible()
        expect(each.get_by_role("switch", name="Available")).to_be_attached()
    with database_away(engine):
        for each in (page, chats):
            expect(each.get_by_text(NO_ANSWER).first).to_be_visible()
            expect(each.get_by_text("What you see is of").first).to_be_visible()
            expect(each.get_by_text("Grace").first).to_be_visible()
    for each in (page, chats):
        expect(each.get_by_text(NO_ANSWER)).to_have_count(0)
        expect(each.get_by_text("Grace").first).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_damaged_file_is_named_with_its_cure_on_an_open_page_and_on_a_new_one(
    open_chats: OpenChats, database, site, agent, width: int
) -> None:
    file = Path(make_url(database[0]).database or "")
    opened = open_chats(agent, "sites?site=tea", width=width)
    expect(opened.get_by_role("button", name="Add template").first).to_be_attached()
    set_mark(file, "database disk image is malformed")
    try:
        new = open_chats(agent, "?site=tea", width=width)
        for page in (opened, new):
            alert = page.get_by_role("alert").first
            expect(alert).to_contain_text(f"The database is damaged: {file}")
            expect(alert).to_contain_text("python -m core restore FILE")
        keep_both_themes(opened, "database-damaged-open")
        keep_both_themes(new, "database-damaged-new")
    finally:
        clear_mark(file)
    for page in (opened, new):
        expect(page.get_by_text("The database is damaged")).to_have_count(0)

"""A day of each role on the real dashboard, in Chromium: what they see, and what goes when it is taken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import Engine

from core.accounts.accounts import Account, limit_account, set_account
from core.accounts.identity import Role
from core.agents import list_agents
from core.database import reading, writing
from core.tables import Site
from pages.server.access import COOKIE
from tests.helpers.agent_browsers import field, item, log, open_conversation
from tests.helpers.dashboard_chats import client_id, make_agent, secret_of, visitor_opens
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database, make_site, make_visit, make_visits
from tests.helpers.signed_in import make_account, put_session, session_cookie, signed_in_context

pytestmark = pytest.mark.timeout(300)

NAME = "Ada Visitor"
Arrive = Callable[..., Page]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Engine]:
    url, engine = make_database(tmp_path_factory.mktemp("roles"))
    make_account(engine, "Grete", Role.ADMIN, password="")  # so that every other may lose that role
    return url, engine


@pytest.fixture(scope="module")
def engine(database: tuple[str, Engine]) -> Engine:
    return database[1]


@pytest.fixture(scope="module")
def tea(engine: Engine) -> Site:
    site = make_site(engine, key="tea", name="Tea shop")
    make_visits(engine, site, 5, now=datetime.now(UTC))
    return site


@pytest.fixture(scope="module")
def pots(engine: Engine) -> Site:
    site = make_site(engine, key="pots", name="Pot shop")
    make_visits(engine, site, 3, now=datetime.now(UTC))
    return site


@pytest.fixture(scope="module")
def dashboard(database: tuple[str, Engine], tea: Site, pots: Site) -> Iterator[str]:
    with running_dashboard(database[0]) as address:
        yield address


@pytest.fixture
def arrive(browser: Browser, engine: Engine, dashboard: str) -> Iterator[Arrive]:
    """Opens a page as this account, in a browser that once had an agent without one."""
    contexts: list[Any] = []

    def arrive(account: Account, path: str = "", **options: Any) -> Page:
        cookie = session_cookie(engine, account)
        context = signed_in_context(
            browser, dashboard, cookie, viewport={"width": 1440, "height": 900}, **options
        )
        context.add_cookies(
            [{"name": COOKIE, "value": secret_of(make_agent(engine, "Before")), "url": dashboard}]
        )
        contexts.append(context)
        wait_for(lambda: is_known(context, dashboard))
        page = context.new_page()
        page.goto(f"{dashboard}/{path}")
        return page

    yield arrive
    for context in contexts:
        context.close()


def is_known(context: BrowserContext, dashboard: str) -> bool:
    """Whether the dashboard has heard of the session, which the test has written beside it."""
    return context.request.get(f"{dashboard}/", max_redirects=0).status == 200


def account_of(
    engine: Engine, name: str, role: Role, sites: Collection[Site] | None = None
) -> Account:
    limit = None if sites is None else [site.id or 0 for site in sites]
    return make_account(engine, name, role, password="", site_ids=limit)


def menu(page: Page) -> list[str]:
    return page.locator(".st-key-menu").get_by_role("link").all_inner_texts()


def test_viewer_sees_who_is_there_and_cannot_reach_a_chat(
    engine: Engine, tea: Site, arrive: Arrive
) -> None:
    chat = visitor_opens(engine, tea, f"v{client_id()}", "My secret", attributes={"name": NAME})
    page = arrive(account_of(engine, "Vera", Role.VIEWER), "?site=tea")
    row = page.get_by_role("row").filter(has_text=NAME)
    expect(row).to_be_visible()
    expect(page.get_by_role("columnheader", name="Chat", exact=True)).to_have_count(0)
    assert [entry.splitlines()[-1] for entry in menu(page)] == ["Visitor Monitor", "Trends"]
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_contain_text("Vera")
    expect(sidebar.get_by_text("Available")).to_have_count(0)
    expect(sidebar.locator("button.waiting")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).not_to_contain_text("Invite")
    page.keyboard.press("Escape")
    row.get_by_role("link").click()
    panel = page.locator(".st-key-opened_visitor")
    expect(panel).to_contain_text(NAME)
    expect(panel.get_by_role("button", name="Open chat")).to_have_count(0)
    page.goto(f"{page.url.partition('?')[0]}chats?site=tea&conversation={chat.id}")
    expect(page.get_by_text("Only agents and admins")).to_be_visible()
    expect(page.get_by_text("My secret")).to_have_count(0)


@pytest.mark.long
def test_download_of_a_viewer_has_no_names(engine: Engine, tea: Site, arrive: Arrive) -> None:
    visit = f"v{client_id()}"
    make_visit(engine, tea, visit, now=datetime.now(UTC), attributes={"name": "Nadia Named"})
    files: dict[Role, str] = {}
    for role in (Role.VIEWER, Role.AGENT):
        page = arrive(account_of(engine, "Dora", role), "?site=tea", accept_downloads=True)
        page.get_by_role("tab", name="Data").click()
        expect(page.get_by_text("Times are in Europe/Berlin.")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download CSV").click()
        files[role] = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert all(visit in file for file in files.values())
    assert "Nadia Named" in files[Role.AGENT]
    assert "Nadia Named" not in files[Role.VIEWER]


def test_agent_chats_as_their_account_on_their_own_sites(
    engine: Engine, tea: Site, pots: Site, arrive: Arrive
) -> None:
    own = visitor_opens(engine, tea, f"v{client_id()}", attributes={"name": "Tilda"})
    visitor_opens(engine, pots, f"v{client_id()}", attributes={"name": "Petra"})
    account = account_of(engine, "Ann", Role.AGENT, [tea])
    page = arrive(account, "chats")
    open_conversation(page, "Tilda")
    expect(page.get_by_text("Petra")).to_have_count(0)
    field(page).fill("Good day")
    page.keyboard.press("Enter")
    expect(log(page).get_by_text("Good day")).to_be_visible()
    wait_for(lambda: own.row.agent_id == account.id)
    visitor_opens(engine, pots, f"v{client_id()}", attributes={"name": "Paula"})
    own.says("And after that")
    expect(log(page).get_by_text("And after that")).to_be_visible()
    expect(page.get_by_text("Paula")).to_have_count(0)
    page.get_by_test_id("stSidebar").get_by_text("Available").click()
    wait_for(lambda: is_available(engine, account))


def is_available(engine: Engine, account: Account) -> bool:
    with reading(engine) as db:
        return any(each.id == account.id and each.is_available for each in list_agents(db))


@pytest.mark.long
def test_what_is_taken_from_an_account_goes_from_its_open_page(
    engine: Engine, tea: Site, pots: Site, arrive: Arrive
) -> None:
    visitor_opens(engine, tea, f"v{client_id()}", attributes={"name": "Thekla"})
    visitor_opens(engine, pots, f"v{client_id()}", attributes={"name": "Pia"})
    account = account_of(engine, "Adam", Role.ADMIN)
    page = arrive(account, "chats")
    for name in ("Thekla", "Pia"):
        expect(item(page, name)).to_be_visible()
    expect(page.get_by_role("button", name="Add a site")).to_be_visible()
    with writing(engine) as db:
        limit_account(db, account.id, [tea.id or 0])
    expect(page.get_by_text("Pia")).to_have_count(0)
    expect(item(page, "Thekla")).to_be_visible()
    expect(page.get_by_role("button", name="Add a site")).to_have_count(0)
    with writing(engine) as db:
        set_account(db, account.id, role=Role.VIEWER)
    expect(page.get_by_text("Only agents and admins")).to_be_visible()
    expect(page.get_by_text("Thekla")).to_have_count(0)
    expect(page.locator("button.waiting")).to_be_hidden()
    assert not page.title().startswith("(")


@pytest.mark.long
def test_tab_of_somebody_else_in_the_same_browser_tells_nothing(
    engine: Engine, tea: Site, pots: Site, arrive: Arrive, dashboard: str
) -> None:
    visitor_opens(engine, pots, f"v{client_id()}", attributes={"name": "Paul of pots"})
    visitor_opens(engine, tea, f"v{client_id()}", attributes={"name": "Tom of tea"})
    first = arrive(account_of(engine, "Sees all", Role.AGENT), "chats")
    expect(item(first, "Paul of pots")).to_be_visible()
    limited = session_cookie(engine, account_of(engine, "Sees tea", Role.AGENT, [tea]))
    put_session(first.context, dashboard, limited)
    wait_for(lambda: is_known(first.context, dashboard))
    page = first.context.new_page()
    page.goto(f"{dashboard}/chats")
    expect(item(page, "Tom of tea")).to_be_visible()
    visitor_opens(engine, pots, f"v{client_id()}", attributes={"name": "Pit of pots"})
    visitor_opens(engine, tea, f"v{client_id()}", attributes={"name": "Tim of tea"})
    expect(item(page, "Tim of tea")).to_be_visible()
    expect(page.get_by_text("of pots")).to_have_count(0)


@pytest.mark.long
def test_what_somebody_has_not_sent_stays_theirs(
    engine: Engine, tea: Site, arrive: Arrive, dashboard: str
) -> None:
    visitor_opens(engine, tea, f"v{client_id()}", attributes={"name": "Mia"})
    page = arrive(account_of(engine, "First", Role.AGENT), "chats")
    open_conversation(page, "Mia")
    field(page).fill("For my eyes")
    second = session_cookie(engine, account_of(engine, "Second", Role.AGENT))
    put_session(page.context, dashboard, second)
    wait_for(lambda: is_known(page.context, dashboard))
    page.reload()
    expect(page.get_by_test_id("stSidebar")).to_contain_text("Second")
    expect(field(page)).to_be_visible()
    expect(field(page)).to_have_value("")

"""The address of Visitor Monitor in a real browser: reload, Back, a shared link."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.helpers.profiles import STILL
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database, make_site, make_visits

pytestmark = pytest.mark.timeout(300)

OpenAddress = Callable[[str], Page]


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url, engine = make_database(tmp_path_factory.mktemp("address"))
    now = datetime.now(UTC)
    make_visits(engine, make_site(engine, key="tea"), 40, now=now)
    make_visits(engine, make_site(engine, key="pots", name="Pot shop"), 7, now=now)
    with running_dashboard(url) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser, dashboard: str) -> Iterator[OpenAddress]:
    contexts = []

    def open_page(query: str) -> Page:
        context = browser.new_context(
            viewport={"width": 1440, "height": 1000}, reduced_motion=STILL
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{dashboard}/{query}")
        expect(rows(page).first.or_(page.get_by_text("No visitor matches"))).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()


def rows(page: Page):
    return page.get_by_role("table", name="Active visitors").locator("tbody tr")


def ids(page: Page) -> list[str]:
    return rows(page).evaluate_all("rows => rows.map(row => row.dataset.id)")


def column(page: Page, name: str) -> list[str]:
    return rows(page).locator(f"td[data-name={name}]").all_inner_texts()


def query(page: Page) -> dict[str, str]:
    parameters = parse_qs(page.evaluate("location.search").removeprefix("?"))
    return {name: values[-1] for name, values in parameters.items()}


def narrow(page: Page) -> dict[str, str]:
    """Choose something in each part of the page; returns what the address says then."""
    page.get_by_role("combobox", name="Any status").select_option("Browsing")
    wait_for(lambda: query(page).get("status") == "Browsing")
    page.get_by_role("list", name="Visitors by Browser").get_by_role(
        "button", name="Chrome"
    ).click()
    wait_for(lambda: query(page).get("browser") == "Chrome")
    page.get_by_role("table", name="Active visitors").get_by_role("button", name="Pages").click()
    wait_for(lambda: query(page).get("sort", "").endswith("page_count"))
    page.get_by_role("searchbox").press_sequentially("/c", delay=20)
    wait_for(lambda: query(page).get("q") == "/c")
    wait_for(lambda: all("/c" in path for path in column(page, "path")))
    return query(page)


def check_narrowed(page: Page, shown: list[str]) -> None:
    wait_for(lambda: ids(page) == shown)
    expect(page.get_by_role("searchbox")).to_have_value("/c")
    expect(page.get_by_role("combobox", name="Any status")).to_have_value("Browsing")
    expect(page.get_by_role("button", name="Clear the filter Browser: Chrome")).to_be_visible()


@pytest.mark.long
def test_reload_and_a_shared_link_show_the_same_list(open_page: OpenAddress) -> None:
    page = open_page("?site=tea")
    wanted = narrow(page)
    assert set(wanted) == {"site", "status", "browser", "sort", "q"}
    shown = ids(page)
    assert 0 < len(shown) < 40
    page.reload()
    check_narrowed(page, shown)
    assert query(page) == wanted
    check_narrowed(open_page(f"?{urlsplit(page.url).query}"), shown)


def test_each_choice_is_a_step_of_back_and_typing_is_none(open_page: OpenAddress) -> None:
    page = open_page("?site=tea")
    everybody = ids(page)
    wanted = narrow(page)
    shown = ids(page)
    page.go_back()
    wait_for(lambda: set(query(page)) == {"site", "status", "browser"})
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(page.get_by_role("columnheader", name="Pages")).not_to_have_attribute(
        "aria-sort", re.compile(".*")
    )
    page.go_back()
    wait_for(lambda: set(query(page)) == {"site", "status"})
    expect(page.get_by_role("button", name="Clear the filter Browser: Chrome")).to_have_count(0)
    page.go_back()
    wait_for(lambda: ids(page) == everybody)
    expect(page.get_by_role("combobox", name="Any status")).to_have_value("")
    for _ in range(3):
        page.go_forward()
    check_narrowed(page, shown)
    assert query(page) == wanted


def test_search_leaves_what_the_table_has_not_heard_of_in_the_address(
    open_page: OpenAddress,
) -> None:
    page = open_page("?site=tea&status=Browsing")
    sorted_meanwhile = "?site=tea&sort=-page_count&status=Browsing"
    page.evaluate(
        """address => {
          const replace = history.replaceState.bind(history)
          replace(history.state, "", address)
          window.replaced = []
          history.replaceState = (...call) => { window.replaced.push(call[2]); replace(...call) }
        }""",
        sorted_meanwhile,
    )
    page.get_by_role("searchbox").fill("/c")
    wait_for(lambda: page.evaluate("window.replaced"))
    replaced = page.evaluate("window.replaced[0]")
    assert replaced == "/?site=tea&q=%2Fc&sort=-page_count&status=Browsing"


@pytest.mark.long
def test_back_shows_the_tab_that_was_left(open_page: OpenAddress) -> None:
    page = open_page("?site=tea&q=cart")
    data = page.get_by_role("tab", name="Data")
    data.click()
    download = page.get_by_role("button", name="Download CSV")
    expect(download).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Chats").click()
    # Streamlit clears the screen before it changes the address: until then Back leaves the dashboard.
    wait_for(lambda: page.evaluate("location.pathname") == "/chats")
    expect(download).to_have_count(0)
    page.go_back()
    expect(data).to_have_attribute("aria-selected", "true")
    expect(download).to_be_visible()
    assert query(page) == {"site": "tea", "q": "cart"}


@pytest.mark.long
def test_choice_can_be_made_again_after_back(open_page: OpenAddress) -> None:
    page = open_page("?site=tea")
    status = page.get_by_role("combobox", name="Any status")
    for _ in range(2):
        status.select_option("Chatting")
        wait_for(lambda: all(word.startswith("Chatting") for word in column(page, "status")))
        page.go_back()
        expect(status).to_have_value("")
        expect(rows(page)).to_have_count(40)


@pytest.mark.long
def test_hostile_and_unknown_values_change_nothing_and_vanish(open_page: OpenAddress) -> None:
    page = open_page("?site=tea&status=%3Cscript%3E&sort=-password&page=-1&country=XX&other=kept")
    expect(rows(page)).to_have_count(40)
    wait_for(lambda: query(page) == {"site": "tea", "other": "kept"})


@pytest.mark.long
def test_search_of_any_signs_is_one_step(open_page: OpenAddress) -> None:
    page = open_page("?site=tea")
    before = page.evaluate("history.length")
    page.get_by_role("searchbox").fill("a'b(*)! ~ü&=+%\U0001f375 ")
    expect(page.get_by_text("No visitor matches the search and the filters.")).to_be_visible()
    assert page.evaluate("history.length") == before
    address = page.url
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("a'b(*)! ~ü&=+%\U0001f375 ")
    assert page.url == address


@pytest.mark.long
def test_another_site_begins_without_the_filters(open_page: OpenAddress) -> None:
    page = open_page("?site=tea&q=cart")
    page.get_by_role("combobox", name="Site").click()
    page.get_by_role("option", name="Pot shop").click()
    expect(rows(page)).to_have_count(7)
    expect(page.get_by_role("searchbox")).to_have_value("")
    assert query(page) == {"site": "pots"}


@pytest.mark.long
@pytest.mark.parametrize("key, visitors", [("pots", 7), ("~all", 47)])
def test_links_of_the_sidebar_keep_the_site(
    open_page: OpenAddress, key: str, visitors: int
) -> None:
    page = open_page(f"?site={key}&q=x")
    menu = page.get_by_test_id("stSidebar")
    for name, path in (("Chats", "/chats"), ("Sites", "/sites"), ("Visitor Monitor", "/")):
        menu.get_by_role("link", name=name).click()
        wait_for(lambda path=path: page.evaluate("location.pathname") == path)
        wait_for(lambda: query(page) == {"site": key})
    expect(rows(page)).to_have_count(visitors)
    page.reload()
    expect(rows(page)).to_have_count(visitors)

"""The Sites page and what every page says of the collector, with a real collector and a real website."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sqlalchemy import Engine

from core.database import open_database, reading
from core.sites import list_sites
from tests.helpers.collector_heartbeats import give_heartbeat
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.own_website import own_website
from tests.helpers.profiles import STILL
from tests.helpers.running_collector import CHROME
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.screens import keep_both_themes
from tests.helpers.seed import make_site, make_visits

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
SILENT_WITHIN = 90_000
"""Milliseconds after its last heartbeat in which a page must say that a collector is silent."""
GONE_WITHIN = 60_000
"""Milliseconds from the deleting to the end of its progress: the collector begins it after ten seconds."""

OpenInBrowser = Callable[..., Page]


@dataclass(frozen=True)
class Installation:
    """A dashboard and the collector of its database, which is not running yet."""

    dashboard: str
    collector: CollectorProcess
    engine: Engine


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    collector = CollectorProcess(tmp_path_factory.mktemp("sites"), ["tea"])
    engine = open_database(collector.url)
    give_heartbeat(engine, datetime.now(UTC) - timedelta(minutes=5))
    address = f"http://127.0.0.1:{collector.port}"
    with running_dashboard(
        collector.url, has_collector=False, MONITOR_PUBLIC_URL=address
    ) as dashboard:
        yield Installation(dashboard, collector, engine)
    collector.stop()
    engine.dispose()


@pytest.fixture
def recording(installation: Installation) -> Installation:
    """The same, and the collector runs."""
    if not installation.collector.is_running:
        installation.collector.start()
    return installation


@pytest.fixture
def open_page(browser: Browser, installation: Installation) -> Iterator[OpenInBrowser]:
    contexts: list[BrowserContext] = []

    def open_page(path: str = "", width: int = 1440, height: int = 900) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion=STILL
        )
        context.set_default_timeout(20_000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{installation.dashboard}/{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()


def silence(page: Page) -> Locator:
    return page.get_by_role("alert").filter(has_text="No visitor is recorded since")


def test_every_page_says_that_no_collector_answers_until_one_does(
    installation: Installation, open_page: OpenInBrowser
) -> None:
    installation.collector.stop()
    page = open_page()
    expect(silence(page)).to_be_visible(timeout=SILENT_WITHIN)
    expect(silence(page)).to_contain_text("the collector does not answer")
    expect(silence(page)).to_contain_text("python -m collector")
    for path in ("chats", "sites", "visitor?site=tea&visit=x"):
        expect(silence(open_page(path))).to_be_visible()
    keep_both_themes(page, "no-collector", whole=False)
    installation.collector.start()
    expect(silence(page)).to_have_count(0)
    expect(page.locator(".st-key-collector_notice")).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_added_site_shows_its_tag_and_sees_the_first_page_view(
    recording: Installation,
    open_page: OpenInBrowser,
    make_context: Callable[..., BrowserContext],
    width: int,
    height: int,
) -> None:
    page = open_page("chats", width, height)
    if width < 700:
        page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("button", name="Add a site").click()
    dialog = page.get_by_role("dialog", name="Add a site")
    name = f"Oolong {width}"
    with own_website() as website:
        dialog.get_by_role("textbox", name="Name", exact=True).fill(name)
        dialog.get_by_role("textbox", name="Website address").fill(website.url)
        keep_both_themes(page, "add-site", whole=False)
        dialog.get_by_role("button", name="Add site").click()
        expect(dialog.get_by_text(f"{name} is added.")).to_be_visible()
        expect(dialog.get_by_text("Waiting for the first page view")).to_be_visible()
        copies = dialog.get_by_role("button", name="Copy to clipboard")
        expect(copies).to_have_count(2)
        page.mouse.move(0, 0)
        for copy in copies.all():
            assert copy.evaluate(OPACITY) == 1
        copies.first.click()
        website.snippet = page.evaluate("navigator.clipboard.readText()")
        assert f'data-site="oolong-{width}"' in website.snippet

        # Until the collector knows the site it refuses the page, which then stays silent.
        reader = make_context(user_agent=CHROME).new_page()
        seen = dialog.get_by_role("status").filter(has_text="We see you:")
        while not seen.count():
            reader.goto(f"{website.url}/first-flush")
            reader.wait_for_timeout(
                1_000
            )  # a page that is looked at listens: its network is never idle
        expect(seen).to_contain_text("/first-flush")
        keep_both_themes(page, "site-added", whole=False)
    dialog.get_by_role("button", name="Done").click()
    expect(page).to_have_url(f"{recording.dashboard}/?site=oolong-{width}")
    expect(page.get_by_text("/first-flush").first).to_be_visible()


OPACITY = """button => {
  let opacity = 1;
  for (let each = button; each; each = each.parentElement)
    opacity *= Number(getComputedStyle(each).opacity);
  return opacity;
}"""


def test_refused_page_is_told_to_its_owner_at_once(
    recording: Installation, open_page: OpenInBrowser, make_context: Callable[..., BrowserContext]
) -> None:
    page = open_page("sites")
    page.get_by_role("button", name="Add a site").click()
    dialog = page.get_by_role("dialog", name="Add a site")
    dialog.get_by_role("textbox", name="Name", exact=True).fill("Elsewhere")
    dialog.get_by_role("textbox", name="Website address").fill("www.elsewhere.example")
    dialog.get_by_role("button", name="Add site").click()
    with own_website() as website:
        website.snippet = dialog.locator("code").first.inner_text()
        reader = make_context(user_agent=CHROME).new_page()
        causes = dialog.get_by_role("status").filter(has_text="It may be this:")
        address = causes.get_by_text("add it under Website addresses")
        while not address.count():
            reader.goto(website.url)
            reader.wait_for_load_state("networkidle")
        expect(address).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_site_is_deleted_once_its_name_is_written(
    recording: Installation, open_page: OpenInBrowser, width: int, height: int
) -> None:
    site = make_site(recording.engine, key=f"cups-{width}", name=f"Cups {width}")
    make_visits(recording.engine, site, 40, now=datetime.now(UTC))
    elsewhere = open_page(f"?site={site.key}")
    expect(elsewhere.get_by_text(site.name).first).to_be_visible()
    page = open_page(f"sites?site={site.key}", width, height)
    keep_both_themes(page, "sites", whole=False)
    page.get_by_role("button", name="Delete this site").click()
    dialog = page.get_by_role("dialog", name="Delete this site")
    dialog.get_by_role("textbox").fill("Tea")
    dialog.get_by_role("button", name="Delete for good").click()
    expect(dialog.get_by_role("alert")).to_contain_text(f"write '{site.name}' to delete it")
    keep_both_themes(page, "delete-site", whole=False)
    dialog.get_by_role("textbox").fill(site.name)
    dialog.get_by_role("textbox").press("Enter")
    progress = page.get_by_role("status").filter(has_text=f"Deleting {site.name}:")
    expect(progress).to_be_in_viewport()
    expect(progress).to_contain_text("40 visits left.")
    expect(elsewhere.get_by_text(site.name)).to_have_count(0)
    gone = page.get_by_text(f"{site.name} is deleted. All its data are gone.")
    expect(gone).to_be_visible(timeout=GONE_WITHIN)
    with reading(recording.engine) as db:
        assert site.key not in [each.key for each in list_sites(db)]


def test_preview_of_the_chat_dialog_follows_the_fields(
    recording: Installation, open_page: OpenInBrowser
) -> None:
    page = open_page("sites")
    greeting = page.get_by_label("Greeting in every language")
    greeting.fill("Which tea?")
    greeting.press("Enter")
    dialog = page.frame_locator("iframe").locator("visitor-monitor-chat")
    expect(dialog.locator(".line span").first).to_have_text("Which tea?")
    page.get_by_role("radio", name="dark").click()
    expect(dialog.get_by_role("dialog")).to_have_css("background-color", "rgb(18, 18, 18)")

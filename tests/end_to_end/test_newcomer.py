"""The newcomer's story: start it, open the demo shop, see the rows; then a website of one's own.

Real processes, real browsers. Screenshots are kept where MONITOR_TEST_ARTIFACTS says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import pytest
from playwright.sync_api import (
    BrowserContext,
    Locator,
    Page,
    Request,
    expect,
)

from tests.helpers.own_website import own_website
from tests.helpers.running_monitor import RunningMonitor, running_monitor
from tests.helpers.screens import keep_both_themes, keep_screenshot
from tests.helpers.shop import until

WITHIN = 20_000
"""Milliseconds in which a page must show what is awaited; the machine may be busy."""
SETTLES_WITHIN = 45
"""Seconds: a browser sends its time zone, and so its country, with its next presence, after 20 s."""

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

MakeContext = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def monitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMonitor]:
    """What `make run` starts. A headless browser counts as a robot, hence count_bots."""
    folder = tmp_path_factory.mktemp("monitor")
    with running_monitor(folder, MONITOR_COUNT_BOTS="on", MONITOR_RATE_LIMIT="off") as monitor:
        yield monitor


def test_newcomer_sees_three_visitors_shop(
    monitor: RunningMonitor, make_context: MakeContext
) -> None:
    dashboard = open_dashboard(monitor, make_context)
    expect(dashboard.get_by_text("No visitors yet")).to_be_visible()
    shop = str(dashboard.get_by_role("link", name="Open the demo shop").get_attribute("href"))
    assert shop == monitor.address_of("Demo shop")
    assert snippet(dashboard) == tag(monitor, "demo")
    refresh_every(dashboard, "2 s")

    new_visitor = partial(visitor_of, make_context, shop)
    karl = new_visitor(CHROME, "Europe/Berlin", came_from="https://www.google.com/")
    follow(karl, "Tea", "Amber Oolong")
    maria = new_visitor(SAFARI, "America/New_York", query="?utm_source=newsletter", is_phone=True)
    follow(maria, "Cups", "Reed Cup")
    maria.get_by_role("button", name="Add to cart").click()
    follow(maria, "In your cart. Go to it", "Check out", "Continue to shipping")
    ann = new_visitor(FIREFOX, "Asia/Tokyo")
    follow(ann, "Guide")
    sign_in(ann)
    start_chat(ann)

    see_rows(
        dashboard,
        VisitorRow(
            "Browsing", "/demo/checkout/shipping", "In Checkout", "Newsletter", "Safari", "US", 6
        ),
        VisitorRow(
            "Browsing", "/demo/products/amber-oolong", "Product", "Google", "Chrome", "DE", 3
        ),
        VisitorRow("Chatting", "/demo/guide", "", "Direct", "Firefox", "JP", 2),
    )
    see_cards(
        dashboard,
        {"Online Now": 3, "Chatting": 1, "Browsing": 2, "Visits Today": 3, "This Month": 3},
    )
    expect(card(dashboard, "Online Now")).to_contain_text("3 in view, 0 away")
    see_shares(dashboard, "Browser", "Chrome", "Firefox", "Safari")
    see_shares(dashboard, "OS", "Linux", "Windows", "iOS")
    see_shares(dashboard, "Country", "🇩🇪Germany", "🇯🇵Japan", "🇺🇸United States")
    see_time_grow(dashboard, "DE")
    keep_screenshots(dashboard, "live")
    keep_screenshot(ann, "newcomer-shop")

    second_tab = karl.context.new_page()
    with counted(second_tab):
        second_tab.goto(f"{shop}products/wave-cup")
    see_cell(dashboard, "DE", "path", "/demo/products/wave-cup")
    see_cell(dashboard, "DE", "page_count", "4")
    see_cards(dashboard, {"Online Now": 3, "Visits Today": 3})

    second_tab.close()
    see_cell(dashboard, "DE", "status", "Browsing")
    karl.close()
    see_cell(dashboard, "DE", "status", "Browsing, away")
    expect(row_of(dashboard, "DE").locator("td.kind-status.away .dot")).to_be_visible()
    expect(card(dashboard, "Online Now")).to_contain_text("2 in view, 1 away")
    see_cards(dashboard, {"Online Now": 3})

    follow(maria, "Continue to payment", "Place the demo order")
    expect(maria.get_by_role("heading", name="Thank you. Put the kettle on.")).to_be_visible()
    see_cell(dashboard, "US", "page_context", "Purchased")
    see_cell(dashboard, "US", "path", "/demo/checkout/thank-you")

    search = dashboard.get_by_role("searchbox")
    search.fill("ann example")
    see_rows(dashboard, VisitorRow("Chatting", "/demo/guide", "", "Direct", "Firefox", "JP", 2))
    row_of(dashboard, "JP").click()
    expect(dashboard.get_by_role("heading", name="Ann Example")).to_be_visible(timeout=WITHIN)
    dashboard.go_back()
    search.fill("")

    row_of(dashboard, "US").click()
    dashboard.get_by_role("link", name="Open the visitor's page").click()
    see_page_views(
        dashboard,
        ("/demo/", ""),
        ("/demo/collections/cups", "Collection"),
        ("/demo/products/reed-cup", "Product"),
        ("/demo/cart", "Cart"),
        ("/demo/checkout/information", "In Checkout"),
        ("/demo/checkout/shipping", "In Checkout"),
        ("/demo/checkout/payment", "In Checkout"),
        ("/demo/checkout/thank-you", "Purchased"),
    )
    expect(dashboard.get_by_text("Newsletter (e-mail)", exact=True)).to_be_visible()
    expect(dashboard.get_by_text("🇺🇸 United States (US)")).to_be_visible()
    keep_screenshots(dashboard, "visitor")


def test_newcomer_adds_a_website_of_their_own(
    monitor: RunningMonitor, make_context: MakeContext
) -> None:
    with own_website() as website:
        dashboard = open_dashboard(monitor, make_context)
        dialog = add_site(dashboard, name="Tea blog", address=website.url)
        expect(dialog.get_by_text("Waiting for the first page view")).to_be_visible(timeout=WITHIN)
        website.snippet = snippet(dialog)
        assert website.snippet == tag(monitor, "tea-blog")

        reader = make_context(timezone_id="Asia/Kathmandu", user_agent=CHROME).new_page()
        open_until_counted(reader, f"{website.url}/first-flush")

        seen = dialog.get_by_role("status").filter(has_text="We see you:")
        expect(seen).to_contain_text("/first-flush", timeout=WITHIN)
        keep_screenshots(dashboard, "added")
        dialog.get_by_role("button", name="Done").click()
        expect(rows(dashboard)).to_have_count(1, timeout=WITHIN)
        see_cell(dashboard, "", "path", "/first-flush")
        see_cards(dashboard, {"Online Now": 1, "Visits Today": 1})

        dashboard.get_by_role("link", name="Sites").click()
        verdict = dashboard.get_by_role("status").filter(has_text="Yes.")
        expect(verdict).to_contain_text("1 page view in the last 5 minutes", timeout=WITHIN)
        websites = dashboard.get_by_role("table", name="Websites that report")
        expect(websites.get_by_role("row").filter(has_text=website.host)).to_be_visible()
        keep_screenshots(dashboard, "sites")


# The dashboard


@dataclass(frozen=True)
class VisitorRow:
    """A row of the table without the times."""

    status: str
    path: str
    page_context: str
    source: str
    browser: str
    country: str
    page_count: int


def open_dashboard(monitor: RunningMonitor, make_context: MakeContext) -> Page:
    context = make_context(viewport={"width": 1440, "height": 1000}, color_scheme="light")
    context.set_default_timeout(WITHIN)
    page = context.new_page()
    page.goto(monitor.address_of("Dashboard"))
    expect(page.get_by_role("heading", name="Visitor Monitor")).to_be_visible(timeout=60_000)
    return page


def refresh_every(dashboard: Page, choice: str) -> None:
    dashboard.get_by_role("combobox", name="Refresh").click()
    dashboard.get_by_role("option", name=choice, exact=True).click()


def snippet(dashboard: Page | Locator) -> str:
    code = dashboard.get_by_test_id("stCode").locator("code").first
    expect(code).to_be_visible()
    return code.inner_text().strip()


def tag(monitor: RunningMonitor, key: str) -> str:
    script = f"{monitor.address_of('Collector')}/embed/visitor-monitor.js"
    return f'<script async src="{script}" data-site="{key}"></script>'


def rows(dashboard: Page) -> Locator:
    return dashboard.get_by_role("table", name="Active visitors").locator("tbody tr")


def row_of(dashboard: Page, country: str) -> Locator:
    return rows(dashboard).filter(has=dashboard.locator("td[data-name=country]", has_text=country))


def cell_of(dashboard: Page, country: str, column: str) -> Locator:
    return row_of(dashboard, country).locator(f"td[data-name={column}]")


def see_cell(dashboard: Page, country: str, column: str, words: str) -> None:
    expect(cell_of(dashboard, country, column)).to_have_text(words, timeout=WITHIN)


def see_rows(dashboard: Page, *expected: VisitorRow) -> None:
    """Exactly these rows, in this order; a country is shown with its flag and code."""
    names = list(VisitorRow.__annotations__)
    flags = {"DE": "🇩🇪", "JP": "🇯🇵", "US": "🇺🇸"}
    wanted = [
        [str(getattr(row, name)) for name in names[:5]]
        + [flags[row.country] + row.country, str(row.page_count)]
        for row in expected
    ]

    def shown() -> list[list[str]]:
        return rows(dashboard).evaluate_all(
            "(rows, names) => rows.map(row => names.map("
            "name => row.querySelector(`[data-name=${name}]`)).map("
            "cell => (cell.querySelector('.badge') ?? (cell.matches('.kind-text')"
            " ? cell.querySelector('.word') : cell)).textContent))",
            names,
        )

    until(lambda: shown() == wanted, lambda: f"shown: {shown()}", within=SETTLES_WITHIN)


def card(dashboard: Page, label: str) -> Locator:
    return dashboard.locator(f".number:has(.label:text-is('{label}'))")


def see_cards(dashboard: Page, expected: Mapping[str, int]) -> None:
    for label, value in expected.items():
        shown = card(dashboard, label).locator(".value")
        expect(shown).to_have_text(str(value), timeout=WITHIN)


def see_shares(dashboard: Page, label: str, *expected: str) -> None:
    """Each value once: a third of the visitors, and a bar of that length."""
    shares = dashboard.get_by_role("list", name=f"Visitors by {label}").get_by_role("listitem")

    def shown() -> list[list[str]]:
        return shares.evaluate_all(
            "rows => rows.map(row => [['flag', 'word'], ['percent'], ['visits']].map(names => "
            "names.map(name => row.querySelector(`.${name}`).textContent).join('')))"
        )

    wanted = [[value, "33%", "1"] for value in expected]
    until(lambda: shown() == wanted, lambda: f"{label}: {shown()}", within=WITHIN / 1000)
    for bar in shares.locator(".bar").all():
        full = bar.locator("..").evaluate("bar => bar.clientWidth")
        assert bar.evaluate("bar => bar.clientWidth") == pytest.approx(full / 3, abs=1)


def see_time_grow(dashboard: Page, country: str) -> None:
    cell = cell_of(dashboard, country, "time_on_site")
    before = seconds_of(cell.inner_text())
    assert before > 0
    until(
        lambda: seconds_of(cell.inner_text()) >= before + 2,
        lambda: f"{before} s became {cell.inner_text()}",
    )


def seconds_of(label: str) -> int:
    """The seconds of "42s" or "3m 05s"."""
    match = re.fullmatch(r"(?:(\d+)m )?(\d+)s", label)
    assert match, label
    return int(match[1] or 0) * 60 + int(match[2])


def see_page_views(dashboard: Page, *expected: tuple[str, str]) -> None:
    views = dashboard.get_by_role("table", name="Pages in order").locator("tbody tr")
    expect(views).to_have_count(len(expected), timeout=WITHIN)
    for position, (path, context) in enumerate(expected):
        view = views.nth(position)
        expect(view.locator("td[data-name=path]")).to_have_text(path)
        expect(view.locator("td[data-name=page_context]")).to_have_text(context)


def add_site(dashboard: Page, *, name: str, address: str) -> Locator:
    """The dialog, once it shows the tag."""
    dashboard.get_by_role("button", name="Add a site").click()
    dialog = dashboard.get_by_role("dialog", name="Add a site")
    dialog.get_by_role("textbox", name="Name", exact=True).fill(name)
    dialog.get_by_role("textbox", name="Website address").fill(address)
    dialog.get_by_role("button", name="Add site").click()
    expect(dialog.get_by_text(f"{name} is added.")).to_be_visible(timeout=WITHIN)
    return dialog


# The visitors


def visitor_of(
    make_context: MakeContext,
    shop: str,
    user_agent: str,
    time_zone: str,
    *,
    came_from: str | None = None,
    query: str = "",
    is_phone: bool = False,
) -> Page:
    """A browser of its own that has opened the shop."""
    size = {"width": 390, "height": 844} if is_phone else {"width": 1280, "height": 900}
    context = make_context(
        user_agent=user_agent,
        timezone_id=time_zone,
        viewport=size,
        is_mobile=is_phone,
        has_touch=is_phone,
    )
    page = context.new_page()
    with counted(page):
        page.goto(shop + query, referer=came_from)
    return page


def follow(page: Page, *links: str) -> None:
    """Click one link after the other, each once the page before it is counted."""
    for link in links:
        with counted(page):
            page.get_by_role("link", name=link).first.click()


@contextmanager
def counted(page: Page) -> Iterator[None]:
    """Wait at the end for the answer to a page view."""
    with page.expect_response(
        lambda answer: is_view(answer.request) and answer.status == 200, timeout=WITHIN
    ):
        yield


def is_view(request: Request) -> bool:
    return request.url.endswith("/v1/beacon") and '"e":"v"' in (request.post_data or "")


def sign_in(page: Page) -> None:
    page.get_by_role("button", name="Sign in as Ann").click()


def start_chat(page: Page) -> None:
    page.locator("summary").filter(has_text="Chat").click()
    page.get_by_role("textbox", name="Message").fill("Is the oolong in stock?")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Hello from the stand-in.")).to_be_visible()


def open_until_counted(page: Page, url: str) -> None:
    """Every collector knows a new site within 5 seconds; until then its script is refused."""

    def is_counted() -> bool:
        with page.expect_response(lambda answer: is_view(answer.request), timeout=WITHIN) as answer:
            page.goto(url)
        return answer.value.status == 200

    until(is_counted, lambda: "the collector does not know the site", within=15)


# Screenshots


def keep_screenshots(dashboard: Page, name: str) -> None:
    """The page on a wide screen and on a phone's, in light and in dark; afterwards as before."""
    for width, height in ((390, 844), (1440, 1000)):
        dashboard.set_viewport_size({"width": width, "height": height})
        keep_both_themes(dashboard, f"newcomer-{name}", whole=False)

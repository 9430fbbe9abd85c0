"""Chats of other products set the same status. One row and one fake page for each product."""

from pathlib import Path
from typing import NamedTuple

import pytest

PAGES = Path(__file__).parent


class Widget(NamedTuple):
    """A chat tool: its fake page is NAME.html, which defines what `widget` does there."""

    name: str
    sign: str
    """The global that it sets, after which its adapter is named."""
    reports_end: bool


WIDGETS = [
    Widget("tawk", "Tawk_API", reports_end=True),
    Widget("crisp", "$crisp", reports_end=False),
    Widget("hubspot", "HubSpotConversations", reports_end=True),
    Widget("chatwoot", "$chatwoot", reports_end=False),
]
SCRIPTS = ["visitor-monitor.js", "visitor-monitor-adapters.js"]
CRISP = next(widget for widget in WIDGETS if widget.name == "crisp")


def each(widgets: list[Widget]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("widget", widgets, ids=[widget.name for widget in widgets])


each_widget = each(WIDGETS)
each_that_ends = each([widget for widget in WIDGETS if widget.reports_end])


@each_widget
@pytest.mark.parametrize("query", ["", "?late"], ids=["in the page", "late"])
def test_chat_is_reported(shop, page, widget, query):
    open_page(shop, page, widget, query)

    page.evaluate("widget.start()")
    shop.until(lambda: shop.visit()["chat_source"] == "third_party")

    for side in ("visitorSays", "agentSays"):
        count = len(shop.events("c"))
        page.evaluate(f"widget.{side}()")
        shop.until_event("c", count + 1)

    if widget.reports_end:
        page.evaluate("widget.end()")
        shop.until(lambda: shop.visit()["chat_source"] == "")
    assert {event["s"] for event in shop.events("c")} >= {"start", "message"}


@each_widget
def test_greeting_of_a_machine_begins_no_chat(shop, page, widget):
    open_page(shop, page, widget)

    page.evaluate("widget.greets()")
    page.evaluate("visitorMonitor('page')")

    shop.until(lambda: len(shop.views()) == 2)
    assert shop.events("c") == []
    assert shop.visit()["chat_source"] == ""


@each_widget
def test_agent_who_writes_first_begins_a_chat_and_no_activity(shop, page, widget):
    """So does one who goes on with a chat of an earlier page."""
    open_page(shop, page, widget)

    page.evaluate("widget.agentSays()")

    shop.until(lambda: shop.visit()["chat_source"] == "third_party")
    assert [event["s"] for event in shop.events("c")] == ["message"], "a start would be activity"


@each_widget
def test_chat_that_the_visitor_goes_on_with_is_reported(shop, page, widget):
    open_page(shop, page, widget)

    page.evaluate("widget.goesOn()")

    shop.until(lambda: shop.visit()["chat_source"] == "third_party")
    assert [event["s"] for event in shop.events("c")] == ["start"]


@each_widget
def test_widget_that_waits_for_a_click_is_reported(shop, page, widget):
    page.clock.install()
    shop.pages["/late"] = (PAGES / f"{widget.name}.html").read_text("utf-8")
    page.goto(shop.url("/late?late"))
    shop.until(lambda: page.evaluate("!!window.visitorMonitor"))
    page.clock.run_for(200)
    shop.until_paths("/late")
    page.clock.fast_forward(90_000)

    page.mouse.click(5, 5)
    page.clock.run_for(5_000)
    page.evaluate("widget.appear()")
    if widget.sign == "$crisp":  # its queue is there long before the widget
        page.clock.run_for(2_000)
        await_adapter(shop, page, widget)
        page.clock.fast_forward(90_000)
    page.evaluate("widget.load()")
    page.clock.run_for(3_000)
    await_adapter(shop, page, widget)
    page.evaluate("widget.listen(), widget.start(), widget.visitorSays()")

    shop.until(lambda: page.clock.run_for(200) or shop.visit()["chat_source"] == "third_party")
    assert "after" in page.evaluate("heard")


@each_that_ends
def test_end_is_reported_on_the_next_page_too(shop, page, widget):
    open_page(shop, page, widget)
    page.evaluate("widget.start()")
    shop.until(lambda: shop.visit()["chat_source"] == "third_party")

    open_page(shop, page, widget)
    assert shop.visit()["chat_source"] == "third_party"
    page.evaluate("widget.end()")

    shop.until(lambda: shop.visit()["chat_source"] == "")


@each_widget
def test_page_gets_the_events_of_its_widget_as_before(shop, page, widget):
    open_page(shop, page, widget)

    page.evaluate("widget.start()")
    page.evaluate("widget.listen()")
    page.evaluate("widget.start(), widget.visitorSays()")

    shop.until(lambda: len(shop.events("c")) >= 3)
    heard = page.evaluate("heard")
    assert "before" in heard
    assert "after" in heard
    assert page.evaluate("touched") == [], "the other chat is never opened"


@each_widget
def test_broken_widget_does_no_harm(shop, page, widget):
    open_page(shop, page, widget, "?broken")

    page.evaluate("history.pushState({}, '', '/next')")

    shop.until_paths(f"/{widget.name}", "/next")
    page.evaluate("visitorMonitor('chat', 'start')")
    shop.until(lambda: shop.visit()["chat_source"] == "third_party")


@each_widget
def test_chat_is_reported_under_a_strict_policy(shop, page, widget):
    shop.attributes = 'nonce="n0nce"'
    shop.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-n0nce'; connect-src {shop.gate.url}"
    )
    open_page(shop, page, widget)

    page.evaluate("widget.start()")

    shop.until(lambda: shop.visit()["chat_source"] == "third_party")


@each_widget
def test_only_the_adapter_of_the_present_widget_is_loaded(shop, page, widget):
    open_page(shop, page, widget)

    assert scripts(shop) == [*SCRIPTS, adapter(widget)]


def test_page_without_a_widget_loads_nothing_more(shop, page):
    page.clock.install()
    page.goto(shop.url("/p1"))
    shop.until(lambda: page.evaluate("!!window.visitorMonitor"))
    page.clock.run_for(1_000)
    shop.until_paths("/p1")
    shop.until(lambda: len(scripts(shop)) == 2)
    page.clock.run_for(35_000)
    shop.until_event("p")
    assert scripts(shop) == SCRIPTS

    page.evaluate("visitorMonitor('optOut'); window.Tawk_API = {}, window.$chatwoot = {}")
    page.clock.run_for(35_000)

    assert scripts(shop) == SCRIPTS, "nothing is looked for after an opt-out"


def test_no_widget_is_looked_for_before_consent(shop, page):
    page.clock.install()
    shop.attributes = 'data-consent="required"'
    shop.pages["/tawk"] = (PAGES / "tawk.html").read_text("utf-8")
    page.goto(shop.url("/tawk"))
    shop.until(lambda: page.evaluate("!!window.visitorMonitor"))
    page.clock.run_for(10_000)
    assert scripts(shop) == ["visitor-monitor.js"]

    page.evaluate("visitorMonitor('consent', true)")

    page.clock.run_for(1_000)
    shop.until(lambda: len(scripts(shop)) == 3)


@pytest.mark.parametrize("query", ["?", "?kept"], ids=["replaced", "kept"])
def test_crisp_is_reported_though_its_only_listener_is_taken_away(shop, page, query):
    """Crisp puts an object of its own in the queue's place, or goes on with the queue."""
    open_page(shop, page, CRISP, query)

    page.evaluate("widget.stopListening()")
    page.evaluate("widget.start()")

    shop.until(lambda: shop.visit()["chat_source"] == "third_party")
    assert page.evaluate("heard") == []


def test_crisp_that_was_loaded_first_keeps_the_listener_of_the_page(shop, page):
    markup = (PAGES / "crisp.html").read_text("utf-8")
    shop.pages["/crisp"] = markup.replace("{tag}", "<script>widget.load()</script>{tag}")
    page.goto(shop.url("/crisp"))
    await_adapter(shop, page, CRISP)
    shop.until_paths("/crisp")

    page.evaluate("widget.start()")
    assert page.evaluate("heard") == ["before"]

    page.evaluate("widget.listen()")
    page.evaluate("widget.visitorSays()")
    shop.until(lambda: shop.visit()["chat_source"] == "third_party")
    assert page.evaluate("heard") == ["before", "after"]


def open_page(shop, page, widget, query=""):
    """Returns when the widget has loaded and its adapter listens."""
    nonce = 'nonce="n0nce"' if "nonce" in shop.attributes else ""
    markup = (PAGES / f"{widget.name}.html").read_text("utf-8")
    shop.pages[f"/{widget.name}"] = markup.replace("<script>", f"<script {nonce}>")
    views = len(shop.views())
    page.goto(shop.url(f"/{widget.name}{query}"))
    shop.until(lambda: len(shop.views()) == views + 1)
    if query == "?late":
        page.evaluate("widget.appear()")
    if page.evaluate("name => name in window", widget.sign):
        await_adapter(shop, page, widget)
    page.evaluate("widget.load()")
    await_adapter(shop, page, widget)


def await_adapter(shop, page, widget):
    """Wait until the script has loaded the adapter, and the adapter has run."""
    shop.until(lambda: adapter(widget) in scripts(shop))
    page.evaluate("url => import(url).catch(() => {})", f"{shop.gate.url}/embed/{adapter(widget)}")
    if widget.name == "crisp" and "broken" not in page.url:
        shop.until(lambda: page.evaluate("$crisp.push !== widget.push"))


def adapter(widget):
    return f"visitor-monitor-{widget.sign}.js"


def scripts(shop):
    """The collector's scripts that this shop's pages requested, in order, each once.

    But those that the collector's answers ask for: the one that reads the time zone, and the one that listens.
    """
    paths = [
        p.path.removeprefix("/embed/") for p in shop.passages() if p.path.startswith("/embed/")
    ]
    asked_for = {"visitor-monitor-time-zone.js", "visitor-monitor-listen.js"}
    return [path for path in dict.fromkeys(paths) if path not in asked_for]

"""Title, context and signals belong to the page that is open; what comes late goes to the page it came from."""

import pytest

NO_NAVIGATION_API = "delete Window.prototype.navigation; delete window.navigation;"
PUSH = "path => history.pushState({}, '', path)"
TITLE_LATER = """path => {
    history.pushState({}, '', path);
    setTimeout(() => (document.title = 'Title of ' + path), 400);
}"""
TITLE_FIRST = """path => {
    document.title = 'Title of ' + path;
    setTimeout(() => history.pushState({}, '', path), 300);
}"""
BLINKING = """<title>Tea</title>{tag}<script>
    const call = () => (document.title = 'Come back!');
    addEventListener('blur', call);
    document.addEventListener('visibilitychange', () => document.hidden && call());
    addEventListener('focus', () => (document.title = 'Tea'));
</script><p>"""


def titles(shop):
    return {view["path"]: view["title"] for view in shop.views()}


@pytest.mark.parametrize("script", ["", NO_NAVIGATION_API], ids=["navigation", "history"])
def test_title_that_comes_after_the_address_is_that_of_its_own_page(shop, page, script):
    page.add_init_script(script)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    for path in ("/p2", "/p3"):
        page.evaluate(TITLE_LATER, path)
        page.wait_for_timeout(700)
    page.evaluate(PUSH, "/end")
    shop.until_paths("/p1", "/p2", "/p3", "/end")
    found = titles(shop)
    assert [found[path] for path in ("/p1", "/p2", "/p3")] == [
        "Page /p1",
        "Title of /p2",
        "Title of /p3",
    ]


def test_title_that_comes_after_the_address_is_told_soon(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(TITLE_LATER, "/p2")
    shop.until(lambda: titles(shop).get("/p2") == "Title of /p2")
    assert shop.visit()["current_title"] == "Title of /p2"
    page.evaluate("setInterval(() => (document.title = 'New: ' + Math.random()), 50)")
    page.wait_for_timeout(2_000)
    assert len(shop.events("p")) <= 3


def test_title_that_comes_before_the_address_is_that_of_the_next_page(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.wait_for_timeout(1_100)
    for path in ("/p2", "/p3"):
        page.evaluate(TITLE_FIRST, path)
        page.wait_for_timeout(1_500)
    page.goto(shop.url("/end"))
    shop.until_paths("/p1", "/p2", "/p3", "/end")
    assert titles(shop) == {
        "/p1": "Page /p1",
        "/p2": "Title of /p2",
        "/p3": "Title of /p3",
        "/end": "Page /end",
    }


def test_title_that_changes_much_later_is_told_when_the_page_is_left(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.wait_for_timeout(1_100)
    page.evaluate("document.title = 'Song two'")
    page.wait_for_timeout(1_200)
    page.goto(shop.url("/end"))
    shop.until(lambda: titles(shop) == {"/p1": "Song two", "/end": "Page /end"})


def test_title_that_calls_the_visitor_back_is_not_that_of_the_page(shop, tabs):
    shop.pages["/tea"] = BLINKING
    tea = tabs.open(shop.url("/tea"))
    shop.until_paths("/tea")
    other = tabs.open("about:blank")
    shop.until_event("h")
    tabs.show(tea)
    shop.until(lambda: len(shop.events("p")) > 0)
    tabs.show(other)
    shop.until_event("h", 2)
    sent = [event.get("d") for event in shop.events()]
    assert set(sent) == {"Tea"}
    assert (titles(shop), shop.visit()["current_title"]) == ({"/tea": "Tea"}, "Tea")


@pytest.mark.parametrize(
    ("attributes", "late"),
    [
        ("", "visitorMonitor('context', 'cart')"),
        ('data-signals="yes"', "(window.dataLayer ||= []).push({event: 'view_cart'})"),
    ],
    ids=["call", "signal"],
)
def test_context_that_comes_after_the_view_stays_with_its_page(shop, page, attributes, late):
    shop.attributes = attributes
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(PUSH, "/p2")
    shop.until_paths("/p1", "/p2")
    page.evaluate(f"{late}; history.pushState({{}}, '', '/p3')")
    shop.until_paths("/p1", "/p2", "/p3")
    contexts = {view["path"]: view["page_context"] for view in shop.views()}
    assert contexts == {"/p1": "", "/p2": "Cart", "/p3": ""}
    assert shop.visit()["page_context"] == ""

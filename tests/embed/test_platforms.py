"""Tools that hold a tag back and make it anew, and websites that replace a page without loading one.

Written from what such tools put into a page; docs/embed.md has the table of the tools themselves.
"""

import pytest

SRC = "{gate}/embed/visitor-monitor.js"
MADE_ANEW = """<script>
    const makeAnew = () => {
        for (const held of document.querySelectorAll('script[data-held], script[type*="-text/"]')) {
            const script = document.createElement('script');
            for (const {name, value} of held.attributes) {
                if (name !== 'type') script.setAttribute(name.replace(/^data-.*src$/, 'src'), value);
            }
            held.replaceWith(script);
        }
    };
    %s
</script>"""
WHEN_LOADED = MADE_ANEW % "addEventListener('load', () => setTimeout(makeAnew, 100));"
WHEN_USED = MADE_ANEW % "addEventListener('mousemove', makeAnew, {once: true});"
AFTER_CONSENT = MADE_ANEW % "setTimeout(makeAnew, 500);"

REPLACED_BODY = """<!doctype html><title>Title {path}</title>
<body><a href="/a">a</a> <a href="/b">b</a>{tag}<script>
    window.onclick = async (event) => {
        event.preventDefault();
        const path = event.target.href;
        const page = new DOMParser().parseFromString(await (await fetch(path)).text(), 'text/html');
        history.pushState({}, '', path);
        document.body.replaceWith(page.body);
        document.title = page.title;
        for (const inert of document.querySelectorAll('script')) {
            const script = document.createElement('script');
            for (const {name, value} of inert.attributes) script.setAttribute(name, value);
            script.textContent = inert.textContent;
            inert.replaceWith(script);
        }
    };
</script></body>"""


@pytest.mark.parametrize(
    "tag",
    [
        f'<script async type="0a1b-text/javascript" src="{SRC}" data-site="{{key}}"></script>{WHEN_LOADED}',
        f'<script type="rocketlazyloadscript" data-held data-rocket-src="{SRC}" data-site="{{key}}"></script>{WHEN_USED}',
        f'<script type="litespeed/javascript" data-held data-src="{SRC}" data-site="{{key}}"></script>{WHEN_USED}',
        f'<script type="text/plain" data-held src="{SRC}" data-site="{{key}}"></script>{AFTER_CONSENT}',
        f'<script type="text/plain" data-held src="{SRC}?site={{key}}"></script>{AFTER_CONSENT}',
    ],
    ids=["when loaded", "at the first move", "at the first move, in place", "consent", "address"],
)
def test_tag_that_is_held_back_and_made_anew_counts_once(shop, page, tag):
    shop.pages["/p1"] = f"<!doctype html><title>Held</title><body><h1>Held</h1>{tag}</body>"
    page.goto(shop.url("/p1"))
    page.mouse.move(5, 5)
    page.mouse.move(50, 50)
    shop.until_paths("/p1")
    page.evaluate("history.pushState({}, '', '/p2')")
    shop.until_paths("/p1", "/p2")


def test_body_that_is_replaced_with_its_tag_is_a_view_of_the_same_page_load(shop, page):
    shop.pages["/a"] = shop.pages["/b"] = REPLACED_BODY
    page.goto(shop.url("/a"))
    shop.until_paths("/a")
    page.click("text=b")
    shop.until_paths("/a", "/b")
    page.click("text=a")
    shop.until_paths("/a", "/b", "/a")
    assert [view["title"] for view in shop.views()] == ["Title /a", "Title /b", "Title /a"]
    assert len({beacon["t"] for beacon in shop.beacons()}) == 1

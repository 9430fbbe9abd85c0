"""How the script knows its site and its collector: by its own tag, its address, or the page's call."""

import pytest

from collector.http.assets import BUILT

CALL = """<script>
    window.visitorMonitor = window.visitorMonitor || function () {
        (visitorMonitor.q = visitorMonitor.q || []).push(arguments)
    };
    visitorMonitor('site', '{key}', '{gate}');
</script>"""
INLINE = f"<script>{(BUILT / 'visitor-monitor.js').read_text('utf-8')}</script>"
SRC = "{gate}/embed/visitor-monitor.js"
VENDORS = [
    '<script data-site="{key}" src="https://vendor.invalid/t.js"></script>',
    '<script data-site="{key}" data-api="{gate}" src="{gate}/t.js?x=/embed/visitor-monitor.js"></script>',
    '<script data-site="{key}">window.vendor = 1</script>',
    '<script data-site="{key}" src="{gate}/embed/visitor-monitor-other.js"></script>',
    '<script data-site="{key}" src="{gate}/visitor-monitor.js/t.js"></script>',
]


@pytest.fixture
def warnings(page):
    """What the page's console has been told, but what the browser itself says of failed loads."""
    told = []
    page.on("console", lambda message: message.type != "error" and told.append(message.text))
    return told


@pytest.mark.parametrize(
    "tag",
    [
        f'<script async src="{SRC}?site={{key}}"></script>',
        f'<script async src="{SRC}?ver=6.5&site={{key}}#top"></script>',
        f'<script type="module" src="{SRC}?site={{key}}"></script>',
        f'<script type="module" src="{SRC}" data-site="{{key}}"></script>',
        f'<script async src="{SRC}"></script><script src="{SRC}?site={{key}}"></script>',
        f'<script src="{SRC}" data-site="{{key}}"></script><form name="currentScript"></form>',
        '<script src="/static/visitor-monitor.min.js?api={gate}" data-site="{key}"></script>',
        '<script src="/static/visitor-monitor.min.js?site={key}&api={gate}"></script>',
        '<script src="/static/visitor-monitor.min.js" data-site="{key}" data-api="{gate}/"></script>',
        f"""<script>
            const script = document.createElement('script');
            script.src = '{SRC}?site={{key}}';
            document.head.append(script);
            script.remove();
        </script>""",
        f"""<script type="text/plain" src="{SRC}?site={{key}}"></script><script>
            fetch('{SRC}').then(reply => reply.text()).then(code => setTimeout(code));
        </script>""",
        f"{CALL}<script async src='{SRC}'></script>",
        f"{CALL}{INLINE}",
        f"{CALL.replace('{gate}', '{gate}/')}{INLINE}",
        f"{CALL}<script type='module'>import '/bundle.js'</script>",
        f"{CALL}<script src='/bundle.js' data-site='other' data-api='https://vendor.invalid'></script>",
    ],
)
def test_site_is_known(shop, page, warnings, tag):
    for copy in ("bundle.js", "visitor-monitor.min.js"):
        page.route(f"**/{copy}**", _send_script)
    shop.pages["/p1"] = f"<title>Tag</title>{tag}"
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("history.pushState({}, '', '/p2')")
    shop.until_paths("/p1", "/p2")
    assert warnings == []


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("code", [INLINE, f'<script type="module" src="{SRC}"></script>'])
def test_tag_of_another_vendor_is_not_ours(shop, page, warnings, vendor, code):
    shop.pages["/p1"] = f"<title>Vendor</title>{vendor}{code}"
    page.goto(shop.url("/p1"), wait_until="networkidle")
    assert shop.beacons() == []
    assert len(warnings) == 1


@pytest.mark.parametrize("vendor", VENDORS)
def test_our_tag_counts_beside_that_of_another_vendor(shop, page, warnings, vendor):
    vendor = vendor.replace("{key}", "other")
    shop.pages["/p1"] = f'{vendor}<script type="module" src="{SRC}" data-site="{{key}}"></script>'
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    assert warnings == []


def test_attributes_may_stand_in_the_address(shop, page):
    shop.pages["/p1"] = f'<script async src="{SRC}?site={{key}}&consent=required&storage=none">\
</script>'
    page.goto(shop.url("/p1"), wait_until="networkidle")
    assert shop.beacons() == []
    page.evaluate("visitorMonitor('consent', true)")
    shop.until_paths("/p1")
    assert page.evaluate("localStorage.length") == 0


def test_attributes_may_stand_in_the_address_of_the_call(shop, page):
    call = CALL.replace("{gate}", "{gate}?consent=required")
    shop.pages["/p1"] = f"{call}{INLINE}"
    page.goto(shop.url("/p1"), wait_until="networkidle")
    assert shop.beacons() == []
    page.evaluate("visitorMonitor('consent', true)")
    shop.until_paths("/p1")


@pytest.mark.parametrize(
    "tags",
    [
        f'<script async src="{SRC}"></script>',
        f'<script async src="{SRC}?site="></script>',
        f'<script async src="{SRC}"></script><script async src="{SRC}?v=1"></script>',
        f'<script type="module" src="{SRC}"></script>',
        INLINE,
        f"{CALL.replace(', ', ', undefined, ')}{INLINE}",
    ],
)
def test_tag_that_finds_no_key_says_so_once_and_does_nothing_else(shop, page, warnings, tags):
    shop.pages["/p1"] = f"<title>No key</title>{tags}"
    page.goto(shop.url("/p1"), wait_until="networkidle")
    assert shop.beacons() == []
    assert [text.partition(":")[0] for text in warnings] == ["Visitor Monitor"]
    assert page.evaluate("localStorage.length") == 0


def _send_script(route):
    route.fulfill(content_type="text/javascript", path=BUILT / "visitor-monitor.js")

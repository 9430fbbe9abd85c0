"""The page is never harmed: strict policies, odd pages, broken built-ins."""

from datetime import UTC, datetime, timedelta

import pytest

REPORTS = """<script nonce="n0nce">
    window.violations = [];
    addEventListener('securitypolicyviolation', event => violations.push(event.violatedDirective));
</script>"""

COUNT_CALLS = """<script>
    window.calls = {};
    const count = name => (calls[name] = (calls[name] || 0) + 1);
    for (const [owner, ...names] of [
        [window, 'fetch', 'getComputedStyle', 'requestAnimationFrame', 'setInterval'],
        [Storage.prototype, 'getItem', 'setItem', 'removeItem'],
        [Element.prototype, 'getBoundingClientRect', 'querySelector', 'querySelectorAll'],
        [Document.prototype, 'querySelector', 'querySelectorAll'],
        [JSON, 'parse', 'stringify'],
    ])
        for (const name of names) {
            const plain = owner[name];
            owner[name] = function (...values) {
                count(name);
                return plain.apply(this, values);
            };
        }
    const plainTimeout = setTimeout;
    window.setTimeout = (work, wait) => {
        count('setTimeout');
        return plainTimeout(() => (count('ran'), work()), wait);
    };
    addEventListener('pointermove', () => count('pointermove'), true);
    navigation.addEventListener('currententrychange', () => count('route'));
</script>"""


def test_strict_policy_with_a_nonce(shop, page):
    shop.head = REPORTS
    shop.attributes = 'nonce="n0nce" data-signals="yes"'
    shop.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-n0nce'; connect-src {shop.gate.url}"
    )
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    assert page.evaluate("violations") == []


def test_strict_dynamic_and_trusted_types(shop, page):
    shop.head = REPORTS
    shop.attributes = 'nonce="n0nce" data-signals="yes"'
    shop.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'strict-dynamic' 'nonce-n0nce';"
        f" connect-src {shop.gate.url}; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    assert page.evaluate("violations") == []
    assert any(
        "signals" in passage.path for passage in shop.gate.passages if passage.shop == shop.key
    )


def test_policy_that_lists_hosts(shop, page):
    shop.attributes = 'data-signals="yes"'
    shop.headers["Content-Security-Policy"] = (
        f"default-src 'self'; script-src {shop.gate.url}; connect-src {shop.gate.url}"
    )
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")


def test_policy_that_forbids_the_collector_harms_nothing(shop, page):
    shop.headers["Content-Security-Policy"] = f"script-src {shop.gate.url}; connect-src 'self'"
    page.goto(shop.url("/p1"))
    page.wait_for_timeout(300)
    assert shop.beacons() == []


def test_page_that_embeds_only_what_agrees(shop, page):
    shop.attributes = 'data-signals="yes"'
    shop.headers["Cross-Origin-Embedder-Policy"] = "require-corp"
    shop.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    assert page.evaluate("crossOriginIsolated")


def test_native_functions_stay_native(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    for name in ("history.pushState", "history.replaceState", "fetch", "addEventListener"):
        assert "[native code]" in page.evaluate(f"{name}.toString()")
    assert page.evaluate("Object.hasOwn(history, 'pushState')") is False


def test_one_global(shop, page):
    plain = "Object.keys(window).filter(name => !['event'].includes(name)).sort()"
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    with_tag = page.evaluate(plain)
    shop.pages["/bare"] = "<title>Bare</title>"
    page.goto(shop.url("/bare"))
    assert set(with_tag) - set(page.evaluate(plain)) == {"visitorMonitor"}


@pytest.mark.parametrize(
    "script",
    [
        "Array.prototype.toJSON = function () { return '[' + this.join() + ']' }",
        "Array.from = iterable => [].slice.call(iterable)",
        "Object.prototype.extra = function () {}; Array.prototype.extra = 1",
        "var history = history; const navigation = 1, query = 2, name2 = 3; window.self = null",
        "delete window.crypto.randomUUID; AbortSignal.timeout = undefined",
        "window.visitorMonitor = null",
        "window.visitorMonitor = 'mine'",
        "var URL = '/shop/', Blob = 1, AbortSignal = null, AbortController = 'no', Event = {}",
        "var performance = {}, screen = 1, name = 2, Node = 3, Request = 4, Headers = 5",
        "class URL {} class Blob {} class AbortSignal {} const fetch = 1, performance = 2",
        "function navigation() {} function Document() {} function HTMLDocument() {}",
        "JSON = {encode() {}, decode() {}}",
        "JSON = {stringify: value => '(' + value + ')', parse: () => null}",
        "for (const {prototype} of [Array, String, Number, Object]) prototype.toJSON = () => 'no'",
        "addEventListener('load', () => (window.fetch = () => 'theirs'))",
    ],
    ids=[
        *("toJSON", "from", "prototypes", "names", "old", "null", "taken"),
        *(
            "variables",
            "more variables",
            "classes",
            "functions",
            "no JSON",
            "other JSON",
            "toJSONs",
        ),
        "fetch",
    ],
)
def test_pages_that_change_the_language(shop, page, script):
    shop.head = f"<script>{script}</script>"
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("history.pushState({}, '', '/p2')")
    shop.until_paths("/p1", "/p2")


def test_elements_named_like_properties_of_the_document_hide_nothing(shop, page):
    names = [
        "title",
        "hidden",
        "referrer",
        "readyState",
        "visibilityState",
        "querySelectorAll",
        "scripts",
        "currentScript",
        "addEventListener",
        "body",
        "location",
        "cookie",
        "createElement",
        "documentElement",
    ]
    for tag in ("form", "img", "iframe", "embed", "object"):
        shop.pages[f"/{tag}"] = "<title>Clobbered</title>{tag}" + "".join(
            f"<{tag} name='{name}' id='{name}'></{tag}>" for name in names
        )
    for tag in ("form", "img", "iframe", "embed", "object"):
        page.goto(shop.url(f"/{tag}"), referer="https://search.example/")
        shop.until(lambda tag=tag: shop.paths()[-1:] == [f"/{tag}"])
        view = shop.events("v")[-1]
        assert (view["d"], view["r"], view["f"]) == ("Clobbered", "https://search.example/", 1)
        page.evaluate(f"history.pushState({{}}, '', '/{tag}/2')")
        shop.until(lambda tag=tag: shop.paths()[-1:] == [f"/{tag}/2"])


def test_page_that_stops_every_event_cannot_hide_activity(shop, page):
    shop.head = """<script>
        for (const name of ['keydown', 'pointerdown', 'pointermove', 'click'])
            document.addEventListener(name, event => event.stopImmediatePropagation(), true);
    </script>"""
    page.clock.install()
    page.goto(shop.url("/p1"))
    page.clock.run_for(200)
    shop.until_paths("/p1")
    page.clock.fast_forward(90_000)
    page.keyboard.press("a")
    page.clock.run_for(200)
    shop.until(lambda: [event["a"] for event in shop.events("p")][-1:] == [0])


def test_saved_file_is_silent(shop, page, tmp_path):
    file = tmp_path / "saved.html"
    file.write_text(f"<title>Saved</title>{shop.tag}")
    page.goto(file.as_uri(), wait_until="networkidle")
    assert shop.beacons() == []


def test_script_does_next_to_nothing_at_a_route_or_a_move(shop, page):
    """Counted, not timed: what it calls while the visitor moves the mouse, and in the second after that."""
    shop.head = COUNT_CALLS
    page.clock.install()
    page.goto(shop.url("/p1"))
    page.clock.run_for(200)
    shop.until_paths("/p1")
    page.wait_for_function("calls.setInterval")  # what comes after the first answer has come
    page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=5))
    page.evaluate("calls = {}")
    for step in range(20):
        page.mouse.move(step, step)
        page.evaluate("step => history.replaceState({step}, '')", step)
    calls = page.evaluate("calls")
    assert (calls.pop("pointermove"), calls.pop("route")) == (20, 20)
    # Each move puts a timer off, and the first one may do so with a second one and renews the visit.
    assert calls.pop("setTimeout") <= 20 + 1
    assert calls == {"getItem": 1, "setItem": 1}
    page.clock.run_for(1_000)
    assert page.evaluate("calls.ran") < 10

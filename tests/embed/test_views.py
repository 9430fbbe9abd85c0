"""What counts as a page view, and what is sent of it."""

import pytest

PUSH = "path => history.pushState({}, '', path)"
NO_NAVIGATION_API = "delete Window.prototype.navigation; delete window.navigation;"


def test_first_load_is_one_view(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    visit = shop.visit()
    assert (visit["page_count"], visit["entry_path"], visit["current_path"]) == (1, "/p1", "/p1")
    assert visit["current_title"] == "Page /p1"


def test_link_to_the_next_page_is_a_second_view(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.click("#next")
    shop.until_paths("/p1", "/next")
    assert shop.visit()["page_count"] == 2


def test_reload_is_another_view_of_the_same_visit(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.reload()
    shop.until_paths("/p1", "/p1")
    assert shop.visit()["page_count"] == 2


@pytest.mark.parametrize("script", ["", NO_NAVIGATION_API], ids=["navigation", "history"])
def test_routes_of_a_single_page_application_are_views(shop, page, script):
    page.add_init_script(script)
    page.goto(shop.url("/p1"))
    assert page.evaluate("!!window.navigation") is not bool(script)
    shop.until_paths("/p1")
    page.evaluate(PUSH, "/p2")
    shop.until_paths("/p1", "/p2")
    page.wait_for_timeout(1_100)
    page.evaluate("history.replaceState({}, '', '/p3')")
    shop.until_paths("/p1", "/p2", "/p3")
    page.evaluate("history.back()")
    shop.until_paths("/p1", "/p2", "/p3", "/p1")


@pytest.mark.parametrize("script", ["", NO_NAVIGATION_API], ids=["navigation", "history"])
def test_same_address_is_no_view(shop, page, script):
    page.add_init_script(script)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(PUSH, "/p1")
    page.evaluate("history.replaceState({scroll: 7}, '')")
    page.evaluate(PUSH, "/p1?sort=price")
    page.evaluate(PUSH, "/p1?sort=price#reviews")
    page.wait_for_timeout(100)
    page.evaluate(PUSH, "/end")
    shop.until_paths("/p1", "/end")


def test_routes_within_sixty_milliseconds_are_one_view_the_last(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("for (const path of ['/a', '/b', '/c']) history.pushState({}, '', path)")
    shop.until_paths("/p1", "/c")


def test_there_and_back_within_sixty_milliseconds_is_no_view(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("history.pushState({}, '', '/a'); history.pushState({}, '', '/p1')")
    page.wait_for_timeout(100)
    page.evaluate(PUSH, "/end")
    shop.until_paths("/p1", "/end")


def test_title_that_follows_the_route_is_sent(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(
        "history.pushState({}, '', '/p2'); setTimeout(() => (document.title = 'Second'), 30)"
    )
    shop.until_paths("/p1", "/p2")
    assert [view["title"] for view in shop.views()] == ["Page /p1", "Second"]


def test_route_that_is_left_within_twenty_milliseconds_is_kept(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("history.pushState({}, '', '/p2'); setTimeout(() => (location.href = '/p3'), 20)")
    shop.until_paths("/p1", "/p2", "/p3")


def test_page_that_is_left_at_once_is_kept(shop, page):
    shop.pages["/hop"] = (
        "<title>Hop</title>{tag}<script>onload = () => (location.href = '/end')</script>"
    )
    page.goto(shop.url("/hop"), wait_until="commit")
    shop.until_paths("/hop", "/end")


def test_page_that_is_still_loading_is_counted_when_it_is_left(shop, page):
    shop.pages["/slow"] = "<title>Slow</title>{tag}<script src='/slow.js'></script>"
    held = []
    page.route("**/slow.js", lambda route: held.append(route))
    page.goto(shop.url("/slow"), wait_until="commit")
    page.wait_for_function("window.visitorMonitor?.loaded", polling=50)
    page.wait_for_timeout(150)
    assert shop.paths() == []
    page.goto(shop.url("/end"))
    shop.until_paths("/slow", "/end")
    for route in held:
        route.abort()


def test_hash_counts_only_when_asked_for(shop, page):
    page.goto(shop.url("/app"))
    shop.until_paths("/app")
    page.evaluate("location.hash = 'reviews'")
    page.wait_for_timeout(100)
    page.evaluate(PUSH, "/end")
    shop.until_paths("/app", "/end")


def test_hash_that_is_a_route_counts_by_itself(shop, page):
    page.goto(shop.url("/store"))
    shop.until_paths("/store")
    page.evaluate("location.hash = '!/~/cart'")
    shop.until_paths("/store", "/store")
    assert [view["page_context"] for view in shop.views()][1] == "Cart"


def test_hash_routes_are_views_under_data_hash(shop, page):
    shop.attributes = 'data-hash="1"'
    page.goto(shop.url("/app"))
    shop.until_paths("/app")
    page.evaluate("location.hash = '/a?token=secret'")
    page.wait_for_timeout(100)
    page.evaluate("location.hash = 'b'")
    shop.until_paths("/app", "/app#/a", "/app#b")


@pytest.mark.parametrize("type_", ["text/javascript", "module"])
@pytest.mark.parametrize(
    "script",
    [
        "Object.freeze(history); const go = path => history.pushState({}, '', path)",
        "const push = history.pushState.bind(history), go = path => push({}, '', path)",
    ],
    ids=["frozen", "captured"],
)
def test_route_that_no_call_tells_of_is_seen_at_the_next_interaction(shop, page, script, type_):
    shop.head = f"<script>{NO_NAVIGATION_API} {script}</script>"
    shop.attributes = f'type="{type_}"'
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("document.querySelector('button').onclick = () => go('/p2')")
    page.click("button")
    shop.until_paths("/p1", "/p2")
    page.evaluate("go('/p3'); visitorMonitor('context', 'cart')")
    page.goto(shop.url("/p4"))
    shop.until_paths("/p1", "/p2", "/p3", "/p4")
    # A view that was sent while its page was left may be sent once more by the next.
    told = {event["u"]: event.get("x") for event in shop.events("v")}
    assert told == {"/p1": None, "/p2": None, "/p3": "cart", "/p4": None}


def test_back_forward_cache_return_is_a_view(shop, page_with_back):
    page_with_back.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    shop.until(lambda: shop.chats("listen"))
    page_with_back.evaluate(
        "addEventListener('pageshow', event => (window.cached = event.persisted))"
    )
    page_with_back.goto(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    page_with_back.evaluate("history.back()")
    shop.until_paths("/p1", "/p2", "/p1")
    assert page_with_back.evaluate("window.cached") is True
    assert shop.visit()["current_path"] == "/p1"


def test_included_twice_counts_once(shop, page):
    shop.head = shop.tag
    page.goto(shop.url("/p1"))
    page.evaluate("history.pushState({}, '', '/end')")
    shop.until_event("v")
    page.wait_for_timeout(200)
    assert shop.paths() == ["/end"] or shop.paths() == ["/p1", "/end"]
    assert len({beacon["t"] for beacon in shop.beacons()}) == 1


def test_script_injected_by_a_tag_manager_counts(shop, page):
    shop.pages["/p1"] = """<title>Injected</title><script>
        const script = document.createElement('script');
        script.async = true;
        script.src = '{gate}/embed/visitor-monitor.js';
        script.dataset.site = '{key}';
        document.head.append(script);
        script.remove();
    </script>"""
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")


def test_loader_without_current_script_counts(shop, page):
    shop.pages["/p1"] = """<title>Loaded</title>
        <script type="text/plain" src="{gate}/embed/visitor-monitor.js" data-site="{key}"></script>
        <script>
            fetch('{gate}/embed/visitor-monitor.js').then(answer => answer.text()).then(code => setTimeout(code))
        </script>"""
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")


def test_frame_in_a_tracked_page_is_not_counted(shop, page):
    shop.pages["/p1"] = "<title>Outer</title>{tag}<iframe src='/inner'></iframe>"
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(PUSH, "/end")
    shop.until_paths("/p1", "/end")
    page.evaluate(PUSH, "/later")
    shop.until_paths("/p1", "/end", "/later")


def test_sandboxed_frame_is_silent_unless_asked(shop, page):
    shop.pages["/outer"] = (
        "<title>Outer</title><iframe sandbox='allow-scripts' src='/inner'></iframe>"
    )
    page.goto(shop.url("/outer"), wait_until="networkidle")
    assert shop.beacons() == []
    shop.attributes = 'data-frames="yes"'
    page.goto(shop.url("/outer"))
    shop.until_paths("/inner")
    [sent] = [passage for passage in shop.passages() if passage.method == "POST"]
    assert sent.headers["origin"] == "null"


def test_long_title_and_address_are_cut(shop, page):
    shop.pages["/p1"] = f"<title>{'🛒é' * 400}</title>{{tag}}"
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(PUSH, "/" + "x" * 3000)
    shop.until(lambda: len(shop.paths()) == 2)
    assert len(shop.views()[0]["title"]) in range(128, 257)
    assert "\ufffd" not in shop.views()[0]["title"]
    assert len(shop.views()[1]["path"]) == 1024


def test_path_in_another_writing_is_readable_and_whole(shop, page):
    slug = "/समाचार/" + "-".join(["चाय"] * 40)
    page.goto(shop.url("/корзина"))
    shop.until_paths("/корзина")
    page.evaluate(PUSH, slug)
    shop.until_paths("/корзина", slug)
    page.evaluate(PUSH, "/a%2Fb%E2%80%AEc")
    shop.until_paths("/корзина", slug, "/a%2Fb%E2%80%AEc")


def test_campaign_and_referrer_are_kept_from_the_landing_page(shop, page):
    page.goto(
        shop.url("/p1?utm_source=newsletter&utm_medium=email&utm_campaign=May&gclid=abc"),
        referer="https://www.google.com/search?q=secret",
    )
    shop.until_paths("/p1")
    page.click("#next")
    shop.until_paths("/p1", "/next")
    visit = shop.visit()
    assert (visit["medium"], visit["campaign"]) == ("email", "May")
    assert visit["source"] == "Newsletter"
    assert shop.events("v")[0]["j"] == "gclid"
    assert "abc" not in str(shop.beacons())


def test_campaign_survives_a_router_that_cleans_the_address(shop, page):
    shop.head = (
        "<script>addEventListener('load', () => history.replaceState({}, '', '/clean'))</script>"
    )
    page.goto(shop.url("/p1?utm_source=Partner"))
    shop.until(lambda: shop.visits())
    assert shop.visit()["source"] == "Partner"


def test_referrer_is_kept_without_its_query(shop, page, make_shop):
    other = make_shop()
    other.pages["/post"] = (
        f"<title>Post</title><a href='{shop.url('/p1')}' referrerpolicy='unsafe-url'>go</a>"
    )
    page.goto(other.url("/post?token=secret"))
    page.click("a")
    shop.until_paths("/p1")
    assert shop.visit()["referrer"] == other.url("/post")
    assert "secret" not in str(shop.beacons())


def test_touch_points_and_language_are_sent(shop, make_context):
    page = make_context(has_touch=True, locale="de-AT").new_page()
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    assert shop.visit()["language"] == "de-AT"
    assert shop.events("v")[0]["y"] >= 1


def test_time_zone_is_read_when_the_collector_asks_and_the_page_is_idle(shop, make_context):
    page = make_context(timezone_id="Europe/Vienna").new_page()
    page.clock.install()
    shop.head = "<script>window.requestIdleCallback = (work) => (window.whenIdle = work)</script>"
    page.goto(shop.url("/p1"))
    assert "z" not in shop.until_event("v")
    shop.until(lambda: page.clock.run_for(1_000) or page.evaluate("!!window.whenIdle"))
    page.clock.run_for(20_000)
    assert "z" not in shop.until_event("p"), "the page is busy"
    page.evaluate("whenIdle()")
    shop.until(
        lambda: (
            page.clock.run_for(20_000)
            or "Europe/Vienna" in [event.get("z") for event in shop.events("p")]
        )
    )
    shop.until(lambda: shop.visit()["country"] == "AT")

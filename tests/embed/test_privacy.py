"""What is stored in the browser, what is sent, and who can stop it."""

import json

import pytest

from core.database import open_database, writing
from core.sites import change_site

GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})"
STORED = "Object.keys(localStorage).concat(Object.keys(sessionStorage)).sort()"
PUSH = "path => history.pushState({}, '', path)"


def test_only_the_visit_is_stored_and_no_cookie(shop, page, context):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    assert page.evaluate(STORED) == ["vm"]
    assert page.evaluate("document.cookie") == ""
    assert context.cookies() == []
    assert page.evaluate("localStorage.vm").startswith(shop.visit()["id"])


def test_query_is_not_sent_by_default(shop, page):
    page.goto(shop.url("/p1?email=ada@shop.example&token=secret&q=shoes#access_token=secret"))
    shop.until_paths("/p1")
    sent = str(shop.beacons())
    assert not any(word in sent for word in ("ada", "secret", "shoes"))


def test_allowed_query_keys_are_part_of_the_page(shop, page):
    shop.attributes = 'data-query="page, color"'
    page.goto(shop.url("/list?page=2&token=secret"))
    shop.until_paths("/list?page=2")
    page.evaluate(PUSH, "/list?page=3&token=other")
    page.evaluate("0")
    shop.until_paths("/list?page=2", "/list?page=3")


def test_global_privacy_control_stores_nothing_and_sends_no_id(shop, make_context):
    shop.attributes = 'data-remember="yes"'
    context = make_context(extra_http_headers={"Sec-GPC": "1"})
    context.add_init_script(GPC)
    page = context.new_page()
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("visitorMonitor('identify', {name: 'Ada'})")
    page.goto(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    assert page.evaluate(STORED) == []
    assert {beacon["s"] for beacon in shop.beacons()} == {""}
    assert all("w" not in beacon for beacon in shop.beacons())
    assert "Ada" not in str(shop.beacons())
    assert shop.visit()["page_count"] == 2


def test_global_privacy_control_can_mean_no_traffic(shop, context):
    shop.attributes = 'data-gpc="skip"'
    context.add_init_script(GPC)
    page = context.new_page()
    page.goto(shop.url("/p1"), wait_until="networkidle")
    page.evaluate("visitorMonitor('optIn'); visitorMonitor('page')")
    page.wait_for_timeout(300)
    assert shop.beacons() == []
    assert page.evaluate(STORED) == []


def test_no_storage_mode_keeps_the_collectors_id_for_the_page(shop, page):
    shop.attributes = 'data-storage="none" data-remember="yes"'
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.wait_for_timeout(100)
    page.evaluate(PUSH, "/p2")
    shop.until_paths("/p1", "/p2")
    assert [beacon["s"] for beacon in shop.beacons()[:2]] == ["", shop.visit()["id"]]
    page.goto(shop.url("/p3"))
    shop.until_paths("/p1", "/p2", "/p3")
    assert page.evaluate(STORED) == []
    assert shop.visit()["page_count"] == 3


@pytest.mark.parametrize(
    "script",
    [
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})",
        "Object.defineProperty(window, 'localStorage', {value: null})",
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }",
    ],
    ids=["blocked", "missing", "full"],
)
def test_storage_that_fails_still_gives_one_visit(shop, page, script):
    page.add_init_script(script)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.goto(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    assert shop.visit()["page_count"] == 2


def test_real_full_storage_still_gives_one_visit(shop, page):
    shop.head = """<script>
        let text = 'x'.repeat(1 << 20);
        while (text) try { localStorage.setItem('fill' + Math.random(), text) }
            catch { text = text.slice(0, text.length >> 1) }
    </script>"""
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    assert "vm" not in page.evaluate(STORED)


def test_storage_that_the_page_clears_does_not_split_the_visit(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("localStorage.clear()")
    page.evaluate(PUSH, "/p2")
    shop.until_paths("/p1", "/p2")
    assert len(shop.visits()) == 1


@pytest.mark.parametrize("stored", ["", "1.0", "{}", "UPPER-case.1", "short.99999999999999"])
def test_foreign_value_in_storage_is_replaced(shop, page, stored):
    page.add_init_script(f"localStorage.vm ||= {json.dumps(stored)}")
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")


def test_consent_is_waited_for(shop, page):
    shop.attributes = 'data-consent="required"'
    page.goto(shop.url("/p1"), wait_until="networkidle")
    page.keyboard.press("a")
    page.evaluate(PUSH, "/p2")
    page.wait_for_timeout(200)
    assert shop.beacons() == []
    assert page.evaluate(STORED) == []
    page.evaluate("visitorMonitor('consent', true)")
    shop.until_paths("/p2")
    assert page.evaluate(STORED) == ["vm"]


def test_consent_given_before_the_script_loads(shop, page):
    shop.attributes = 'data-consent="required"'
    shop.head = _stub("visitorMonitor('consent', true)")
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")


def test_consent_withdrawn_stops_and_forgets(shop, page):
    shop.attributes = 'data-remember="yes"'
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    assert page.evaluate(STORED) == ["vm", "vm-id"]
    page.evaluate("visitorMonitor('consent', false)")
    sent = len(shop.beacons())
    page.evaluate(PUSH, "/p2")
    page.wait_for_timeout(300)
    assert len(shop.beacons()) == sent
    assert page.evaluate(STORED) == []


def test_opt_out_lasts_and_opt_in_ends_it(shop, page):
    shop.attributes = 'data-remember="yes"'
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("visitorMonitor('optOut')")
    assert page.evaluate(STORED) == ["vm-off"]
    sent = len(shop.beacons())
    page.evaluate(PUSH, "/p2")
    page.reload()
    page.keyboard.press("a")
    page.wait_for_timeout(300)
    assert len(shop.beacons()) == sent
    assert page.evaluate(STORED) == ["vm-off"]
    page.evaluate("visitorMonitor('optIn')")
    shop.until_paths("/p1", "/p2")
    assert page.evaluate(STORED) == ["vm", "vm-id"]


OWN, COUNT = "?visitor-monitor=own", "?visitor-monitor=count"


def test_link_for_own_visits_lasts_and_the_other_one_undoes_it(shop, page):
    shop.attributes = 'data-remember="yes"'
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.goto(shop.url(f"/p2{OWN}&a=1#top"))
    shop.until_event("h")
    sent = len(shop.beacons())
    for _ in range(2):
        page.keyboard.press("a")
        page.evaluate(PUSH, "/p3")
        page.wait_for_timeout(300)
        assert page.evaluate(STORED) == ["vm-own"]
        assert page.evaluate("localStorage['vm-own']") == "1"
        page.goto(shop.url("/p4"))
    page.evaluate("visitorMonitor('optIn'); visitorMonitor('consent', true)")
    page.wait_for_timeout(300)
    assert len(shop.beacons()) == sent
    page.goto(shop.url(f"/p5{COUNT}"))
    shop.until_paths("/p1", "/p5")
    assert page.evaluate(STORED) == ["vm", "vm-id"]
    assert "visitor-monitor=" not in str(shop.beacons())


def test_link_for_own_visits_stops_the_other_tabs(shop, context):
    first, second = context.new_page(), context.new_page()
    first.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    second.goto(shop.url(f"/p2{OWN}"))
    sent = len(shop.beacons())
    first.evaluate(PUSH, "/p3")
    first.wait_for_timeout(300)
    assert len(shop.beacons()) == sent
    assert first.evaluate(STORED) == ["vm-own"]


def test_link_that_counts_again_undoes_no_opt_out(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("visitorMonitor('optOut')")
    sent = len(shop.beacons())
    page.goto(shop.url(f"/p2{COUNT}"))
    page.wait_for_timeout(300)
    assert len(shop.beacons()) == sent
    assert page.evaluate(STORED) == ["vm-off"]


def test_link_for_own_visits_is_not_kept_where_nothing_may_be_stored(shop, page):
    shop.attributes = 'data-storage="none"'
    page.goto(shop.url(f"/p1{OWN}"))
    shop.until_paths("/p1")
    assert page.evaluate(STORED) == []


def test_word_of_the_link_is_in_no_path_whatever_the_tag_allows(shop, page):
    shop.attributes = 'data-query="visitor-monitor,a"'
    page.goto(shop.url(f"/p1{COUNT}&a=1"))
    shop.until_paths("/p1?a=1")


def test_own_visit_by_network_is_not_reported_at_each_touch(shop, page):
    engine = open_database(f"sqlite:///{shop.database}")
    with writing(engine) as db:
        change_site(db, shop.key, own_networks=["127.0.0.1"])
    engine.dispose()

    def is_refused():
        page.goto(shop.url("/p1"))
        page.wait_for_timeout(300)
        return [each for each in shop.passages() if each.is_beacon and each.status == 204]

    shop.until(is_refused)
    views = len(shop.events("v"))
    for _ in range(3):
        page.keyboard.press("a")
        page.wait_for_timeout(1_100)
    assert len(shop.events("v")) == views


def test_opt_out_in_one_tab_stops_the_others(shop, context):
    first, second = context.new_page(), context.new_page()
    first.goto(shop.url("/p1"))
    second.goto(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    first.evaluate("visitorMonitor('optOut')")
    sent = len(shop.beacons())
    second.evaluate(PUSH, "/p3")
    second.wait_for_timeout(300)
    assert len(shop.beacons()) == sent


def test_opt_out_before_the_script_loads_sends_nothing(shop, page):
    shop.head = _stub("visitorMonitor('optOut')")
    page.goto(shop.url("/p1"), wait_until="networkidle")
    page.wait_for_timeout(200)
    assert shop.beacons() == []


def test_visitor_is_remembered_only_where_asked(shop, page):
    shop.attributes = 'data-remember="yes"'
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("localStorage.removeItem('vm')")
    page.goto(shop.url("/p2"))
    page.evaluate("visitorMonitor('page')")
    shop.until(lambda: len(shop.paths()) >= 2)
    assert len({visit["visitor_id"] for visit in shop.visits()}) == 1
    assert shop.visits()[0]["visitor_id"] == page.evaluate("localStorage['vm-id']")
    assert [visit["visit_number"] for visit in shop.visits()] == [1, 2]


def _stub(calls):
    return (
        "<script>window.visitorMonitor = window.visitorMonitor || function () "
        f"{{ (visitorMonitor.q = visitorMonitor.q || []).push(arguments) }}; {calls}</script>"
    )

"""What is stored of what a browser sends, read from the rows."""

from __future__ import annotations

import json
from ipaddress import ip_network
from urllib.parse import quote

import pytest

from core.database import writing
from core.enrich.page_context import make_rule
from core.settings import RateLimit
from tests.helpers.running_collector import (
    CHROME,
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    FakeClock,
    view,
    wait_for,
)

PROXY = ip_network("127.0.0.1/32")
ID = "a1b2c3d4e5f6g7h8"
GPC = {"Sec-GPC": "1"}


def test_text_is_cleaned_and_cut(collector):
    collector.post(
        view(
            path="//evil.example/\x1b[31m" + "x" * 2_000,
            d="  a\u202eb\x00\n c" + "\U0001f6d2" * 300,
            r="https://ann:secret@news.example/a?token=1#x",
            m="<b>" + "m" * 200,
            g="\tsale\t",
        )
    )

    (row,) = collector.rows("SELECT path, title FROM page_view")
    visit = collector.row("SELECT referrer, medium, campaign FROM visit")
    assert row.path == ("/evil.example/[31m" + "x" * 2_000)[:1_024]
    assert row.title == ("ab c" + "\U0001f6d2" * 300)[:256]
    assert visit == ("https://news.example/a", "<b>" + "m" * 97, "sale")


@pytest.mark.parametrize(
    ("fields", "happened", "active"),
    [
        ({}, 0, 0),
        ({"o": 5, "a": 0}, 5_000, 5_000),
        ({"o": 2.5}, 2_500, 2_500),
        ({"o": 4.1, "a": 0.3}, 4_100, 4_100),
        ({"o": -100}, 0, 0),
        ({"o": 1_799}, 1_799_000, 1_799_000),
        ({"o": 1_800}, 1_800_000, 1_800_000),
        ({"o": 10**12}, 1_800_000, 1_800_000),
    ],
)
def test_age_becomes_a_moment_within_its_bounds(collector, fields, happened, active):
    collector.post(view(**fields))

    viewed_at, last_activity_at = collector.row(
        "SELECT viewed_at, last_activity_at FROM page_view, visit"
    )
    now = collector.clock.now
    assert (now - viewed_at, now - last_activity_at) == (happened, active)


@pytest.mark.parametrize(
    ("event", "activity"),
    [
        ({"e": "p", "u": "/", "a": 7}, 7),
        ({"e": "h", "u": "/", "a": 7}, 7),
        ({"e": "p", "u": "/", "a": 7, "o": 2}, 9),
        ({"e": "p", "u": "/", "a": -7}, 0),
        ({"e": "p", "u": "/"}, 60),
        ({"e": "h", "u": "/"}, 60),
        ({"e": "c", "s": "message"}, 60),
        ({"e": "c", "s": "start"}, 0),
        ({"e": "i", "i": {"name": "Ann"}}, 60),
        ({"e": "p", "u": "/", "a": 10**18}, 60),
    ],
)
def test_activity_is_what_the_event_reports(collector, event, activity):
    collector.post(view())
    collector.clock.advance(60 * SECOND)

    collector.post({"n": 2, **event})

    (last_activity_at,) = collector.row("SELECT last_activity_at FROM visit")
    assert collector.clock.now - last_activity_at == activity * SECOND


@pytest.mark.parametrize(
    ("fields", "context"),
    [
        ({"path": "/cart"}, "Cart"),
        ({"path": "/x", "q": "route=product/product&product_id"}, "Product"),
        ({"path": "/x", "xs": "product"}, "Product"),
        ({"path": "/cart", "x": "search", "xs": "product"}, "Search"),
        ({"path": "/cart", "x": "none"}, ""),
        ({"path": "/cart", "x": "<b>vip</b>"}, "Cart"),
        ({"path": "/bag/1"}, "In Checkout"),
        ({"path": "/bag/1", "xs": "cart"}, "In Checkout"),
        ({"path": "/bag/1", "x": "cart"}, "Cart"),
    ],
)
def test_context_is_found_in_the_order_of_the_rules(collector, fields, context):
    collector.change_site("shop1", context_rules=[{"pattern": "/bag/*", "context": "checkout"}])
    collector.refresh_sites()

    collector.post(view(**fields))

    assert collector.row("SELECT page_context FROM visit") == (context,)


def test_path_is_stored_as_people_read_it_and_matched_in_that_form(collector):
    rule = make_rule("/товары/чай*", "product")
    rules = [{"pattern": rule.pattern, "context": rule.context.value}]
    collector.change_site("shop1", context_rules=rules)
    collector.refresh_sites()

    collector.post(view(path=quote("/товары/чай-зелёный")))

    path, context = collector.row("SELECT path, page_context FROM page_view")
    assert (path, context) == ("/товары/чай-зелёный", "Product")
    assert make_rule(quote("/товары/чай*"), "product") == rule
    assert collector.row("SELECT entry_path, current_path FROM visit") == (path, path)


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ([], "/p?color=blue&page=2#/tea?size=2"),
        (["code", "size"], "/p?code=7#/tea?size=2"),
    ],
)
def test_path_keeps_the_query_keys_of_the_site_or_else_no_secret(collector, keys, kept):
    collector.change_site("shop1", query_keys=keys)
    collector.refresh_sites()

    collector.post(
        view(
            path="/p?color=blue&reset_token=abc&code=7&page=2#/tea?size=2&userEmail=ada@shop.example",
            r="https://news.example/a?email=ada@shop.example#token=1",
        )
    )

    assert collector.row("SELECT entry_path, current_path FROM visit") == (kept, kept)
    assert collector.row("SELECT path FROM page_view") == (kept,)
    assert collector.row("SELECT referrer FROM visit") == ("https://news.example/a",)


def test_page_is_corrected_by_the_number_of_its_view(collector):
    collector.post(view(path="/a", d="A"))
    collector.post({"e": "p", "n": 2, "p": 1, "u": "/cart", "d": "Cart"})
    stored = collector.row("SELECT path, title, page_context FROM page_view")
    assert stored == ("/cart", "Cart", "Cart")
    shown = "SELECT entry_path, current_path, current_title, page_context FROM visit"
    assert collector.row(shown) == ("/cart", "/cart", "Cart", "Cart")

    left = {"e": "p", "n": 3, "p": 1, "u": "/cart", "d": "Your cart", "x": "checkout"}
    collector.post(left, view(4, "/b", d="B"))
    views = collector.rows("SELECT path, title, page_context FROM page_view ORDER BY number")
    assert views == [("/cart", "Your cart", "In Checkout"), ("/b", "B", "")]
    assert collector.row(shown) == ("/cart", "/b", "B", "")


def test_page_of_a_script_that_names_no_view_is_known_by_its_path(collector):
    collector.post(view(path="/a", d="A"), {"e": "p", "n": 2, "u": "/b", "d": "B"})
    collector.post({"e": "h", "n": 3, "u": "/a", "d": "Late"})
    assert collector.rows("SELECT path, title FROM page_view") == [("/a", "Late")]


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({}, ("Direct", "direct")),
        ({"r": "https://www.google.com/"}, ("Google", "search")),
        ({"r": "https://shop.example/other"}, ("Direct", "internal")),
        ({"r": "https://www.google.com/", "c": "newsletter"}, ("Newsletter", "email")),
        ({"j": "gclid"}, ("Google Ads", "paid")),
        ({"r": "javascript:alert(1)"}, ("Direct", "direct")),
    ],
)
def test_source_is_read_from_the_first_view(collector, fields, source):
    collector.post(view(**fields), view(2, "/b", r="https://later.example/"))

    assert collector.row("SELECT source, source_kind FROM visit") == source


def test_browser_is_read_with_its_hints(collector):
    collector.post(
        view(y=5),
        headers={
            "User-Agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/18.0 Safari/605.1.15"
        },
    )

    assert collector.row("SELECT browser, os, device FROM visit") == ("Safari", "iPadOS", "Tablet")


@pytest.mark.parametrize(
    ("language", "stored"),
    [
        ("en", "en"),
        ("de-AT", "de-AT"),
        ("zh-Hant-TW", "zh-Hant-TW"),
        ("", ""),
        ("xx-<script>", ""),
        ("english language", ""),
        ("e" * 300, ""),
    ],
)
def test_language_is_kept_when_it_is_one(collector, language, stored):
    collector.post(view(l=language))

    assert collector.row("SELECT language FROM visit") == (stored,)


@pytest.mark.parametrize(
    ("zone", "stored", "country"),
    [
        ("Asia/Kathmandu", "Asia/Kathmandu", "NP"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires", "AR"),
        ("UTC", "UTC", ""),
        ("Etc/GMT+5", "Etc/GMT+5", ""),
        ("../../../etc/passwd", "", ""),
        ("Europe/Berlin\n", "", ""),
        ("<script>", "", ""),
        ("A" * 500, "", ""),
    ],
)
def test_time_zone_is_kept_when_it_looks_like_one(collector, zone, stored, country):
    collector.post(view(z=zone))

    assert collector.row("SELECT time_zone, country FROM visit") == (stored, country)


def test_time_zone_may_come_later_and_gives_an_unknown_country(collector):
    collector.post(view())
    collector.post({"e": "p", "n": 2, "u": "/", "z": "Asia/Tokyo"})

    assert collector.row("SELECT time_zone, country FROM visit") == ("Asia/Tokyo", "JP")


def test_country_comes_from_the_header_of_a_trusted_proxy_first(run_collector, sqlite_url):
    collector = run_collector(sqlite_url, trusted_proxies=(PROXY,), country_header="CF-IPCountry")
    headers = {"X-Forwarded-For": "8.8.8.8", "CF-IPCountry": "fr"}

    collector.post(view(z="Asia/Tokyo"), headers=headers)
    collector.post(view(), visit="b" * 16, headers=headers | {"CF-IPCountry": "T1"})

    rows = collector.rows("SELECT id, country FROM visit ORDER BY id")
    assert rows == [(ID, "FR"), ("b" * 16, "US")]


def test_country_header_of_an_untrusted_peer_is_ignored(run_collector, sqlite_url):
    collector = run_collector(sqlite_url, country_header="CF-IPCountry")

    collector.post(view(), headers={"CF-IPCountry": "FR"})

    assert collector.row("SELECT country FROM visit") == ("",)


def test_forged_forwarded_address_gives_no_country(collector):
    collector.post(view(), headers={"X-Forwarded-For": "8.8.8.8"})

    assert collector.row("SELECT country FROM visit") == ("",)


def test_attributes_are_limited_in_number_and_length(collector):
    pairs = {f"name {number}": "v" * 300 for number in range(20)}
    pairs = {"n" * 50: "x", "": "no name", "empty": " "} | pairs

    collector.post(view(), {"e": "i", "n": 2, "i": pairs})

    (stored,) = collector.row("SELECT attributes FROM visit")
    attributes = json.loads(stored)
    assert len(attributes) == 10
    assert attributes["n" * 32] == "x"
    assert attributes["name 0"] == "v" * 200
    assert "empty" not in attributes


CARTS = [
    ("120.5", '"EUR"', 120.5, "EUR"),
    ('"120.5"', '"eur"', 120.5, "EUR"),
    ("1e12", '"JPY"', 1e12, "JPY"),
    ("1e-7", '"EUR"', 1e-7, "EUR"),
    ("5", '""', 5, ""),
    ("5", '"EURO"', 5, ""),
    ("5", '"€"', 5, ""),
    ("5", '"\\u0130SK"', 5, ""),
    ("5", '"<b>"', 5, ""),
    ("5", "978", 5, ""),
    ("5", "null", 5, ""),
    ("5", '["EUR"]', 5, ""),
    ("0", '"EUR"', 0, ""),
    ("-0", '"EUR"', 0, ""),
    ("-120.5", '"EUR"', 0, ""),
    ("1000000000000.01", '"EUR"', 0, ""),
    ("1e400", '"EUR"', 0, ""),
    ("1" * 5_000, '"EUR"', 0, ""),
    ('"NaN"', '"EUR"', 0, ""),
    ('"Infinity"', '"EUR"', 0, ""),
    ('"1_000"', '"EUR"', 0, ""),
    ('"١٢"', '"EUR"', 0, ""),
    ('"120,50"', '"EUR"', 0, ""),
    ('"12\\n"', '"EUR"', 0, ""),
    ('""', '"EUR"', 0, ""),
    ("true", '"EUR"', 0, ""),
    ("null", '"EUR"', 0, ""),
    ('{"value": 5}', '"EUR"', 0, ""),
]
"""The amount and the currency as JSON, and what is stored of them."""


def test_cart_is_an_amount_or_dropped_and_its_event_is_kept(run_collector, database_url):
    collector = run_collector(database_url)
    for number, (amount, currency, *_) in enumerate(CARTS):
        beacon = (
            f'{{"v": 1, "k": "shop1", "s": "{number:016}", "t": "tab1", "b": [{{"e": "v", "n": 1,'
            f' "u": "/", "cv": {amount}, "cc": {currency}}}]}}'
        )
        assert collector.send(beacon.encode()).status_code == 200, (amount, currency)

    rows = collector.rows("SELECT page_count, cart_value, cart_currency FROM visit ORDER BY id")
    assert rows == [(1, value, currency) for *_, value, currency in CARTS]


def test_cart_holds_on_further_pages_until_the_order_is_placed(run_collector, database_url):
    collector = run_collector(database_url)
    cart = "SELECT cart_value, cart_currency FROM visit"

    collector.post(view(path="/cart", cv=120.5, cc="EUR"))
    assert collector.row(cart) == (120.5, "EUR")
    collector.post(view(2, "/products/tea"), {"e": "p", "n": 3, "u": "/products/tea", "f": 1})
    assert collector.row(cart) == (120.5, "EUR")
    collector.post(view(1, "/cart", cv=80, cc="EUR"), tab="tab00002")
    assert collector.row(cart) == (80, "EUR")
    collector.post(view(2, "/checkout/thank-you"), tab="tab00002")
    assert collector.row(cart) == (0, "")


def test_visitor_id_is_kept(collector):
    collector.post(view(), visitor="v" * 16)

    assert collector.row("SELECT visitor_id FROM visit") == ("v" * 16,)


def test_global_privacy_control_forgets_ids_and_attributes(collector):
    answer = collector.post(
        view(), {"e": "i", "n": 2, "i": {"name": "Ann"}}, visitor="v" * 16, headers=GPC
    )

    visit_id, visitor_id, attributes = collector.row("SELECT id, visitor_id, attributes FROM visit")
    assert answer.json()["s"] == visit_id != ID
    assert (visitor_id, attributes) == ("", "{}")
    assert "Ann" not in collector.everything()


def test_identify_alone_under_global_privacy_control_does_nothing(collector):
    answer = collector.post({"e": "i", "n": 1, "i": {"name": "Ann"}}, headers=GPC)

    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (204, "nothing_to_do")


def test_visit_without_an_id_is_derived_and_stays_one(collector):
    first = collector.post(view(1), visit="", tab="tab1").json()["s"]
    second = collector.post(view(1), visit="", tab="tab2").json()["s"]

    assert first == second
    assert collector.row("SELECT id, page_count FROM visit") == (first, 2)


@pytest.mark.parametrize(
    "other",
    [
        {"headers": {"User-Agent": CHROME.replace("140", "141")}},
        {"site": "open"},
        {"headers": {"X-Forwarded-For": "198.51.100.2"}},
    ],
)
def test_other_browser_site_or_address_is_another_visit(run_collector, sqlite_url, other):
    collector = run_collector(sqlite_url, trusted_proxies=(PROXY,))

    first = collector.post(view(), visit="").json()["s"]

    assert collector.post(view(), visit="", **other).json()["s"] != first


def test_derived_visit_goes_on_over_midnight(collector):
    collector.clock.advance(12 * HOUR - 5 * MINUTE)
    before = collector.post(view(1), visit="", tab="tab1").json()["s"]
    collector.clock.advance(10 * MINUTE)
    after = collector.post(view(1), visit="", tab="tab2").json()["s"]

    assert before == after
    assert collector.row("SELECT page_count FROM visit") == (2,)


def test_derived_visit_of_the_next_day_is_another(collector):
    first = collector.post(view(), visit="").json()["s"]
    collector.clock.advance(DAY)

    assert collector.post(view(), visit="").json()["s"] != first


def test_yesterdays_salt_goes_when_its_last_visit_is_over(collector):
    salts = collector.app.beacon.salts
    collector.clock.advance(12 * HOUR - MINUTE)
    collector.post(view(), visit="")
    collector.clock.advance(2 * MINUTE)
    collector.post(view(2), visit="")
    days = [collector.rows("SELECT day FROM salt ORDER BY day")]
    for _ in range(5):
        collector.clock.advance(20 * MINUTE)
        salts.refresh()
        days.append(collector.rows("SELECT day FROM salt ORDER BY day"))

    both = [("2026-11-16",), ("2026-11-17",)]
    assert days[:3] == [both] * 3
    assert days[-1] == [("2026-11-17",)]
    assert len(salts.of(collector.clock.now)) == 1


def test_two_collectors_use_the_same_salt(run_collector, postgres_url):
    clock = FakeClock()
    one, other = (run_collector(postgres_url, clock=clock) for _ in range(2))

    ids = {collector.post(view(), visit="").json()["s"] for collector in (one, other)}

    assert len(ids) == 1


def test_no_address_and_no_user_agent_is_stored(run_collector, sqlite_url):
    limit = RateLimit(1, 300)
    collector = run_collector(sqlite_url, trusted_proxies=(PROXY,), new_visits=limit)

    collector.post(
        view(z="Europe/Berlin"), headers={"X-Forwarded-For": "198.51.100.7", "Referer": "http://r"}
    )
    collector.post(view(), visit="", headers={"X-Forwarded-For": "198.51.100.7"})
    wait_for(lambda: collector.rows("SELECT * FROM site_origin"))

    stored = collector.everything()
    assert "198.51.100" not in stored
    assert "127.0.0.1" not in stored
    assert "Mozilla" not in stored


def test_change_of_a_site_is_in_force_within_five_seconds(collector):
    collector.change_site("shop1", tracking_enabled=False)

    assert wait_for(lambda: collector.post(view()).status_code == 403, seconds=5)


def test_sites_are_remembered_while_they_cannot_be_read(collector, caplog):
    with writing(collector.engine) as db:
        db.exec_driver_sql("ALTER TABLE site RENAME COLUMN chat_button TO mislaid")
    wait_for(lambda: "refresh_failed task=sites" in caplog.text)

    assert collector.post(view()).status_code == 200

    with writing(collector.engine) as db:
        db.exec_driver_sql("ALTER TABLE site RENAME COLUMN mislaid TO chat_button")

"""The sites: what can be added and changed, and what is refused with its cure."""

from datetime import UTC, datetime

import pytest

from core.database import open_database, writing
from core.sites import (
    SiteChanges,
    SiteError,
    add_site,
    change_site,
    check_domain,
    check_key,
    check_time_zone,
    domain_of_address,
    find_site,
    list_sites,
)

NOW = datetime(2026, 11, 22, 20, 30, 15, 123_000, UTC)


@pytest.fixture
def db(database_url):
    engine = open_database(database_url)
    with writing(engine) as connection:
        yield connection
    engine.dispose()


def test_added_site_is_found_as_it_was_given(db):
    add_site(
        db,
        name="Tea shop",
        key="tea",
        domains=["shop.example", "https://Café.example"],
        time_zone="Europe/Berlin",
        now=NOW,
    )

    site = find_site(db, "tea")

    assert site is not None
    assert (site.key, site.name, site.time_zone) == ("tea", "Tea shop", "Europe/Berlin")
    assert site.domains == ["shop.example", "https://xn--caf-dma.example"]
    assert (site.tracking_enabled, site.accepts_null_origin) == (True, False)
    assert site.context_rules == []
    assert site.created_at == NOW


def test_sites_are_listed_in_the_order_in_which_they_were_added(db):
    for key in ("b", "a", "c"):
        add_site(db, name=key, key=key, now=NOW)

    assert [site.key for site in list_sites(db)] == ["b", "a", "c"]


def test_unknown_site_is_not_found(db):
    assert find_site(db, "nobody") is None


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Tea shop", "tea-shop"),
        ("  Café & Müller GmbH ", "cafe-muller-gmbh"),
        ("茶", "site"),
        ("x" * 100, "x" * 60),
    ],
)
def test_key_is_made_from_the_name(db, name, key):
    assert add_site(db, name=name, now=NOW).key == key


def test_key_made_from_a_name_that_exists_gets_a_number(db):
    keys = [add_site(db, name="Shop", now=NOW).key for _ in range(3)]

    assert keys == ["shop", "shop-2", "shop-3"]


def test_key_that_exists_is_refused(db):
    add_site(db, name="Shop", key="shop", now=NOW)

    with pytest.raises(SiteError, match="'shop' exists already: choose another"):
        add_site(db, name="Other", key="shop", now=NOW)


def test_change_keeps_what_is_not_named(db):
    add_site(db, name="Shop", key="shop", domains=["shop.example"], now=NOW)

    site = change_site(db, "shop", tracking_enabled=False, accepts_null_origin=True)

    assert (site.tracking_enabled, site.accepts_null_origin) == (False, True)
    assert (site.name, site.domains) == ("Shop", ["shop.example"])


def test_change_checks_what_it_is_given(db):
    add_site(db, name="Shop", key="shop", now=NOW)

    for change in (
        SiteChanges(name=" "),
        SiteChanges(time_zone="Mars"),
        SiteChanges(domains=["*.x"]),
    ):
        with pytest.raises(SiteError):
            change_site(db, "shop", **change)


def test_query_keys_are_kept_trimmed_and_once(db):
    add_site(db, name="Shop", key="shop", now=NOW)

    site = change_site(db, "shop", query_keys=[" color ", "cat[]", "color", "code"])

    assert site.query_keys == ["color", "cat[]", "code"]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ([""], "write the name alone, for example color"),
        (["?color"], "'\\?color' cannot be used"),
        (['a"b'], "cannot be used"),
        (["a b"], "cannot be used"),
        (["x" * 65], "cannot be used"),
        (["userEmail"], "'userEmail' is never kept"),
        ([f"k{number}" for number in range(21)], "21 query keys are too many: keep at most 20"),
    ],
)
def test_query_key_that_cannot_be_kept_is_refused(db, keys, why):
    add_site(db, name="Shop", key="shop", now=NOW)

    with pytest.raises(SiteError, match=why):
        change_site(db, "shop", query_keys=keys)


def test_own_networks_are_kept_in_one_way_and_once(db):
    add_site(db, name="Shop", key="shop", now=NOW)

    site = change_site(db, "shop", own_networks=[" 203.0.113.7", "203.0.113.7/32", "2001:DB8::/56"])

    assert site.own_networks == ["203.0.113.7", "2001:db8::/56"]


@pytest.mark.parametrize(
    ("networks", "why"),
    [
        (["home"], "'home' cannot be used: write one such as 203.0.113.7"),
        (["0.0.0.0/0"], "not larger than /8"),
        ([f"10.0.0.{number}" for number in range(101)], "101 own addresses .* keep at most 100"),
    ],
)
def test_own_network_that_cannot_be_used_is_refused(db, networks, why):
    add_site(db, name="Shop", key="shop", now=NOW)

    with pytest.raises(SiteError, match=why):
        change_site(db, "shop", own_networks=networks)


def test_context_rules_are_kept_in_order(db):
    add_site(db, name="Shop", key="shop", now=NOW)

    site = change_site(
        db,
        "shop",
        context_rules=[
            {"pattern": "/basket/*", "context": "cart"},
            {"pattern": "/p/*", "context": "Product"},
        ],
    )

    assert [(rule.pattern, str(rule.context)) for rule in site.rules()] == [
        ("/basket/*", "Cart"),
        ("/p/*", "Product"),
    ]


def test_context_rule_that_cannot_be_used_is_refused(db):
    add_site(db, name="Shop", key="shop", now=NOW)

    with pytest.raises(SiteError, match=r"'basket' cannot be used\. Begin with a slash: /basket"):
        change_site(db, "shop", context_rules=[{"pattern": "basket", "context": "cart"}])


def test_change_of_an_unknown_site_says_how_to_list_them(db):
    with pytest.raises(
        SiteError, match=r"no site with the short name 'nope': see the list of sites"
    ):
        change_site(db, "nope", name="x")


@pytest.mark.parametrize("key", ["a", "Shop_1-x", "x" * 64])
def test_key_may_be_used(key):
    assert check_key(key) == key


@pytest.mark.parametrize("key", ["", "x" * 65, "a b", "a/b", "ä", "shop\n", "<b>"])
def test_key_is_refused(key):
    with pytest.raises(SiteError, match="write 1 to 64 letters"):
        check_key(key)


@pytest.mark.parametrize(
    ("domain", "written"),
    [
        ("shop.example", "shop.example"),
        (" Shop.Example ", "shop.example"),
        ("shop.example.", "shop.example"),
        ("https://shop.example", "https://shop.example"),
        ("HTTPS://Shop.Example/", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("https://straße.example:8443", "https://xn--strae-oqa.example:8443"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_domain_is_written_as_browsers_send_it(domain, written):
    assert check_domain(domain) == written


@pytest.mark.parametrize(
    "domain",
    [
        "",
        " ",
        "https://",
        "://shop.example",
        "ftp://shop.example",
        "*.shop.example",
        "https://shop.example/en",
        "shop.example?x",
        "shop example",
        "https://ann:secret@shop.example",
        "-shop.example",
        "shop..example",
        "https://shop.example:99999",
        "<script>",
    ],
)
def test_domain_is_refused_with_what_to_write_instead(domain):
    with pytest.raises(SiteError, match=r"write shop\.example"):
        check_domain(domain)


def test_host_with_a_port_is_refused_with_the_ways_to_write_it():
    with pytest.raises(SiteError, match="http://localhost:3000 or https://localhost:3000"):
        check_domain("localhost:3000")


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("tea-shop.example", "tea-shop.example"),
        ("www.tea-shop.example", "tea-shop.example"),
        (" https://www.Tea-Shop.example/oolong?a=b#c ", "tea-shop.example"),
        ("https://shop.tea.example/", "shop.tea.example"),
        ("www.example", "www.example"),
        ("bücher.example/neu", "xn--bcher-kva.example"),
        ("http://localhost:3000/tea", "http://localhost:3000"),
        ("http://127.0.0.1", "127.0.0.1"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
    ],
)
def test_address_of_a_website_becomes_its_domain(address, domain):
    assert domain_of_address(address) == domain


@pytest.mark.parametrize("address", ["", "tea shop", "mailto:ann@tea.example", "https://", "/tea"])
def test_address_that_is_no_website_is_refused(address):
    with pytest.raises(SiteError, match="The address"):
        domain_of_address(address)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
def test_time_zone_is_known(name):
    assert check_time_zone(name) == name


@pytest.mark.parametrize("name", ["", "Mars/Base", "../../etc/passwd", "+02:00", "europe/berlin"])
def test_time_zone_is_refused(name):
    with pytest.raises(SiteError, match="write an IANA name"):
        check_time_zone(name)

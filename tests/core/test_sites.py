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
    with pytest.raises(SiteError, match=r"no site with the key 'nope'.*core site list"):
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
    with pytest.raises(SiteError, match=r"write a host such as shop\.example"):
        check_domain(domain)


def test_host_with_a_port_is_refused_with_the_ways_to_write_it():
    with pytest.raises(SiteError, match="http://localhost:3000 or https://localhost:3000"):
        check_domain("localhost:3000")


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
def test_time_zone_is_known(name):
    assert check_time_zone(name) == name


@pytest.mark.parametrize("name", ["", "Mars/Base", "../../etc/passwd", "+02:00", "europe/berlin"])
def test_time_zone_is_refused(name):
    with pytest.raises(SiteError, match="write an IANA name"):
        check_time_zone(name)

"""Where a visit came from, as its landing page's address tells."""

import pytest

from core.enrich.source_table import source_table


def test_click_ids_are_those_of_the_table(shop, page):
    page.goto(shop.url("/p1?page=2"))
    shop.until_paths("/p1")
    names = sorted(source_table().click_ids)
    near = [f"x{name}" for name in names] + [f"{name}x" for name in names] + ["token", "id", ""]
    found = page.evaluate(
        """async ([address, names]) => {
            const module = await import(address);
            return module.default(new URLSearchParams(names.map(name => [name, 'value'])));
        }""",
        [f"{shop.gate.url}/embed/visitor-monitor-click-ids.js", [*names, *near, "GCLID", "ScCid"]],
    )
    assert found.split(",") == [*names, *[name for name in near if name in names], "GCLID", "ScCid"]


@pytest.mark.parametrize(
    ("query", "sent", "source"),
    [
        ("?gad_source=1", "gad_source", ("Google Ads", "paid")),
        ("?mc_cid=7&mc_eid=ann", "mc_cid,mc_eid", ("Mailchimp", "email")),
        ("?awc=1_2", "awc", ("Awin", "referral")),
        ("?srsltid=abc", "srsltid", ("Google", "search")),
        ("?ScCid=abc", "ScCid", ("Snapchat Ads", "paid")),
        ("?fbclid=1&token=abc&msclkid=2", "fbclid,msclkid", ("Microsoft Ads", "paid")),
        ("?page=2&token=abc", None, ("Google", "search")),
    ],
)
def test_click_ids_of_the_landing_page_name_the_source(shop, page, query, sent, source):
    page.goto(shop.url(f"/p1{query}"), referer="https://www.google.com/")
    shop.until_paths("/p1")
    assert shop.events("v")[0].get("j") == sent
    assert (shop.visit()["source"], shop.visit()["source_kind"]) == source
    assert "token" not in str(shop.beacons())


def test_list_of_click_ids_is_loaded_only_where_a_visit_may_begin_with_one(shop, page):
    def loaded():
        return [passage.path for passage in shop.passages() if "click-ids" in passage.path]

    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.goto(shop.url("/p2?gclid=1"))
    shop.until_paths("/p1", "/p2")
    assert loaded() == []


@pytest.mark.parametrize("fault", ["abort", "hang"])
def test_list_of_click_ids_that_does_not_come_holds_nothing_back(shop, page, fault):
    page.route("**/visitor-monitor-click-ids.js", lambda route: fault == "hang" or route.abort())
    page.goto(shop.url("/p1?utm_source=partner&gclid=1"))
    shop.until_paths("/p1")
    assert shop.visit()["source"] == "Partner"


@pytest.mark.parametrize(
    ("address", "source", "campaign"),
    [
        ("/#/landing?utm_source=newsletter&utm_campaign=May", "Newsletter", "May"),
        ("/#utm_source=newsletter&utm_medium=email", "Newsletter", ""),
        ("/#!/x?gclid=secret", "Google Ads", ""),
        ("/#/x?utm_campaign=May#gclid=secret", "Google Ads", "May"),
        ("/#?utm_source=newsletter", "Newsletter", ""),
        ("/#/x&utm_source=newsletter", "Newsletter", ""),
        ("/?utm_source=partner#/x?utm_source=newsletter&utm_campaign=May", "Partner", "May"),
        ("/?page=2#reviews", "Direct", ""),
    ],
)
@pytest.mark.parametrize("attributes", ["", 'data-hash="1"'], ids=["path", "hash"])
def test_campaign_behind_the_hash_counts_after_the_query(
    shop, page, address, source, campaign, attributes
):
    shop.attributes = attributes
    page.goto(shop.url(address))
    shop.until(lambda: shop.visits())
    visit = shop.visit()
    assert (visit["source"], visit["campaign"]) == (source, campaign)
    assert "secret" not in str(shop.beacons())


def test_campaign_behind_the_hash_survives_a_router_that_cleans_the_address(shop, page):
    shop.head = (
        "<script>addEventListener('load', () => history.replaceState({}, '', '/#/x'))</script>"
    )
    page.goto(shop.url("/#/x?utm_source=Partner"))
    shop.until(lambda: shop.visits())
    assert shop.visit()["source"] == "Partner"

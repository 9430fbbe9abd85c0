"""The page of the sites."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from core.database import reading, writing
from core.reasons import Reason
from core.sites import change_site, find_site, list_sites
from core.tables import CollectorWarning, DropCount, SiteOrigin
from pages.sites.drop_reasons import reason_text, warning_text
from tests.helpers.page_reading import tables, texts
from tests.helpers.seed import make_site
from tests.pages.conftest import Database, OpenPage, use_database

PAGE = "sites"


def now() -> datetime:
    return datetime.now(UTC)


def test_first_site_is_added_with_a_proposed_key(database: Database, open_page: OpenPage) -> None:
    page = open_page(PAGE)
    assert "There is no site yet" in texts(page)
    page.text_input(key="new_name").set_value("Tea & Cups").run()
    assert page.text_input(key="new_key").placeholder == "tea-cups"
    page.text_area(key="new_domains").set_value("shop.example\nhttps://SHOP.example:8443/")
    page.selectbox(key="new_time_zone").set_value("Asia/Kathmandu")
    button(page, "Add site").click().run()
    assert not page.exception
    with reading(database.engine) as db:
        (site,) = list_sites(db)
    assert (site.key, site.time_zone) == ("tea-cups", "Asia/Kathmandu")
    assert site.domains == ["shop.example", "https://shop.example:8443"]
    assert 'data-site="tea-cups"' in page.code[0].value
    assert '/embed/visitor-monitor.js?site=tea-cups">' in page.code[1].value


def test_site_that_cannot_be_added_says_why(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine, key="tea")
    page = open_page(PAGE)
    page.text_input(key="new_name").set_value("Tea")
    page.text_input(key="new_key").set_value("tea")
    button(page, "Add site").click().run()
    assert "A site with the key 'tea' exists already" in texts(page)


def test_settings_are_saved(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine, key="tea")
    page = open_page(PAGE)
    toggle(page, "Visitor tracking").set_value(False)
    toggle(page, "Accept pages without an origin").set_value(True)
    next(area for area in page.text_area if area.label == "Allowed domains").set_value(
        "shop.example, *.shop.example"
    )
    button(page, "Save settings").click().run()
    assert "Not saved." in texts(page)
    next(area for area in page.text_area if area.label == "Allowed domains").set_value(
        "shop.example"
    )
    button(page, "Save settings").click().run()
    assert not page.exception
    with reading(database.engine) as db:
        site = find_site(db, "tea")
    assert site is not None
    assert (site.tracking_enabled, site.accepts_null_origin) == (False, True)
    assert site.domains == ["shop.example"]
    assert "Tracking is off for every site" in texts(page)


@pytest.mark.parametrize(
    "url, context",
    [
        ("https://shop.example/sale/teapots", "Collection"),
        ("/cart", "Cart"),
        ("shop.example/about", "none"),
    ],
)
def test_url_is_tested_with_the_own_rules(
    database: Database, open_page: OpenPage, url: str, context: str
) -> None:
    make_site(database.engine, key="tea")
    with writing(database.engine) as db:
        change_site(db, "tea", context_rules=[{"pattern": "/sale/*", "context": "Collection"}])
    page = open_page(PAGE)
    next(box for box in page.text_input if box.label == "Test a URL").set_value(url).run()
    assert f"Context:  {context}" in texts(page)


def test_rules_are_added_and_removed(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine, key="tea")
    page = open_page(PAGE)
    for pattern in ("/sale/*", "/brew"):
        next(box for box in page.text_input if box.label == "Pattern").set_value(pattern)
        button(page, "Add rule").click().run()
    assert rules_of(database) == ["/sale/*", "/brew"]
    button(page, "Remove").click().run()
    assert rules_of(database) == ["/brew"]
    next(box for box in page.text_input if box.label == "Pattern").set_value("https://x.example/")
    button(page, "Add rule").click().run()
    assert "Write only what follows the domain" in texts(page)
    assert rules_of(database) == ["/brew"]


def rules_of(database: Database) -> list[str]:
    with reading(database.engine) as db:
        (site,) = list_sites(db)
    return [rule.pattern for rule in site.rules()]


def test_check_says_that_no_beacon_has_arrived(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine)
    assert "No beacon of this site has arrived yet" in texts(open_page(PAGE))


def test_check_says_from_where_and_what_was_dropped(
    database: Database, open_page: OpenPage
) -> None:
    site = make_site(database.engine)
    at = now()
    slot = at.replace(minute=0, second=0, microsecond=0)
    with writing(database.engine) as db:
        for host, ago in {"old.example": 60, "shop.example": 5, "": 90}.items():
            seen = at - timedelta(seconds=ago)
            db.execute(
                insert(SiteOrigin).values(
                    site_id=site.id, host=host, first_seen_at=seen, last_seen_at=seen, hits=ago
                )
            )
        for site_id, reason, hits in [(site.id, "bot", 7), (0, "unknown_site", 3)]:
            db.execute(
                insert(DropCount).values(site_id=site_id, starts_at=slot, reason=reason, hits=hits)
            )
        db.execute(
            insert(CollectorWarning).values(
                name="untrusted_proxy", first_seen_at=at, last_seen_at=at
            )
        )
    page = open_page(PAGE)
    assert not page.exception
    shown = texts(page)
    assert "from shop.example" in shown
    assert "MONITOR_TRUSTED_PROXIES" in shown
    assert "3 beacons of the last 24 hours named a site key that does not exist" in shown
    origins = tables(page)["Domains from which beacons arrive"]["rows"]
    assert origins["host"].tolist() == ["shop.example", "old.example", "a page without an origin"]
    drops = tables(page)["Beacons that were not stored"]["rows"]
    assert drops[["words", "hits"]].to_numpy().tolist() == [[reason_text("bot"), 7]]


def test_every_reason_has_plain_words() -> None:
    assert all(reason_text(reason) != reason for reason in Reason if reason.owner_text)


def test_unknown_words_of_another_version_are_shown_as_they_stand() -> None:
    assert reason_text("new_reason") == "new_reason"
    assert "new_warning" in warning_text("new_warning")


def test_database_away_is_shown(tmp_path, monkeypatch, open_page: OpenPage) -> None:
    use_database(f"sqlite:///{tmp_path / 'empty.db'}", monkeypatch)
    page = open_page(PAGE)
    assert not page.exception
    assert "python -m collector" in texts(page)


def button(page, label: str):
    return next(each for each in page.button if each.label == label)


def toggle(page, label: str):
    return next(each for each in page.toggle if each.label == label)

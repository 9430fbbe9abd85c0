"""The page of the sites."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, insert
from streamlit.runtime.context import ContextProxy, StreamlitHeaders
from streamlit.util import calc_hash

from core import deadline
from core.database import reading, writing
from core.reasons import Reason
from core.removal import delete_some, remove_site
from core.settings import settings
from core.sites import change_site, find_site, list_sites
from core.tables import CollectorWarning, DropCount, SiteOrigin
from pages.parts import snapshots
from pages.parts.drop_reasons import reason_text, warning_text
from pages.parts.snapshots import clear_sites, is_deleted
from pages.parts.texts import day_and_time_of
from tests.helpers.database_away import database_away
from tests.helpers.page_reading import tables, texts
from tests.helpers.seed import make_site, make_visit, make_visits
from tests.pages.conftest import Database, OpenPage, age_snapshots, use_database

PAGE = "sites"


def now() -> datetime:
    return datetime.now(UTC)


def test_first_site_is_added_by_its_name_and_address(
    database: Database, open_page: OpenPage
) -> None:
    page = open_page()
    assert "There is no site yet" in texts(page)
    page.button(key="add_first_site").click().run()
    page.text_input(key="new_site_name").set_value("Tea & Cups")
    page.text_input(key="new_site_address").set_value("https://www.shop.example/tea?a=b")
    button(page, "Add site").click().run()
    assert not page.exception
    with reading(database.engine) as db:
        (site,) = list_sites(db)
    assert (site.key, site.time_zone, site.domains) == ("tea-cups", "UTC", ["shop.example"])
    assert 'data-site="tea-cups"' in page.code[0].value
    assert '/embed/visitor-monitor.js?site=tea-cups">' in page.code[1].value
    assert "Waiting for the first page view" in texts(page)


def test_site_is_added_with_more_than_its_name(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine, key="old")
    page = open_page("chats")
    page.button(key="add_site").click().run()
    page.text_input(key="new_site_name").set_value("Tea")
    page.text_input(key="new_site_key").set_value(" tea_1 ")
    page.text_area(key="new_site_domains").set_value("shop.example\nhttps://SHOP.example:8443/")
    page.selectbox(key="new_site_zone").set_value("Asia/Kathmandu")
    button(page, "Add site").click().run()
    assert not page.exception
    with reading(database.engine) as db:
        site = find_site(db, "tea_1")
    assert site is not None
    assert site.time_zone == "Asia/Kathmandu"
    assert site.domains == ["shop.example", "https://shop.example:8443"]


@pytest.mark.parametrize(
    ("name", "key", "address", "text"),
    [
        ("Tea", "tea", "", "A site with the short name 'tea' exists already"),
        ("Tea", "", "not an address", "The address 'not an address' cannot be used"),
        (" ", "", "", "The site has no name"),
    ],
)
def test_site_that_cannot_be_added_says_why(
    database: Database, open_page: OpenPage, name: str, key: str, address: str, text: str
) -> None:
    make_site(database.engine, key="tea")
    page = open_page(PAGE)
    page.button(key="add_site").click().run()
    page.text_input(key="new_site_name").set_value(name)
    page.text_input(key="new_site_key").set_value(key)
    page.text_input(key="new_site_address").set_value(address)
    button(page, "Add site").click().run()
    assert "Not added." in texts(page)
    assert text in texts(page)
    with reading(database.engine) as db:
        assert len(list_sites(db)) == 1


def test_new_site_is_what_is_seen_once_the_dialog_is_closed(
    database: Database, open_page: OpenPage
) -> None:
    make_site(database.engine, key="tea")
    page = open_page("chats", site="tea")
    page.button(key="add_site").click().run()
    page.text_input(key="new_site_name").set_value("Cups")
    button(page, "Add site").click().run()
    page.button(key="site_added_done").click().run()
    assert not page.exception
    assert "Cups" in texts(page)
    assert page.query_params["site"] == "cups"


def test_site_is_not_asked_for_again_while_the_database_cannot_tell_that_it_is_added(
    database: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_site(database.engine, key="tea")
    page = open_page(PAGE)
    page.button(key="add_site").click().run()
    page.text_input(key="new_site_name").set_value("Cups")
    button(page, "Add site").click().run()
    assert "Cups is added. Now its tag" in texts(page)
    with database_away(database.engine):
        use_database(database.url, monkeypatch)
        page.run()
        assert "The site is added." in texts(page) and "No answer from the database" in texts(page)
        assert not [each for each in page.text_input if each.key == "new_site_name"]
    age_snapshots()
    assert "Cups is added. Now its tag" in texts(page.run())


def test_one_dialog_takes_the_place_of_another(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine, key="tea")
    page = open_page(PAGE)
    button(page, "Delete this site").click().run()
    page.button(key="add_site").click().run()
    assert not page.exception
    assert typed_names(page) == ["new_site_name"]
    button(page, "Delete this site").click().run()
    assert not page.exception
    assert typed_names(page) == ["typed name of tea"]


@pytest.mark.parametrize("label", ["Delete this site", "Add a site"])
def test_dialog_is_left_with_its_page(database: Database, open_page: OpenPage, label: str) -> None:
    make_site(database.engine, key="tea")
    page = open_page(PAGE)
    button(page, label).click().run()
    assert typed_names(page)
    for name in ("chats", PAGE):
        page._page_hash = calc_hash(name)
        page.run()
        assert not page.exception
        assert not typed_names(page)


def typed_names(page) -> list[str]:
    """The fields for a name in the dialogs that are open."""
    names = ("new_site_name", "typed name of tea")
    return [each.key for each in page.text_input if each.key in names]


def test_settings_are_saved(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine, key="tea")
    page = open_page(PAGE)
    toggle(page, "Record pages that do not say their address").set_value(True)
    field(page.text_area, "Website addresses").set_value("shop.example, *.shop.example")
    button(page, "Save settings").click().run()
    assert "Not saved." in texts(page)
    field(page.text_area, "Website addresses").set_value("shop.example")
    field(page.text_input, "Name").set_value("Green tea")
    button(page, "Save settings").click().run()
    assert not page.exception
    with reading(database.engine) as db:
        site = find_site(db, "tea")
    assert site is not None
    assert (site.name, site.domains) == ("Green tea", ["shop.example"])
    assert site.accepts_null_origin
    assert "Green tea" in texts(page)


def test_query_keys_are_saved_and_stand_in_the_tag(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine, key="tea")
    page = open_page(PAGE)
    label = "Query keys that are part of the page"
    field(page.text_input, label).set_value("color, token")
    button(page, "Save settings").click().run()
    assert "The query key 'token' is never kept" in texts(page)
    field(page.text_input, label).set_value("color page")
    button(page, "Save settings").click().run()
    assert not page.exception
    assert 'data-site="tea" data-query="color,page"></script>' in page.code[0].value
    assert "?site=tea&query=color,page" in page.code[1].value
    field(page.text_input, label).set_value("")
    button(page, "Save settings").click().run()
    assert 'data-site="tea"></script>' in page.code[0].value


@pytest.fixture
def look_from(monkeypatch: pytest.MonkeyPatch):
    """Sets the address from which the page is looked at, and what a proxy says of it."""

    def look_from(peer: str | None, *forwarded: str, trusted: str = "") -> None:
        monkeypatch.setenv("MONITOR_TRUSTED_PROXIES", trusted)
        settings.cache_clear()
        monkeypatch.setattr(ContextProxy, "ip_address", peer)
        headers = StreamlitHeaders([("X-Forwarded-For", value) for value in forwarded])
        monkeypatch.setattr(ContextProxy, "headers", headers)

    yield look_from
    settings.cache_clear()


OWN_ADDRESSES = "Addresses of your own people"


def own_networks(database: Database) -> list[str]:
    with reading(database.engine) as db:
        site = find_site(db, "tea")
    assert site is not None
    return site.own_networks


def test_own_address_is_shown_and_added(database: Database, open_page: OpenPage, look_from) -> None:
    make_site(database.engine, key="tea")
    look_from("8.8.8.8")
    page = open_page(PAGE)
    assert "Your address right now is 8.8.8.8." in texts(page)
    button(page, "Add my address").click().run()
    assert own_networks(database) == ["8.8.8.8"]
    assert field(page.text_area, OWN_ADDRESSES).value == "8.8.8.8"
    assert "8.8.8.8: visits from there are not recorded." in texts(page)
    assert not [each for each in page.button if each.label == "Add my address"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "shown"),
    [
        (None, [], "", "127.0.0.1, of this machine or its own network"),
        (None, ["8.8.8.8"], "", "127.0.0.1, of this machine or its own network"),
        (None, ["1.1.1.1, 8.8.8.8"], "127.0.0.1", "8.8.8.8."),
        ("10.0.0.2", ["8.8.8.8", "10.0.0.3"], "10.0.0.0/8", "8.8.8.8."),
        ("2606:4700::1111", [], "", "2606:4700::/64."),
    ],
)
def test_own_address_is_the_one_behind_trusted_proxies(
    database: Database, open_page: OpenPage, look_from, peer, forwarded, trusted, shown
) -> None:
    make_site(database.engine, key="tea")
    look_from(peer, *forwarded, trusted=trusted)
    assert f"Your address right now is {shown}" in texts(open_page(PAGE))


def test_own_networks_are_saved_and_refused(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine, key="tea")
    page = open_page(PAGE)
    field(page.text_area, OWN_ADDRESSES).set_value("203.0.113.7\nhome")
    button(page, "Save addresses").click().run()
    assert "The own address 'home' cannot be used" in texts(page)
    field(page.text_area, OWN_ADDRESSES).set_value("203.0.113.7/24, 2001:db8::/56")
    button(page, "Save addresses").click().run()
    assert not page.exception
    assert own_networks(database) == ["203.0.113.0/24", "2001:db8::/56"]


@pytest.mark.parametrize(
    ("domains", "host", "address"),
    [
        (["shop.example"], "", "https://shop.example/"),
        ([], "www.tea.example", "https://www.tea.example/"),
        ([], "127.0.0.1", ""),
    ],
)
def test_links_for_own_visits_stand_here_where_nobody_signs_in(
    database: Database, open_page: OpenPage, domains: list[str], host: str, address: str
) -> None:
    site = make_site(database.engine, key="tea", domains=domains)
    if host:
        with writing(database.engine) as db:
            row = {"site_id": site.id, "host": host, "hits": 1}
            db.execute(insert(SiteOrigin).values(**row, first_seen_at=now(), last_seen_at=now()))
    page = open_page(PAGE)
    links = [each.value for each in page.code if "visitor-monitor=" in each.value]
    if address:
        assert links == [f"{address}?visitor-monitor={word}" for word in ("own", "count")]
    else:
        assert links == []
        assert "with ?visitor-monitor=own at the end of its address" in texts(page)


def test_tracking_is_switched_at_once(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine, key="tea")
    page = open_page(PAGE)
    toggle(page, "Visitor tracking").set_value(False).run()
    with reading(database.engine) as db:
        site = find_site(db, "tea")
    assert site is not None
    assert not site.tracking_enabled
    assert "Tracking is off for every site" in texts(page)
    assert "No.  Tracking is off: nobody is recorded." in texts(page)


def test_site_is_deleted_by_its_name(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine, key="tea", name="Tea shop")
    make_site(database.engine, key="cups", name="Cups")
    make_visits(database.engine, site, 12, now=now())
    page = open_page(PAGE, site="tea")
    button(page, "Delete this site").click().run()
    page.text_input(key="typed name of tea").set_value("Cups")
    button(page, "Delete for good").click().run()
    assert "write 'Tea shop' to delete it" in texts(page)
    with reading(database.engine) as db:
        assert find_site(db, "tea") is not None
    page.text_input(key="typed name of tea").set_value("Tea shop")
    button(page, "Delete for good").click().run()
    assert not page.exception
    with reading(database.engine) as db:
        assert [each.key for each in list_sites(db)] == ["cups"]
    shown = texts(page)
    assert "Tea shop is deleted; no page shows it any more." in shown
    assert "Deleting Tea shop:  12 visits left." in shown
    assert 'data-site="cups"' in page.code[0].value
    with writing(database.engine) as db:
        while not delete_some(db, site.id or 0, 100, 100).is_last:
            pass
    age_snapshots()
    assert "Tea shop is deleted.  All its data are gone." in texts(page.run())
    assert "Tea shop" not in texts(open_page(PAGE))


def test_progress_is_counted_once_for_all_viewers(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine, key="tea", name="Tea shop")
    make_visits(database.engine, site, 2, now=now())
    with writing(database.engine) as db:
        remove_site(db, "tea", "Tea shop", now())
    statements: list[str] = []
    event.listen(
        deadline._engine(database.url),
        "before_cursor_execute",
        lambda *arguments: statements.append(arguments[2]),
    )
    pages = [open_page(PAGE) for _ in range(3)]
    for page in pages:
        assert "Deleting Tea shop:  2 visits left." in texts(page.run())
    assert len([each for each in statements if "count(*)" in each and "FROM visit " in each]) == 1


def test_site_with_the_id_of_a_deleted_one_is_not_the_deleted_one(
    database: Database, open_page: OpenPage
) -> None:
    page = open_page(PAGE)
    for key, name in (("tea", "Tea shop"), ("cups", "Cups")):
        site = make_site(database.engine, key=key, name=name)
        with writing(database.engine) as db:
            remove_site(db, key, name, now())
        age_snapshots()
        assert f"Deleting {name}:  0 visits left." in texts(page.run())
        with writing(database.engine) as db:
            while not delete_some(db, site.id or 0, 9, 9).is_last:
                pass
        age_snapshots()
        assert f"{name} is deleted.  All its data are gone." in texts(page.run())
    assert "Tea shop is deleted." in texts(page)


def test_deleted_site_is_on_no_page(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine, key="tea", name="Tea shop")
    make_site(database.engine, key="cups", name="Cups")
    make_visits(database.engine, site, 3, now=now())
    live = open_page(site="tea")
    assert "Tea shop" in texts(live)
    with writing(database.engine) as db:
        remove_site(db, "tea", "Tea shop", now())
    clear_sites()
    pages = [live.run(), *(open_page(name, site="tea") for name in ("", "chats", PAGE, "visitor"))]
    for page in pages:
        assert not page.exception
        assert "Tea shop" not in texts(page).replace("Deleting Tea shop", "")
        chooser = [box for box in page.selectbox if box.label == "Site"]
        assert chooser == []


def test_deleted_site_that_was_chosen_is_asked_for_no_more(
    database: Database, open_page: OpenPage
) -> None:
    make_site(database.engine, key="tea", name="Tea shop")
    make_site(database.engine, key="cups", name="Cups")
    page = open_page(PAGE, site="tea")
    with writing(database.engine) as db:
        remove_site(db, "tea", "Tea shop", now())
    clear_sites()
    assert "deleted or unknown. This is Cups." in texts(page.run())
    assert "site" not in page.query_params
    assert "site" not in page.session_state
    assert "deleted or unknown" not in texts(page.run())


def test_site_that_is_deleted_while_it_is_drawn_is_no_fault(
    database: Database, open_page: OpenPage
) -> None:
    site = make_site(database.engine, key="tea", name="Tea shop")
    make_site(database.engine, key="cups", name="Cups")
    make_visits(database.engine, site, 3, now=now())
    page = open_page(site="tea")
    with writing(database.engine) as db:
        remove_site(db, "tea", "Tea shop", now())
    for shared in snapshots._pictures.values():
        shared.clear()
    page.run()
    assert not page.exception
    assert "No answer from the database" not in texts(page) and "Cups" in texts(page)


def test_deleted_sites_visitor_is_on_no_page(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine, key="tea", name="Tea shop")
    make_site(database.engine, key="cups", name="Cups")
    make_visit(database.engine, site, "visit1", now=now(), attributes={"name": "Ada"})
    assert not is_deleted(site, now())
    with writing(database.engine) as db:
        remove_site(db, "tea", "Tea shop", now())
    clear_sites()
    assert is_deleted(site, now())
    assert "No such visit" in texts(open_page("visitor", site="tea", visit="visit1"))


@pytest.mark.parametrize(
    "url, answer",
    [
        ("https://shop.example/sale/teapots", "Context:  Collection"),
        ("/cart", "Context:  Cart"),
        ("shop.example/about", "No context.  The page has no badge."),
        ("teapots", "This is no address.  Write it as https://shop.example/sale or /sale."),
    ],
)
def test_url_is_tested_with_the_own_rules(
    database: Database, open_page: OpenPage, url: str, answer: str
) -> None:
    make_site(database.engine, key="tea")
    with writing(database.engine) as db:
        change_site(db, "tea", context_rules=[{"pattern": "/sale/*", "context": "Collection"}])
    page = open_page(PAGE)
    next(box for box in page.text_input if box.label == "Test an address").set_value(url).run()
    assert answer in texts(page)


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


def test_check_waits_for_the_first_page_view(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine, key="tea")
    page = open_page(PAGE)
    assert "Waiting for the first page view" in texts(page)
    make_visit(database.engine, site, "visit1", now=now(), current_path="/oolong")
    shown = texts(page.run())
    assert "Yes.  1 page view in the last 5 minutes. The newest: /oolong" in shown


@pytest.mark.parametrize(
    ("ago", "verdict"), [(4, "Yes.  1 page view"), (6, "Not at the moment.  None since")]
)
def test_arriving_is_about_the_last_minutes(
    database: Database, open_page: OpenPage, ago: int, verdict: str
) -> None:
    site = make_site(database.engine, key="tea")
    at = now() - timedelta(minutes=ago)
    # The page is still open, and the visitor active: no new page view for all that.
    make_visit(database.engine, site, "visit1", now=now(), started_at=at, current_path="/oolong")
    shown = texts(open_page(PAGE))
    assert verdict in shown
    assert "/oolong" in shown


def test_check_says_from_where_and_what_was_dropped(
    database: Database, open_page: OpenPage
) -> None:
    site = make_site(database.engine, time_zone="UTC")
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
            for earlier in (slot, slot - timedelta(hours=2)):
                values = {"site_id": site_id, "starts_at": earlier, "reason": reason}
                db.execute(insert(DropCount).values(**values, hits=hits))
        db.execute(
            insert(CollectorWarning).values(
                name="untrusted_proxy", first_seen_at=at, last_seen_at=at
            )
        )
    page = open_page(PAGE)
    assert not page.exception
    shown = texts(page)
    assert "MONITOR_TRUSTED_PROXIES" in shown
    last = day_and_time_of(slot, "UTC")
    assert f"6 reports of the last 24 hours, the last one after {last}" in shown
    origins = tables(page)["Websites that report"]["rows"]
    assert origins["host"].tolist() == ["shop.example", "old.example", "a page without an address"]
    drops = tables(page)["Reports that were not recorded"]["rows"]
    assert drops[["words", "last", "hits"]].to_numpy().tolist() == [[reason_text("bot"), last, 14]]


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


def field(fields, label: str):
    return next(each for each in fields if each.label == label)


def toggle(page, label: str):
    return next(each for each in page.toggle if each.label == label)

"""Visitor Monitor with all sites at once, on real databases without a browser."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core import deadline
from core.database import open_database, writing
from core.sites import change_site
from core.tables import Site
from pages.live.row_id import visit_of
from tests.helpers.page_reading import metrics, numbers, tables, texts, visitors
from tests.helpers.seed import make_site, make_visit, make_visits
from tests.pages.conftest import Database, OpenPage, use_database

ALL = "~all"


def test_all_sites_are_one_list_on_both_databases(
    database_url: str, monkeypatch: pytest.MonkeyPatch, open_page: OpenPage
) -> None:
    use_database(database_url, monkeypatch)
    engine = open_database(database_url)
    now = datetime.now(UTC)
    tea = make_site(engine, key="tea", name="Tea shop")
    pots = make_site(engine, key="pots", name="Pot shop", time_zone="Pacific/Auckland")
    make_visit(engine, tea, "same", now=now, page_context="Product")
    make_visit(engine, pots, "same", now=now, page_context="Cart")
    make_visits(engine, make_site(engine, key="off", name="Closed"), 3, now=now)
    with writing(engine) as db:
        change_site(db, "off", tracking_enabled=False)
    page = open_page(site=ALL)
    assert not page.exception
    assert metrics(page)["Online Now"] == "2"
    rows = visitors(page)
    assert rows["id"].tolist() == ["pots same", "tea same"]
    assert rows["site_name"].tolist() == ["Pot shop", "Tea shop"]
    assert rows["href"].tolist() == ["visitor?site=pots&visit=same", "visitor?site=tea&visit=same"]
    labels = [c["label"] for c in tables(page)["Active visitors"]["table"]["columns"]]
    assert labels[:5] == ["Status", "Visitor", "Current Page", "Site", "Context"]
    deadline._engine(database_url).dispose()
    engine.dispose()


def test_month_of_sites_over_two_dates_has_no_one_beginning(
    database: Database, open_page: OpenPage
) -> None:
    for key, zone in {"east": "Pacific/Kiritimati", "west": "Pacific/Pago_Pago"}.items():
        site = make_site(database.engine, key=key, time_zone=zone)  # 25 hours apart
        make_visits(database.engine, site, 3, now=datetime.now(UTC))
    shown = numbers(open_page(site=ALL))
    assert " / " in shown["Visits Today"]["note"]
    assert shown["This Month"]["note"] == ""


def test_choosing_all_sites_and_one_again(database: Database, open_page: OpenPage) -> None:
    for key in ("tea", "pots"):
        make_visits(database.engine, make_site(database.engine, key=key), 3, now=datetime.now(UTC))
    page = open_page(site="tea")
    chooser = page.selectbox(key="site_chooser")
    assert chooser.options[0] == "All sites"
    chooser.set_value(ALL).run()
    assert page.query_params["site"] == ALL
    assert len(visitors(page)) == 6
    page.selectbox(key="site_chooser").set_value("pots").run()
    assert len(visitors(page)) == 3


def test_one_site_is_not_called_all(database: Database, open_page: OpenPage) -> None:
    make_visits(database.engine, make_site(database.engine), 3, now=datetime.now(UTC))
    page = open_page(site=ALL)
    assert not page.exception
    assert "Tea shop" in texts(page) and "All sites" not in texts(page)


@pytest.mark.parametrize(
    "row_id, keys, found",
    [
        ("abc", ["tea"], ("tea", "abc")),
        ("tea abc", ["tea", "pots"], ("tea", "abc")),
        ("pots abc", ["tea", "pots"], ("pots", "abc")),
        ("cups abc", ["tea", "pots"], None),
        ("abc", ["tea", "pots"], None),
        ("", ["tea", "pots"], None),
    ],
)
def test_row_names_a_visit_of_a_site_that_is_shown(
    row_id: str, keys: list[str], found: tuple[str, str] | None
) -> None:
    visit = visit_of(row_id, [Site(key=key, name=key) for key in keys])
    assert (visit and (visit[0].key, visit[1])) == found

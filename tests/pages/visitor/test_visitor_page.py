"""The page of one visitor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.util import calc_hash

from core import deadline
from core.database import open_database
from tests.helpers.page_reading import metrics, tables, texts
from tests.helpers.seed import make_site, make_visit
from tests.pages.conftest import Database, OpenPage, use_database

PAGE = "visitor"
HOSTILE = "![x](http://evil.example/a.png)<img src=//evil.example/b> **b** :smile: $x$"


def now() -> datetime:
    return datetime.now(UTC)


def test_page_shows_who_from_where_and_every_page(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine)
    make_visit(
        database.engine,
        site,
        "abc123def456",
        now=now(),
        attributes={"name": "Ada", "plan": "gold"},
        campaign="spring",
        referrer="https://news.example/tea",
        country="FR",
        source="Google",
        source_kind="search",
        visit_number=3,
        cart_value=120.5,
        cart_currency="EUR",
    )
    page = open_page(PAGE, site="tea-shop", visit="abc123def456")
    assert not page.exception
    shown = texts(page)
    for word in ("Ada", "gold", "spring", "https://news.example/tea", "France (FR)", "Tea shop"):
        assert word in shown
    assert {"Returning", "Cart"} <= set(shown.split())
    for fact in ("3rd visit", "€120.50", "Google (search)"):
        assert fact in shown
    assert shown.count("abc123def456") == 1
    assert "Reference of this visit, for questions about its data: abc123def456" in shown
    views = tables(page)["Pages in order"]["rows"]
    assert len(views) == 1
    assert views["in_view"].tolist() == [True]
    assert metrics(page)["Time on Site"].startswith("1m 0")


def test_visitor_without_a_name_is_called_by_browser_and_country(
    database: Database, open_page: OpenPage
) -> None:
    site = make_site(database.engine)
    visit = {"attributes": {}, "browser": "Chrome", "country": "US", "visit_number": 1}
    make_visit(database.engine, site, "abc123def456", now=now(), **visit)
    shown = texts(open_page(PAGE, site="tea-shop", visit="abc123def456"))
    assert "Chrome, United States" in shown
    assert not {"Returning", "Cart"} & set(shown.split())


@pytest.mark.parametrize(
    "query",
    [{}, {"site": "tea-shop"}, {"site": "tea-shop", "visit": "x"}, {"site": "y", "visit": "x"}],
)
def test_unknown_visit_is_reported_plainly(
    database: Database, open_page: OpenPage, query: dict[str, str]
) -> None:
    make_site(database.engine)
    page = open_page(PAGE, **query)
    assert not page.exception
    assert "No such visit" in texts(page)


@pytest.mark.parametrize("page, name", [(PAGE, "visit"), ("", "visitor"), ("chats", "past")])
def test_id_that_cannot_be_is_no_fault_of_the_database(
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    open_page: OpenPage,
    page: str,
    name: str,
) -> None:
    use_database(postgres_url, monkeypatch)
    engine = open_database(postgres_url)
    make_visit(engine, make_site(engine), "visit1", now=now())
    opened = open_page(page, site="tea-shop", **{name: "vis\x00it"})
    assert not opened.exception
    assert "No answer from the database" not in texts(opened)
    deadline._engine(postgres_url).dispose()
    engine.dispose()


def test_way_back_leads_to_all_sites_when_they_were_shown(
    database: Database, open_page: OpenPage
) -> None:
    make_visit(database.engine, make_site(database.engine, key="tea"), "visit1", now=now())
    make_site(database.engine, key="pots")
    page = open_page(site="~all")
    page._page_hash = calc_hash(PAGE)
    page.query_params["site"], page.query_params["visit"] = "tea", "visit1"
    page.run()
    [back] = [each for each in page.get("page_link") if each.proto.label == "Visitor Monitor"][-1:]
    assert back.proto.query_string in ("site=~all", "site=%7Eall")


def test_visit_that_is_over_says_when_it_was_last_seen(
    database: Database, open_page: OpenPage
) -> None:
    site = make_site(database.engine)
    ended = now() - timedelta(hours=2)
    make_visit(
        database.engine,
        site,
        "over",
        now=now(),
        started_at=ended,
        last_seen_at=ended,
        last_activity_at=ended,
        in_view_until=ended,
    )
    page = open_page(PAGE, site="tea-shop", visit="over")
    assert "This visit is over. Last seen" in texts(page)
    assert metrics(page)["Activity"] == "Over"


def test_hostile_text_is_literal(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine)
    make_visit(
        database.engine,
        site,
        "hostile",
        now=now(),
        attributes={"name": HOSTILE, HOSTILE: HOSTILE},
        **dict.fromkeys(
            ("source", "campaign", "medium", "referrer", "entry_path", "language", "browser"),
            HOSTILE,
        ),
        current_path=HOSTILE,
        current_title=HOSTILE,
    )
    page = open_page(PAGE, site="tea-shop", visit="hostile")
    assert not page.exception
    assert texts(page).count(HOSTILE) >= 8
    bodies = [element.proto.body for element in page.get("html")]
    assert not any("<img" in body for body in bodies)
    parsed = [*page.markdown, *page.caption]
    assert not any("evil.example" in element.value for element in parsed)
    assert all("evil.example" not in str(metric.value) for metric in page.metric)


def test_database_away_is_shown(tmp_path, monkeypatch, open_page: OpenPage) -> None:
    use_database(f"sqlite:///{tmp_path / 'empty.db'}", monkeypatch)
    page = open_page(PAGE, site="tea-shop", visit="x")
    assert not page.exception
    assert "python -m collector" in texts(page)

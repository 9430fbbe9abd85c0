"""Visitor Monitor, run on real databases without a browser."""

from __future__ import annotations

import re
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from core import deadline
from core.database import open_database, writing
from core.frames import OTHER
from core.sites import change_site
from pages.live.view import TableView
from tests.helpers.collector_heartbeats import give_heartbeat
from tests.helpers.page_reading import (
    breakdowns,
    metrics,
    numbers,
    pulse,
    tables,
    texts,
    visitors,
)
from tests.helpers.seed import make_site, make_visit, make_visits
from tests.pages.conftest import Database, OpenPage, age_snapshots, use_database

HOSTILE = "![x](http://evil.example/a.png)<img src=//evil.example/b> **b** :smile: $x$"


def now() -> datetime:
    return datetime.now(UTC)


def test_page_without_a_site_leads_to_sites(database: Database, open_page: OpenPage) -> None:
    page = open_page()
    assert not page.exception
    assert "There is no site yet" in texts(page)


def test_page_without_visitors_shows_the_two_things_to_do(
    database: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR_PUBLIC_URL", "https://monitor.example")
    make_site(database.engine, key="demo", name="Demo shop")
    page = open_page()
    assert "No visitors yet" in texts(page)
    assert page.get("link_button")[0].proto.url == "https://monitor.example/demo/"
    assert page.code[0].value == (
        '<script async src="https://monitor.example/embed/visitor-monitor.js"'
        ' data-site="demo"></script>'
    )


def test_page_shows_the_cards_and_the_rows(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine)
    make_visits(database.engine, site, 18, now=now())
    page = open_page()
    assert not page.exception
    cards = metrics(page)
    assert list(cards) == [
        "Online Now",
        "Chatting",
        "Browsing",
        "Visits Today",
        "This Month",
        "Last 7 Days",
    ]
    assert (cards["Online Now"], cards["Chatting"], cards["Browsing"]) == ("18", "2", "16")
    assert all(number["rule"] for number in numbers(page).values())
    assert re.fullmatch(r"\d+ in view, \d+ away", numbers(page)["Online Now"]["note"])
    assert len(visitors(page)) == 18
    assert "Europe/Berlin" in pulse(page)["line"]["moment"]


def test_table_has_exactly_these_columns(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine)
    make_visits(database.engine, site, 3, now=now())
    labels = [c["label"] for c in tables(open_page())["Active visitors"]["table"]["columns"]]
    assert labels == [
        "Status",
        "Visitor",
        "Current Page",
        "Context",
        "From",
        "Browser",
        "Country",
        "Pages",
        "Time on Site",
        "Activity",
        "Chat",
    ]


def test_ten_thousand_visitors_are_sent_a_hundred_at_a_time(
    database: Database, open_page: OpenPage
) -> None:
    site = make_site(database.engine)
    make_visits(database.engine, site, 10_000, now=now())
    page = open_page()
    assert not page.exception
    assert metrics(page)["Online Now"] == "10,000"
    toolbar = tables(page)["Active visitors"]["toolbar"]
    assert (toolbar["count"], toolbar["pages"]) == ("1–100 of 10,000 visitors", 100)
    first = set(visitors(page)["id"])
    see(page, TableView(page=99))
    last = set(visitors(page)["id"])
    assert len(first) == len(last) == 100
    assert not first & last


@pytest.mark.parametrize(
    "view, wanted",
    [
        (TableView(search="CART"), {"cart"}),
        (TableView(search="Ünder Wear"), {"named"}),
        (TableView(status="Chatting"), {"chats"}),
        (TableView(page_context="Cart"), {"cart"}),
        (TableView(page_context="none"), {"named", "chats"}),
        (TableView(country=""), {"nowhere"}),
        (TableView(browser="Firefox"), {"cart"}),
        (TableView(source="Kiosk & more"), {"named"}),
        (TableView(browser="Firefox", status="Chatting"), set[str]()),
    ],
)
def test_table_shows_what_was_asked_for(
    database: Database, open_page: OpenPage, view: TableView, wanted: set[str]
) -> None:
    site = make_site(database.engine)
    at = now()
    plain = {"browser": "Safari", "country": "DE", "current_path": "/", "page_context": ""}
    rows = {
        "cart": {"browser": "Firefox", "current_path": "/cart", "page_context": "Cart"},
        "named": {"attributes": {"name": "Ünder Wear"}, "source": "Kiosk & more"},
        "chats": {"chat_source": "built_in", "chat_message_at": at},
        "nowhere": {"country": "", "current_path": "/products/x", "page_context": "Product"},
    }
    for name, values in rows.items():
        make_visit(database.engine, site, name, now=at, **{"attributes": {}, **plain, **values})
    page = see(open_page(), view)
    assert set(visitors(page)["id"]) == wanted


def test_breakdown_shows_what_is_chosen_and_the_table_says_so(
    database: Database, open_page: OpenPage
) -> None:
    site = make_site(database.engine)
    make_visits(database.engine, site, 40, now=now())
    page = see(open_page(), TableView(country="DE"))
    countries = breakdowns(page)["Country"]
    assert countries.loc[countries["pressed"], "value"].tolist() == ["DE"]
    assert countries.loc[~countries["folded"], "percent"].sum() == pytest.approx(100)
    assert tables(page)["Active visitors"]["toolbar"]["chips"] == [
        {"name": "country", "label": "Country: Germany"}
    ]
    assert set(visitors(page)["country"]) == {"DE"}
    assert metrics(page)["Online Now"] == "40"


def test_other_in_a_breakdown_narrows_to_the_rest(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine)
    make_visits(database.engine, site, 400, now=now())
    page = see(open_page(), TableView(country=OTHER))
    shares = breakdowns(page)["Country"].set_index("value")["visits"]
    assert tables(page)["Active visitors"]["toolbar"]["count"].endswith(
        f"{shares[OTHER]} of 400 visitors"
    )


def test_hostile_text_is_never_markdown_or_html(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine, name=HOSTILE)
    make_visit(
        database.engine,
        site,
        "hostile",
        now=now(),
        current_path=f"/{HOSTILE}",
        current_title=HOSTILE,
        source=HOSTILE,
        browser=HOSTILE,
        attributes={"name": HOSTILE},
    )
    page = open_page()
    row = visitors(page).iloc[0]
    assert (row["path"], row["title"], row["source"]) == (f"/{HOSTILE}", HOSTILE, HOSTILE)
    assert HOSTILE in texts(page)
    assert "evil.example" not in markdown(page)


def test_data_tab_shows_the_same_visitors(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine)
    make_visits(database.engine, site, 30, now=now())
    page = open_page()
    page.session_state["visitors_shown"] = "Data"
    page.run()
    assert not page.exception
    assert len(page.dataframe[0].value) == 30
    assert page.get("download_button")


def test_data_tab_says_how_many_it_leaves_out(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine)
    make_visits(database.engine, site, 3_000, now=now())
    page = open_page()
    page.session_state["visitors_shown"] = "Data"
    page.run()
    assert len(page.dataframe[0].value) == 1_000
    assert "3,000 visitors; the first 1,000 are shown, the downloads have all" in texts(page)


@pytest.mark.parametrize(
    "sites, query, shown",
    [
        (["demo", "tea"], {}, "tea"),
        (["demo"], {}, "demo"),
        (["demo", "tea"], {"site": "demo"}, "demo"),
        (["demo", "tea"], {"site": "gone"}, "tea"),
        (["tea", "pots"], {"site": "pots"}, "pots"),
    ],
)
def test_site_is_the_one_of_the_address_or_the_first_own(
    database: Database, open_page: OpenPage, sites: list[str], query: dict[str, str], shown: str
) -> None:
    for key in sites:
        make_site(database.engine, key=key, name=f"Shop {key}")
    assert f"Shop {shown}" in texts(open_page(**query))


def test_site_chooser_changes_the_site(database: Database, open_page: OpenPage) -> None:
    for key in ("tea", "pots"):
        make_site(database.engine, key=key, name=f"Shop {key}")
    page = open_page()
    page.selectbox(key="site_chooser").set_value("pots").run()
    assert page.query_params["site"] == "pots"
    assert "Shop pots" in texts(page)


def test_one_site_needs_no_chooser(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine)
    assert [box.label for box in open_page().selectbox] == ["Refresh"]


def test_page_is_not_live_while_nobody_is_recorded(
    database: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.heartbeat.CONFIRMED_AFTER", timedelta())
    make_visits(database.engine, make_site(database.engine), 2, now=now())
    assert pulse(open_page())["line"]["interruption"] == "Not live: no visitor is recorded."
    give_heartbeat(database.engine, now())
    age_snapshots()
    assert pulse(open_page())["line"]["interruption"] == ""


def test_page_is_live_unless_the_agent_chooses_otherwise(
    database: Database, open_page: OpenPage
) -> None:
    make_visits(database.engine, make_site(database.engine), 2, now=now())
    page = open_page()
    assert page.selectbox(key="refresh").value == "Live"
    assert pulse(page)["is_pushed"] is True and pulse(page)["line"]["every"] == 30
    page.selectbox(key="refresh").set_value("Paused").run()
    assert pulse(page)["is_pushed"] is False and pulse(page)["line"]["every"] == 0
    assert tables(page)["Active visitors"]["clock"]["ticking"] is False


def test_untracked_site_says_so(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine, key="tea")
    make_site(database.engine, key="pots")
    with writing(database.engine) as db:
        change_site(db, "pots", tracking_enabled=False)
    assert "Tracking is off for this site" in texts(open_page(site="pots"))


def test_without_a_tracked_site_the_address_opens_sites(
    database: Database, open_page: OpenPage
) -> None:
    make_site(database.engine)
    with writing(database.engine) as db:
        change_site(db, "tea-shop", tracking_enabled=False)
    page = open_page()
    assert not page.exception
    assert "Tracking is off for every site" in texts(page)


def test_page_is_the_same_on_both_databases(
    database_url: str, monkeypatch: pytest.MonkeyPatch, open_page: OpenPage
) -> None:
    use_database(database_url, monkeypatch)
    engine = open_database(database_url)
    make_visits(engine, make_site(engine), 20, now=now())
    page = open_page()
    assert not page.exception
    assert metrics(page)["Online Now"] == "20"
    assert len(visitors(page)) == 20
    deadline._engine(database_url).dispose()
    engine.dispose()


# ---- the database is away


def test_database_without_tables_names_the_cure(
    tmp_path, monkeypatch: pytest.MonkeyPatch, open_page: OpenPage
) -> None:
    use_database(f"sqlite:///{tmp_path / 'empty.db'}", monkeypatch)
    page = open_page()
    assert not page.exception
    assert "start the collector once: python -m collector" in texts(page)


def test_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, open_page: OpenPage) -> None:
    use_database("mysql://nobody", monkeypatch)
    page = open_page()
    assert not page.exception
    assert "MONITOR_DATABASE_URL is 'mysql://nobody'" in texts(page)


def test_file_that_is_no_database_keeps_the_page(
    tmp_path, monkeypatch: pytest.MonkeyPatch, open_page: OpenPage
) -> None:
    (tmp_path / "monitor.db").write_bytes(b"not a database, " * 500)
    use_database(f"sqlite:///{tmp_path / 'monitor.db'}", monkeypatch)
    page = open_page()
    assert not page.exception
    assert "The database is damaged" in texts(page) and "python -m core restore FILE" in texts(page)
    assert "monitor.db" in texts(page)


def test_last_picture_stays_while_the_database_is_away_and_heals(
    database: Database, open_page: OpenPage
) -> None:
    site = make_site(database.engine)
    make_visits(database.engine, site, 12, now=now())
    page = open_page()
    with sqlite3.connect(database.file, isolation_level=None) as raw:
        raw.execute("ALTER TABLE visit RENAME TO visit_away")
        wait_for_next_tick()
        page.run()
        assert not page.exception
        assert "No answer from the database" in texts(page)
        assert len(visitors(page)) == 12
        assert tables(page)["Active visitors"]["clock"]["ticking"] is False
        raw.execute("ALTER TABLE visit_away RENAME TO visit")
    wait_for_next_tick()
    page.run()
    assert "No answer from the database" not in texts(page)


def see(page: AppTest, view: TableView) -> AppTest:
    """The page at the address that names this view."""
    for name, value in view.parameters().items():
        page.query_params[name] = value
    return page.run()


def markdown(page: AppTest) -> str:
    """Everything on the page that is parsed as markdown."""
    elements = [*page.markdown, *page.caption, *page.error, *page.warning, *page.info]
    labels = [f"{m.label} {m.value} {m.delta} {m.help}" for m in page.metric]
    return "\n".join([*(element.value for element in elements), *labels])


def wait_for_next_tick() -> None:
    """Wait for the next tick: the pages read at most once in two seconds."""
    until = now() + timedelta(seconds=2.1)
    while now() < until:
        time.sleep(0.05)


def test_site_that_was_added_a_moment_ago_is_found_by_its_address(
    database: Database, open_page: OpenPage
) -> None:
    make_site(database.engine, key="first", name="First shop")
    assert "First shop" in texts(open_page())
    make_site(database.engine, key="second", name="Second shop")
    found = texts(open_page(site="second"))
    assert "Second shop" in found and "First shop" not in found

"""The page Trends in its states, without a browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.identity import Role
from core.database import reading, writing
from core.rollups.site_counts import store_state
from core.sites import change_site, find_site
from core.tables import Site
from core.trends import FunnelStep, read_funnel_steps
from core.visits.calendar import Period
from pages.server.session_book import SESSION_COOKIE
from pages.trends import reading as trend_reading
from tests.helpers.database_away import database_away
from tests.helpers.page_reading import breakdowns, texts
from tests.helpers.past_visits import PastVisit, make_visits, store
from tests.helpers.seed import make_site
from tests.helpers.signed_in import make_account, session_cookie
from tests.pages.conftest import Database, OpenPage

NUMBER = 60


@pytest.fixture
def site(database: Database) -> Site:
    return make_site(database.engine, key="tea", name="Tea & <b>cups</b>", time_zone="UTC")


@pytest.fixture
def visits(database: Database, site: Site) -> list[PastVisit]:
    """Visits of the last hours of the range, the same number in the range before."""
    now = datetime.now(UTC)
    made = [
        visit
        for ago, seed in ((0, 1), (7, 2))
        for visit in make_visits(
            site.id or 0,
            Period(*(now - timedelta(days=ago + back) for back in (2, 1))),
            NUMBER,
            seed,
        )
    ]
    with writing(database.engine) as db:
        store(db, made)
    return made[:NUMBER]


def totals(page: AppTest) -> dict[str, str]:
    [body] = [each.proto.body for each in page.get("html") if 'class="totals"' in each.proto.body]
    return dict(re.findall(r"<dt>([^<]+)</dt><dd><strong>([^<]+)</strong>", body))


def test_all_cards_are_of_the_visits_in_the_range(
    site: Site, visits: list[PastVisit], open_page: OpenPage
) -> None:
    page = open_page("trends")
    assert not page.exception
    assert totals(page)["Visits"] == str(NUMBER)
    assert totals(page)["Page Views"] == str(sum(len(visit.views) for visit in visits))
    shown = breakdowns(page)
    google = sum(visit.row["source"] == "Google" for visit in visits)
    assert shown["Sources"].set_index("value")["visits"]["Google"] == google
    assert {"Countries", "Entry Pages", "Exit Pages", "Campaigns", "Devices"} <= set(shown)
    assert shown["Sources"]["visits"].sum() == NUMBER
    assert shown["Top Pages, Time on Each"]["note"].str.contains(r"\ds").all()
    assert "Days are in UTC" in texts(page)


def test_a_filter_narrows_every_card_and_stands_in_a_chip(
    site: Site, visits: list[PastVisit], open_page: OpenPage
) -> None:
    page = open_page("trends", source="Google", country="DE")
    wanted = [v for v in visits if (v.row["source"], v.row["country"]) == ("Google", "DE")]
    assert totals(page)["Visits"] == str(len(wanted))
    shown = breakdowns(page)
    assert shown["Sources"]["label"].tolist() == ["Google"]
    assert shown["Sources"]["pressed"].tolist() == [True]
    [chips] = [
        element.proto.json or element.proto.mixed.json
        for element in page.get("bidi_component")
        if element.proto.component_name == "visitor_monitor_trend_chips"
    ]
    for label in ("Source: Google", "Country: Germany", "Clear all filters"):
        assert label in chips


def test_a_filter_that_fits_nobody_says_what_to_do(
    site: Site, visits: list[PastVisit], open_page: OpenPage
) -> None:
    assert "No visit fits." in texts(open_page("trends", source="Nowhere"))


def test_range_without_a_visit_says_so(site: Site, open_page: OpenPage) -> None:
    for part, words in {
        "overview": "No visit began in these days.",
        "funnel": "There is no visit to count.",
        "chats": "No visit began in these days.",
    }.items():
        page = open_page("trends", part=part)
        assert not page.exception
        assert words in texts(page)


def test_site_that_remembers_nobody_says_how_to_change_that(
    database: Database, site: Site, visits: list[PastVisit], open_page: OpenPage
) -> None:
    assert "data-remember" not in texts(open_page("trends"))
    other = make_site(database.engine, key="pots", time_zone="UTC")
    now = datetime.now(UTC)
    made = make_visits(other.id or 0, Period(now - timedelta(hours=9), now), 5, 3)
    for visit in made:
        visit.row.update(visitor_id="", visit_number=0)
    with writing(database.engine) as db:
        store(db, made)
    page = open_page("trends", site="pots")
    assert 'add data-remember="yes" to its tag' in texts(page)
    assert totals(page)["Visitors"] == "–"
    assert "Trends tell of one site at a time." in texts(page)
    page.button_group(key="trend measure").set_value("visitors").run()
    assert not page.exception and "No visitor is remembered." in texts(page)


def test_visitors_and_the_median_are_told_by_step(
    database: Database, site: Site, visits: list[PastVisit], open_page: OpenPage
) -> None:
    page = open_page("trends")
    of_days: dict[str, set[str]] = {}
    for visit in visits:
        day = visit.row["started_at"].date()
        of_days.setdefault(f"{day.day} {day:%b %Y}", set()).add(visit.row["visitor_id"])
    page.button_group(key="trend measure").set_value("visitors").run()
    assert not page.exception
    rows = series_rows(page)
    assert len(rows) == 7
    for day, visitors in of_days.items():
        assert rows[day][0] == str(len(visitors - {""}))
    page.button_group(key="trend measure").set_value("median_seconds").run()
    assert "Median Time on Site by Day" in texts(page)
    seconds = {day: row[0] for day, row in series_rows(page).items()}
    assert all((seconds[day] == "–") == (day not in of_days) for day in seconds)


def series_rows(page: AppTest) -> dict[str, list[str]]:
    """What the series' table says, by its steps: these days, and those before."""
    [table] = [
        each.proto.body
        for each in page.get("html")
        if "<th scope" in each.proto.body and ">When<" in each.proto.body
    ]
    rows = [re.findall(r"<td>([^<]*)</td>", row) for row in table.split("<tr>")]
    return {row[0]: row[1:] for row in rows if row}


def test_no_site_and_tracking_that_is_off_are_told(database: Database, open_page: OpenPage) -> None:
    assert "There is no site for you." in texts(open_page("trends"))
    make_site(database.engine, key="tea")
    make_site(database.engine, key="pots")
    with writing(database.engine) as db:
        change_site(db, "tea", tracking_enabled=False)
    assert "Tracking is off for this site." in texts(open_page("trends", site="tea"))


def test_what_was_read_stays_while_the_database_is_away(
    database: Database,
    site: Site,
    visits: list[PastVisit],
    open_page: OpenPage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = open_page("trends")
    monkeypatch.setattr(trend_reading, "KEPT_FOR", timedelta(0))
    with database_away(database.engine, "visit"):
        page.run()
        assert not page.exception
        assert "What you see is of" in texts(page)
        assert totals(page)["Visits"] == str(NUMBER)
        assert "What you see" not in texts(open_page("trends"))
    page.run()
    assert "No answer" not in texts(page)


def test_funnel_tells_each_step_and_each_source(
    site: Site, visits: list[PastVisit], open_page: OpenPage
) -> None:
    page = open_page("trends", part="funnel")
    assert not page.exception
    shown = texts(page)
    for word in ("Product", "Cart", "In Checkout", "Purchased", "Google", f"Of {NUMBER} visits"):
        assert word in shown


def test_admin_gives_the_funnel_other_steps(
    database: Database, site: Site, open_page: OpenPage
) -> None:
    page = open_page("trends", part="funnel")

    def press(label: str) -> None:
        [button] = [each for each in page.button if each.label == label]
        button.click().run()

    for _ in range(3):
        press("Remove step 1")
    press("Save steps")
    assert "A funnel has 2 to 8 steps" in texts(page)
    field(page, "Name").set_value("*Sale*")
    field(page, "Path").set_value("/sale/*")
    press("Add step")
    press("Move step 2 up")
    press("Save steps")
    assert "The funnel has these steps now" in texts(page)
    with reading(database.engine) as db:
        stored = find_site(db, "tea")
    assert stored is not None
    assert list(read_funnel_steps(stored.funnel_steps)) == [
        FunnelStep("*Sale*", "", "/sale/*"),
        FunnelStep("Purchased", "Purchased"),
    ]


def field(page: AppTest, label: str) -> Any:
    [found] = [each for each in page.text_input if each.label == label]
    return found


def test_viewer_sees_the_funnel_and_changes_no_step(
    database: Database,
    site: Site,
    visits: list[PastVisit],
    open_page: OpenPage,
    cookies: dict[str, str],
) -> None:
    make_account(database.engine, "Owner", password="")
    account = make_account(
        database.engine, "Ann", Role.VIEWER, password="", site_ids=[site.id or 0]
    )
    cookies[SESSION_COOKIE] = session_cookie(database.engine, account)
    other = make_site(database.engine, key="pots", name="Pot shop")
    page = open_page("trends", part="funnel", site=other.key)
    assert "Pot shop" not in texts(page)
    assert f"Of {NUMBER} visits" in texts(page)
    assert not [each for each in page.button if each.label == "Save steps"]


def test_chats_are_told_with_the_caution(
    site: Site, visits: list[PastVisit], open_page: OpenPage
) -> None:
    shown = texts(open_page("trends", part="chats", source="Google"))
    assert "This is no experiment." in shown
    assert "Not invited" in shown and "Nobody was invited in these days" in shown
    assert "The filters do not narrow these numbers" in shown


def test_chats_say_from_when_on_visits_are_stored(
    site: Site, visits: list[PastVisit], database: Database, open_page: OpenPage
) -> None:
    with writing(database.engine) as db:
        deleted_until = max(visit.row["started_at"] for visit in visits) + timedelta(days=1)
        store_state(db, site.id or 0, time_zone=site.time_zone, thinned_until=deleted_until)
    shown = texts(open_page("trends", part="chats"))
    assert "No visit that is stored began in these days." in shown
    assert "are deleted for their age" in shown


def test_another_site_keeps_the_days_and_the_part_and_no_filter(
    site: Site, database: Database, open_page: OpenPage
) -> None:
    make_site(database.engine, key="pots", name="Pots", time_zone="UTC")
    page = open_page("trends", site="tea", range="30d", part="funnel", source="Google")
    page.selectbox(key="site_chooser").set_value("pots").run()
    assert page.query_params["site"] == "pots"
    assert page.query_params["range"] == "30d" and page.query_params["part"] == "funnel"
    assert "source" not in page.query_params

"""Visitor Monitor at a past moment, and the day by minute above it, run without a browser."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from benchmarks.crowd import store_crowd
from core.database import reading, writing
from core.frames import Picture, online_by_minute, picture_at
from core.moment import to_milliseconds
from core.sites import change_site
from core.tables import Site
from core.visits.calendar import Period, day_period, local_day
from core.visits.past_moments import known_since
from pages.live.online import chart
from pages.live.online_day import day_frame, read_day
from pages.parts.charts import _specification
from pages.parts.past_moment import moment_of, text_of
from tests.helpers.edit_watch import unsaid_edits
from tests.helpers.page_reading import metrics, tables, texts, visitors
from tests.helpers.seed import make_site
from tests.pages.conftest import Database, OpenPage

ZONE = "Europe/Berlin"


@pytest.fixture
def site(database: Database) -> Site:
    """A shop with a crowd two hours ago, and another one of some who are there now."""
    site = make_site(database.engine, key="shop")
    for ago, online in ((120, 60), (12, 8)):
        at = datetime.now(UTC) - timedelta(minutes=ago)
        store_crowd(database.url, online, to_milliseconds(at))
    unsaid_edits.clear()  # there is no writer that would have to hear of them
    return site


@pytest.fixture
def then() -> datetime:
    return (datetime.now(UTC) - timedelta(hours=2)).replace(microsecond=0)


def picture_of(engine: Engine, site: Site, moment: datetime) -> Picture:
    with reading(engine) as db:
        return picture_at(db, [site], moment, datetime.now(UTC))


def sent(page: AppTest, component: str) -> Any:
    [data] = [
        json.loads(element.proto.bytes)
        for element in page.get("bidi_component")
        if element.proto.component_name == component
    ]
    return data


def controls(page: AppTest) -> Any:
    return sent(page, "visitor_monitor_rewind")


def pulses(page: AppTest) -> list[Any]:
    return [
        element
        for element in page.get("bidi_component")
        if element.proto.component_name == "visitor_monitor_pulse"
    ]


def test_page_shows_the_moment_of_its_address(
    database: Database, open_page: OpenPage, site: Site, then: datetime
) -> None:
    page = open_page(at=text_of(then, ZONE))
    assert not page.exception
    picture = picture_of(database.engine, site, then)
    assert picture.cards.online > 40
    assert metrics(page)["Online Now"] == str(picture.cards.online)
    assert metrics(page)["Visits Today"] == f"{picture.cards.today:,}"
    assert visitors(page)["id"].tolist() == picture.visitors["id"].tolist()
    assert "This is the past." in texts(page)
    local = then.astimezone(ZoneInfo(ZONE))
    assert f"{local:%H:%M:%S}" in texts(page)


def test_nothing_of_the_past_ticks_or_can_be_done(
    open_page: OpenPage, site: Site, then: datetime
) -> None:
    page = open_page(at=text_of(then, ZONE))
    table = tables(page)["Active visitors"]
    assert (table["clock"]["ticking"], table["clock"]["age"]) == (False, 0)
    assert not [each for each in table["table"]["columns"] if each["kind"] == "action"]
    assert f"at={then.astimezone(UTC):%Y}" in table["table"]["href"]
    assert pulses(page) == []
    assert [each.label for each in page.selectbox] == []


def test_page_without_a_moment_is_live(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    assert len(pulses(page)) == 1
    assert not controls(page)["is_past"]
    assert "This is the past." not in texts(page)


@pytest.mark.parametrize(
    "at, said",
    [
        ("yesterday", "which is no date and time"),
        ("<b>now</b>", "which is no date and time"),
        ("2126-11-29T14:03", "is still to come"),
    ],
)
def test_wrong_moment_is_named_and_the_page_is_live(
    open_page: OpenPage, site: Site, at: str, said: str
) -> None:
    page = open_page(at=at)
    assert not page.exception
    assert "This moment cannot be shown." in texts(page) and said in texts(page)
    assert len(pulses(page)) == 1


def test_past_of_a_site_whose_tracking_is_off_is_still_shown(
    database: Database, open_page: OpenPage, site: Site, then: datetime
) -> None:
    make_site(database.engine, key="pots")  # without a site that is tracked the address opens Sites
    with writing(database.engine) as db:
        change_site(db, site.key, tracking_enabled=False)
    page = open_page(site=site.key)
    assert "Tracking is off for this site" in texts(page)
    assert not controls(page)["is_past"]
    past = open_page(site=site.key, at=text_of(then, ZONE))
    assert "This is the past." in texts(past)
    online = picture_of(database.engine, site, then).cards.online
    assert metrics(past)["Online Now"] == str(online)


def test_page_says_from_when_on_it_knows(open_page: OpenPage, site: Site) -> None:
    page = open_page(at="2020-01-01T12:00")
    assert "Nothing is known of this moment." in texts(page)
    assert "visitor_monitor_table" not in str(page.get("bidi_component"))
    page.button(key="go to what is known").click().run()
    assert not page.exception
    assert "This is the past." in texts(page) and "Active visitors" in tables(page)


def test_moment_of_a_site_without_a_visit_leads_back_to_live(
    database: Database, open_page: OpenPage
) -> None:
    make_site(database.engine, key="shop")
    page = open_page(at="2026-01-01T12:00")
    assert "Nothing is known of this moment." in texts(page)
    page.button(key="back to live").click().run()
    assert not page.exception
    assert "This is the past." not in texts(page)


def test_filters_stay_at_the_moment(open_page: OpenPage, site: Site, then: datetime) -> None:
    page = open_page(at=text_of(then, ZONE), browser="Firefox")
    assert set(visitors(page)["browser"]) == {"Firefox"}


def test_visitor_is_shown_as_at_the_moment(
    database: Database, open_page: OpenPage, site: Site, then: datetime
) -> None:
    row = picture_of(database.engine, site, then).visitors.iloc[0]
    page = open_page("visitor", site="shop", visit=row["id"], at=text_of(then, ZONE))
    assert not page.exception
    assert "This is the past." in texts(page)
    assert f"Then on {row['path']}." in texts(page)
    assert metrics(page)["Pages"] == str(row["page_count"])
    assert metrics(page)["Time on Site"] == row["time_on_site_label"]
    table = tables(page)["Pages in order"]
    assert (table["clock"]["ticking"], table["clock"]["age"]) == (False, 0)
    assert not re.search(r"\bChat\b", texts(page))  # its source may be ChatGPT


def test_visitor_who_had_not_come_yet_is_said_so(
    database: Database, open_page: OpenPage, site: Site, then: datetime
) -> None:
    row = picture_of(database.engine, site, datetime.now(UTC)).visitors.iloc[0]
    page = open_page("visitor", site="shop", visit=row["id"], at=text_of(then, ZONE))
    assert "No such visit then" in texts(page)


def test_day_by_minute_is_what_the_moment_shows(
    database: Database, open_page: OpenPage, site: Site, then: datetime
) -> None:
    minute = then.replace(second=0)
    period = day_period(local_day(ZONE, minute), ZONE)
    with reading(database.engine) as db:
        day = online_by_minute(db, [site], *period, datetime.now(UTC))
    frame = day_frame(day, None, period, ZONE)
    row = frame.iloc[(minute - period.from_at) // timedelta(minutes=1)]
    page = open_page(at=text_of(minute, ZONE))
    assert metrics(page)["Online Now"] == str(int(row["online"]))
    assert controls(page)["note"].startswith("Most on ")


def test_minutes_of_which_nothing_is_known_are_empty(database: Database, site: Site) -> None:
    now = datetime.now(UTC)
    with reading(database.engine) as db:
        since = known_since(db, [site.id or 0], timedelta(0), now)
        assert since is not None
        period = Period(since - timedelta(hours=1), now)
        day = read_day(db, now, frozenset({site.id or 0}), period)
    assert day is not None
    is_known = day["minute"] >= since
    assert 0 < is_known.sum() < len(day)
    assert day["online"].notna().tolist() == is_known.tolist()


def test_another_site_is_shown_at_the_same_moment(
    database: Database, open_page: OpenPage, site: Site, then: datetime
) -> None:
    make_site(database.engine, key="pots", name="Pots", time_zone="Asia/Kathmandu")
    page = open_page(site="shop", at=text_of(then, ZONE))
    page.selectbox(key="site_chooser").set_value("pots").run()
    assert page.query_params["site"] == "pots"
    assert moment_of(page.query_params["at"], "Asia/Kathmandu") == then


def test_day_is_as_long_as_its_clock_says() -> None:
    """The hour that the clock repeats stands beside the first one of the day before."""
    for day, hours in ((datetime(2026, 3, 29), 23), (datetime(2026, 10, 25), 25)):
        period = day_period(day.date(), ZONE)
        before = day_period(day.date() - timedelta(days=1), ZONE)
        minutes = pd.date_range(before.from_at, before.until_at, freq="min", inclusive="left")
        then = pd.DataFrame({"minute": minutes, "online": range(len(minutes))})
        now = pd.DataFrame({"online": [1, 5, 5], "chatting": [0, 1, 0]})
        frame = day_frame(now, then, period, ZONE)
        assert len(frame) == hours * 60
        assert frame["peak"].tolist()[:4] == ["", "5", "", ""]
        assert frame["online"].isna().sum() == hours * 60 - 3
        at_four = frame[frame["clock"] == "04:00"]
        assert at_four["before"].tolist() == [240]


def test_chart_names_fields_that_the_day_has() -> None:
    period = day_period(datetime(2026, 11, 29).date(), ZONE)
    empty = pd.DataFrame({"online": [], "chatting": []})
    columns = {*day_frame(empty, None, period, ZONE).columns}
    made = {"place", "online_level", "before_level"}
    fields = {
        channel["field"]
        for layer in _specification(chart)["layer"]
        for channel in layer["encoding"].values()
        if isinstance(channel, dict) and "field" in channel
    }
    assert fields <= columns | made

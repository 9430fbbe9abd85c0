"""Every page says since when nobody is recorded, once that is certain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from core.accounts.identity import Role
from pages.parts.collector_notice import CURE, CURE_OF_OTHERS
from pages.parts.texts import day_and_time_of
from pages.server.session_book import SESSION_COOKIE
from tests.helpers.collector_heartbeats import give_heartbeat
from tests.helpers.database_away import database_away
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site
from tests.helpers.signed_in import make_account, session_cookie
from tests.pages.conftest import Database, OpenPage, age_snapshots

NOTICE = "No visitor is recorded"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch):
    """later(seconds): so much later, by both clocks."""

    def later(seconds: float) -> None:
        monkeypatch.setattr("pages.parts.collector_notice.monotonic", lambda: monotonic() + seconds)
        monkeypatch.setattr(
            "pages.parts.collector_notice.utc_now",
            lambda: datetime.now(UTC) + timedelta(seconds=seconds),
        )

    return later


@pytest.mark.parametrize("name", ["", "chats", "sites", "visitor"])
def test_every_page_says_since_when_nobody_is_recorded(
    database: Database, open_page: OpenPage, later, name: str
) -> None:
    make_site(database.engine, key="tea")
    at = datetime.now(UTC) - timedelta(hours=2)
    give_heartbeat(database.engine, at)
    page = open_page(name)
    assert NOTICE not in texts(page)
    later(16)
    shown = texts(page.run())
    assert f"{NOTICE} since {day_and_time_of(at, 'UTC')} (UTC)" in shown
    assert "python -m collector" in shown


def test_collector_that_was_never_started_is_said_to_be_so(
    database: Database, open_page: OpenPage, later
) -> None:
    page = open_page()
    later(16)
    assert f"{NOTICE}: the collector has not begun to." in texts(page.run())


def test_only_an_admin_is_told_how_to_start_it(
    database: Database, open_page: OpenPage, cookies: dict[str, str], later
) -> None:
    make_site(database.engine, key="tea")
    admin = make_account(database.engine, "Ann", password="")
    viewer = make_account(database.engine, "Vera", Role.VIEWER, password="")
    cookies[SESSION_COOKIE] = session_cookie(database.engine, admin)
    page = open_page()
    later(16)
    assert CURE in texts(page.run())
    cookies[SESSION_COOKIE] = session_cookie(database.engine, viewer)
    age_snapshots()
    page = open_page()
    later(32)
    shown = texts(page.run())
    assert CURE_OF_OTHERS in shown and CURE not in shown


def test_collector_that_records_is_not_mentioned(
    database: Database, open_page: OpenPage, later
) -> None:
    give_heartbeat(database.engine, datetime.now(UTC))
    page = open_page()
    later(16)
    assert NOTICE not in texts(page.run())


def test_nothing_is_said_of_the_collector_while_the_database_is_away(
    database: Database, open_page: OpenPage, later
) -> None:
    make_site(database.engine, key="tea")
    page = open_page()
    later(120)
    with database_away(database.engine):
        shown = texts(open_page())
    assert "No answer from the database." in shown
    assert NOTICE not in shown
    assert NOTICE not in texts(page.run())

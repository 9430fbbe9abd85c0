"""The page Health: what it says while all is well, while things are wrong, and while the database is away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import insert

from core.accounts.identity import Role
from core.database import writing
from core.heartbeat import CollectorLoad, record_heartbeat
from core.reasons import Reason
from core.sites import list_sites
from core.tables import DropCount
from core.version import VERSION
from pages.parts.viewer import MAY_NOT, NOT_ALL_SITES
from pages.server.session_book import SESSION_COOKIE
from tests.helpers.collector_heartbeats import give_heartbeat
from tests.helpers.database_away import database_away
from tests.helpers.page_reading import tables, texts
from tests.helpers.seed import make_site
from tests.helpers.signed_in import make_account, session_cookie
from tests.pages.conftest import Database, OpenPage

WELL = "All is well."


@pytest.fixture(autouse=True)
def site(database: Database) -> Any:
    return make_site(database.engine, key="tea", name="<b>Tea</b> shop")


def beat(database: Database, version: str = VERSION, **load: Any) -> None:
    now = datetime.now(UTC)
    state = CollectorLoad(0, 0, None)._replace(**load)
    with writing(database.engine) as db:
        record_heartbeat(db, version, version, now, now, state)


def drop(database: Database, reason: Reason, hits: int) -> None:
    with writing(database.engine) as db:
        [site] = list_sites(db)
        now = datetime.now(UTC)
        row = {"site_id": site.id, "starts_at": now, "reason": reason.value, "hits": hits}
        db.execute(insert(DropCount), [row])


def test_all_is_well(database: Database, open_page: OpenPage) -> None:
    beat(database, commit_ms=12)
    page = open_page("health")
    assert not page.exception
    shown = texts(page)
    assert WELL in shown and "to see to" not in shown
    for fact in ("Records visitors", "12 ms", VERSION, "SQLite 3.", str(database.file), "90 days"):
        assert fact in shown
    [sites] = [table for name, table in tables(page).items() if name == "Sites"]
    assert list(sites["rows"]["name"]) == ["<b>Tea</b> shop"]
    assert list(sites["rows"]["last"]) == ["Never"]


def test_what_is_wrong_comes_with_its_cure_the_worst_first(
    database: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(database, queued=3_000)
    drop(database, Reason.ORIGIN, 1_311)
    monkeypatch.setattr("core.health.database_rules.NEARLY_FULL", 1.1)
    monkeypatch.setattr("core.health.database_rules.PLENTY", 10**18)
    shown = texts(open_page("health"))
    assert "3 things to see to" in shown and WELL not in shown
    disk, queue = shown.index("nearly full"), shown.index("3,000 reports wait")
    assert disk < queue
    assert Reason.ORIGIN.owner_text in shown and "<b>Tea</b> shop 1,311" in shown


def test_collector_that_is_silent_is_the_first_thing(
    database: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_heartbeat(database.engine, datetime.now(UTC) - timedelta(hours=5))
    page = open_page("health")
    monkeypatch.setattr("pages.parts.collector_notice.monotonic", lambda: monotonic() + 16)
    shown = texts(page.run())
    assert "1 thing to see to" in shown and "The collector has not answered for 5 hours" in shown
    assert "Does not answer" in shown and "Unknown: the collector looks for it" in shown


def test_database_that_is_away_leaves_what_was_read_last(
    database: Database, open_page: OpenPage
) -> None:
    beat(database, commit_ms=12)
    page = open_page("health")
    with database_away(database.engine, "collector"):
        shown = texts(page.run())
    assert "No answer from the database." in shown and "What you see is of" in shown
    assert "12 ms" in shown and WELL not in shown


def test_database_that_is_away_from_the_start_leaves_what_its_file_tells(
    database: Database, open_page: OpenPage
) -> None:
    with database_away(database.engine, "collector"):
        page = open_page("health")
    assert not page.exception
    shown = texts(page)
    assert "No answer from the database." in shown
    assert "Disk left" in shown and str(database.file) in shown


def test_damaged_database_is_told_with_its_cure(database: Database, open_page: OpenPage) -> None:
    database.engine.dispose()
    database.file.write_bytes(b"no database at all" * 500)
    shown = texts(open_page("health"))
    assert f"The database is damaged: {database.file}. Stop the collector, and restore" in shown


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT])
def test_only_admins_see_it(
    database: Database, open_page: OpenPage, cookies: dict[str, str], role: Role
) -> None:
    make_account(database.engine, "Owner", password="")
    account = make_account(database.engine, "Ann", role, password="")
    cookies[SESSION_COOKIE] = session_cookie(database.engine, account)
    shown = texts(open_page("health"))
    assert MAY_NOT[Role.ADMIN] in shown and str(database.file) not in shown


def test_admin_of_some_sites_does_not_see_it(
    database: Database, open_page: OpenPage, cookies: dict[str, str]
) -> None:
    make_account(database.engine, "Owner", password="")
    account = make_account(database.engine, "Ann", Role.ADMIN, password="", site_ids=[1])
    cookies[SESSION_COOKIE] = session_cookie(database.engine, account)
    page = open_page("health")
    assert NOT_ALL_SITES in texts(page) and str(database.file) not in texts(page)
    assert "Health" not in {link.proto.label for link in page.sidebar.get("page_link")}

"""What a visitor's page lets people do with what is stored: take it, and delete it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from core.accounts.accounts import limit_account
from core.accounts.identity import Role
from core.database import reading, writing
from core.tables import Backup, Site
from core.visitor_data import count_stored
from pages.server.session_book import SESSION_COOKIE
from pages.visitor import stored_data
from tests.helpers.dashboard_chats import visitor_opens
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site, make_visit
from tests.helpers.signed_in import make_account, session_cookie
from tests.pages.conftest import Database, OpenPage, age_snapshots

FORGET, FOR_GOOD = "Forget this visitor", "Forget for good"


@pytest.fixture
def site(database: Database) -> Site:
    """A site with a visit of Ada, one that follows it and has a chat, and one of somebody else."""
    site = make_site(database.engine, key="tea")
    told = {"name": "Ada", "email": "ada@shop.example"}
    began = datetime.now(UTC) - timedelta(hours=3)
    make_visit(
        database.engine, site, "first", now=began, started_at=began, attributes={}, browser="Lynx"
    )
    chat = visitor_opens(
        database.engine, site, "second", "My secret tea", attributes=told, follows="first"
    )
    chat.ends()
    make_visit(database.engine, site, "other", now=datetime.now(UTC))
    return site


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], str]]:
    """What a press on Export would give, each time that it was drawn."""
    found: list[Callable[[], str]] = []
    button = stored_data.st.download_button
    monkeypatch.setattr(
        stored_data.st,
        "download_button",
        lambda *args, **named: (found.append(named["data"]), button(*args, **named)),
    )
    return found


def stored(database: Database, site: Site, *visits: str) -> int:
    with reading(database.engine) as db:
        return count_stored(db, site.id or 0, visits).visits


def press(page: AppTest, label: str) -> None:
    next(each for each in page.button if each.label == label).click().run()
    assert not page.exception


def opened(open_page: OpenPage, visit: str = "second") -> AppTest:
    return open_page("visitor", site="tea", visit=visit)


def sign_in(database: Database, cookies: dict[str, str], role: Role) -> int:
    """Make this browser an account's of this role; its id."""
    make_account(database.engine, "Owner", password="")
    account = make_account(database.engine, "Ann", role, password="")
    cookies[SESSION_COOKIE] = session_cookie(database.engine, account)
    age_snapshots()
    return account.id


def test_export_has_all_visits_of_the_browser(
    database: Database, site: Site, open_page: OpenPage, downloads: list[Callable[[], str]]
) -> None:
    opened(open_page)
    document = json.loads(downloads[-1]())
    assert [visit["id"] for visit in document["visit"]] == ["first", "second"]
    [chat] = document["visit"][1]["conversation"]
    assert chat["message"][0]["text"] == "My secret tea"
    assert "token" not in chat


@pytest.mark.parametrize("visit", ["first", "second"])
def test_question_says_what_goes_and_deletes_nothing_yet(
    database: Database, site: Site, open_page: OpenPage, visit: str
) -> None:
    page = opened(open_page, visit)
    press(page, FORGET)
    shown = texts(page)
    assert "2 visits with 2 page views and 1 chat with 1 message will be deleted" in shown
    assert "Lynx" in shown and "Ada" in shown
    assert "has made no copy of the database that holds it" in shown
    assert stored(database, site, "first", "second") == 2


def test_page_says_what_is_gone_and_which_copies_are_not(
    database: Database, site: Site, open_page: OpenPage, tmp_path: Path
) -> None:
    (tmp_path / "kept.db").touch()
    with writing(database.engine) as db:
        for file in ("kept.db", "moved.db"):
            copy = {"made_at": datetime.now(UTC), "kind": "backup", "file": str(tmp_path / file)}
            db.execute(insert(Backup).values(**copy, size=1))
    page = opened(open_page)
    press(page, FORGET)
    press(page, FOR_GOOD)
    shown = texts(page)
    assert "This visitor is forgotten" in shown
    assert "2 visits with 2 page views and 1 chat with 1 message." in shown
    there, _, gone = shown.partition("are not where they were written any more")
    assert "kept.db" in there and "moved.db" in gone
    assert "Within a minute nothing of it is in the database's file either." in shown
    assert stored(database, site, "first", "second") == 0
    assert stored(database, site, "other") == 1
    kept = page._session_state._state
    assert "ada@shop.example" not in str({**kept._old_state, **kept._new_session_state})
    page.run()
    assert "This visitor is forgotten" in texts(page)


def test_other_pages_of_the_visitor_say_that_there_is_none(
    database: Database, site: Site, open_page: OpenPage
) -> None:
    other = opened(open_page, "first")
    page = opened(open_page)
    press(page, FORGET)
    press(page, FOR_GOOD)
    other.run()
    assert not other.exception
    assert "No such visit" in texts(other)


def test_visitor_who_comes_back_with_the_same_id_is_shown_again(
    database: Database, site: Site, open_page: OpenPage
) -> None:
    page = opened(open_page)
    press(page, FORGET)
    press(page, FOR_GOOD)
    make_visit(database.engine, site, "second", now=datetime.now(UTC), attributes={"name": "Ada"})
    page.run()
    assert "This visitor is forgotten" not in texts(page)
    assert "Reference of this visit" in texts(page)


@pytest.mark.parametrize(
    ("role", "exports", "forgets"),
    [(Role.VIEWER, False, False), (Role.AGENT, True, False), (Role.ADMIN, True, True)],
)
def test_each_role_has_its_buttons(
    database: Database,
    site: Site,
    open_page: OpenPage,
    cookies: dict[str, str],
    role: Role,
    exports: bool,
    forgets: bool,
) -> None:
    sign_in(database, cookies, role)
    page = opened(open_page)
    assert bool(page.get("download_button")) == exports
    assert (FORGET in [each.label for each in page.button]) == forgets


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT])
def test_button_of_a_page_that_is_still_drawn_deletes_nothing_for_a_lesser_role(
    database: Database, site: Site, open_page: OpenPage, cookies: dict[str, str], role: Role
) -> None:
    sign_in(database, cookies, Role.ADMIN)
    page = opened(open_page)
    press(page, FORGET)
    for each in list(cookies):
        del cookies[each]
    sign_in(database, cookies, role)
    press(page, FOR_GOOD)
    assert stored(database, site, "first", "second") == 2


def test_download_is_refused_to_who_may_not_see_the_site_any_more(
    database: Database,
    site: Site,
    open_page: OpenPage,
    cookies: dict[str, str],
    downloads: list[Callable[[], str]],
) -> None:
    account_id = sign_in(database, cookies, Role.AGENT)
    opened(open_page)
    with writing(database.engine) as db:
        limit_account(db, account_id, [])
    age_snapshots()
    with pytest.raises(Exception, match="not one of yours"):
        downloads[-1]()

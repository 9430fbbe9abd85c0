"""What no page may take for "there is none": that the database does not answer."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.damage_mark import clear_mark, set_mark
from core.database import reading, writing
from core.removal import remove_site
from core.sites import change_site, find_site
from tests.helpers.dashboard_chats import make_agent, now, secret_of
from tests.helpers.database_away import database_away
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site, make_visit
from tests.pages.conftest import Database, OpenPage, age_snapshots

NO_ANSWER = "No answer from the database."
CURE = "See that the collector runs"


def as_after_a_while(page: AppTest) -> str:
    """What the page says once nothing that it has read is fresh any more."""
    age_snapshots()
    page.run()
    assert not page.exception
    return texts(page)


@pytest.mark.parametrize("name", ["", "trends", "chats", "sites", "visitor"])
def test_site_that_is_not_known_yet_gives_its_place_to_no_other(
    database: Database, open_page: OpenPage, name: str
) -> None:
    make_site(database.engine)
    open_page(name)
    make_site(database.engine, key="new", name="New shop")
    with database_away(database.engine):
        page = open_page(name, site="new", visit="visit1")
        shown = texts(page)
        assert not page.exception
        assert NO_ANSWER in shown and CURE in shown
        assert "Tea shop" not in shown and "No such visit" not in shown
    assert NO_ANSWER not in as_after_a_while(page)


@pytest.mark.parametrize("name", ["", "trends", "chats", "sites", "visitor", "health"])
def test_damaged_file_is_named_with_the_cure_until_it_was_restored(
    database: Database, open_page: OpenPage, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    make_site(database.engine)
    open_page(name)
    set_mark(database.file, "database disk image is malformed")

    page = open_page(name, site="tea", visit="visit1")

    shown = as_after_a_while(page)
    assert f"The database is damaged: {database.file}" in shown
    assert "python -m core restore FILE" in shown
    assert "No such visit" not in shown
    told = [each for each in caplog.records if each.name == "core.deadline"]
    assert told and not any(each.exc_info for each in told)
    assert f"The database is damaged: {database.file}" in told[0].getMessage()
    clear_mark(database.file)
    assert "is damaged:" not in as_after_a_while(page)


@pytest.mark.parametrize("name", ["", "trends", "chats", "sites", "visitor", "health"])
def test_file_that_is_gone_is_named_and_no_other_one_is_made(
    database: Database, open_page: OpenPage, name: str
) -> None:
    make_site(database.engine)
    open_page(name)
    aside = database.file.rename(database.file.with_name("aside.db"))

    page = open_page(name, site="tea", visit="visit1")

    assert f"The database's file is gone: {database.file}" in as_after_a_while(page)
    assert not database.file.exists()
    aside.rename(database.file)
    assert "is gone" not in as_after_a_while(page)


@pytest.mark.parametrize("name", ["chats", "sites"])
def test_site_that_was_added_meanwhile_is_not_denied(
    database: Database, open_page: OpenPage, name: str
) -> None:
    open_page(name)
    make_site(database.engine)
    with database_away(database.engine):
        page = open_page(name, past="-")
        shown = as_after_a_while(page)
        assert NO_ANSWER in shown and "There is no site yet" not in shown
    assert NO_ANSWER not in as_after_a_while(page)


def test_tracking_that_was_off_is_told_as_what_was_read_last(
    database: Database, open_page: OpenPage
) -> None:
    make_site(database.engine)
    make_site(database.engine, key="old", name="Old shop")
    with writing(database.engine) as db:
        change_site(db, "old", tracking_enabled=False)
    page = open_page(site="old")
    with database_away(database.engine):
        assert NO_ANSWER in as_after_a_while(page)
    assert NO_ANSWER not in as_after_a_while(page)


def test_canned_replies_that_were_never_read_are_missed(
    database: Database, open_page: OpenPage
) -> None:
    make_site(database.engine)
    agent = make_agent(database.engine)
    page = open_page("chats")
    page.session_state["agent_secret"] = secret_of(agent)
    with database_away(database.engine, "chat_template"):
        assert NO_ANSWER in as_after_a_while(page)
    assert NO_ANSWER not in as_after_a_while(page)


def test_visit_that_was_read_before_is_not_denied(database: Database, open_page: OpenPage) -> None:
    site = make_site(database.engine)
    make_visit(database.engine, site, "visit1", now=now())
    page = open_page("visitor", site=site.key, visit="visit1")
    with database_away(database.engine):
        shown = as_after_a_while(page)
        assert NO_ANSWER in shown and "No such visit" not in shown
    assert NO_ANSWER not in as_after_a_while(page)


def test_switch_that_was_not_saved_is_not_saved_later(
    database: Database, open_page: OpenPage
) -> None:
    make_site(database.engine)
    page = open_page("sites")

    def switch():
        return next(each for each in page.toggle if each.label == "Chat button on the website")

    with database_away(database.engine):
        switch().set_value(True).run()
        assert "Not saved." in texts(page)
    as_after_a_while(page)
    with reading(database.engine) as db:
        site = find_site(db, "tea-shop")
    assert site is not None and not site.chat_button
    assert switch().value is False
    switch().set_value(True).run()
    with reading(database.engine) as db:
        site = find_site(db, "tea-shop")
    assert site is not None and site.chat_button


def test_progress_of_a_deleted_site_stays(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine)
    make_site(database.engine, key="cups", name="Cups")
    with writing(database.engine) as db:
        remove_site(db, "cups", "Cups", now())
    page = open_page("sites")
    with database_away(database.engine):
        assert "Deleting Cups:  0 visits left." in as_after_a_while(page)

"""Your account: the name, the password and the browsers of whoever looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.accounts import Account, existing_account, set_subject
from core.accounts.identity import Role
from core.accounts.passwords import is_password
from core.accounts.sessions import Way, list_sessions
from core.database import reading, writing
from core.sites import change_site
from core.tables import Agent
from pages.accounts.own_account import MOST_GUESSES, NO_PASSWORD, NO_SIGN_IN, WRONG
from pages.server.session_book import SESSION_COOKIE
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site
from tests.helpers.signed_in import PASSWORD, make_account, session_cookie
from tests.pages.conftest import Database, OpenPage

PAGE = "account"
NEW_PASSWORD = "seven blue teapots"


@pytest.fixture
def ben(database: Database, cookies: dict[str, str]) -> Account:
    """An agent who looks with the newest of three browsers."""
    site = make_site(database.engine, name="Tea shop")
    account = make_account(database.engine, "Ben", Role.AGENT, site_ids=[site.id or 0])
    for ago in (2, 1, 0):
        begun = datetime.now(UTC) - timedelta(hours=ago)
        cookies[SESSION_COOKIE] = session_cookie(database.engine, account, now=begun)
    return account


def browsers(database: Database, account: Account) -> int:
    with reading(database.engine) as db:
        return len(list_sessions(db, account.id, datetime.now(UTC)))


def stored(database: Database, account: Account) -> Agent:
    with reading(database.engine) as db:
        return existing_account(db, account.id).agent


def press(page: AppTest, label: str) -> AppTest:
    return next(each for each in page.button if each.label == label).click().run()


def change_password(page: AppTest, old: str, new: str, again: str) -> AppTest:
    fields = [each for each in page.text_input if "assword" in each.label]
    for field, text in zip(fields, (old, new, again), strict=True):
        field.set_value(text)
    return press(page, "Change password")


def test_account_is_told_in_words(database: Database, open_page: OpenPage, ben: Account) -> None:
    shown = texts(open_page(PAGE))
    for text in (
        ben.agent.email,
        "Agent. Sees the visitors",
        "Tea shop",
        "Chrome, Linux · this browser",
    ):
        assert text in shown


def test_links_for_own_visits_are_those_of_the_sites_that_one_sees(
    database: Database, open_page: OpenPage, ben: Account
) -> None:
    make_site(database.engine, name="Cups", key="cups", domains=["https://cups.example"])
    with writing(database.engine) as db:
        change_site(db, "tea-shop", domains=["tea.example"])
    page = open_page(PAGE)
    assert not page.exception
    assert [each.value for each in page.code] == [
        "https://tea.example/?visitor-monitor=own",
        "https://tea.example/?visitor-monitor=count",
    ]


def test_name_is_changed(database: Database, open_page: OpenPage, ben: Account) -> None:
    page = open_page(PAGE)
    next(each for each in page.text_input if each.label == "Name").set_value("Benjamin")
    assert "Your name is changed." in texts(press(page, "Save name"))
    assert stored(database, ben).name == "Benjamin"


def test_new_password_signs_the_other_browsers_out(
    database: Database, open_page: OpenPage, ben: Account
) -> None:
    page = change_password(open_page(PAGE), PASSWORD, NEW_PASSWORD, NEW_PASSWORD)
    assert "Your password is changed" in texts(page)
    assert is_password(stored(database, ben).password, NEW_PASSWORD)
    assert browsers(database, ben) == 1


@pytest.mark.parametrize(
    ("old", "new", "again", "why"),
    [
        ("nine green kettle", NEW_PASSWORD, NEW_PASSWORD, WRONG),
        (PASSWORD, NEW_PASSWORD, PASSWORD, "The two passwords differ"),
        (PASSWORD, "short", "short", "too short"),
    ],
)
def test_refused_password_changes_nothing(
    database: Database,
    open_page: OpenPage,
    ben: Account,
    old: str,
    new: str,
    again: str,
    why: str,
) -> None:
    page = change_password(open_page(PAGE), old, new, again)
    assert why in texts(page)
    assert is_password(stored(database, ben).password, PASSWORD)
    assert browsers(database, ben) == 3


def test_browser_that_guesses_the_password_is_signed_out(
    database: Database, open_page: OpenPage, ben: Account
) -> None:
    for guess in range(MOST_GUESSES - 1):
        page = change_password(open_page(PAGE), f"wrong {guess}", NEW_PASSWORD, NEW_PASSWORD)
        assert WRONG in texts(page)
    page = change_password(open_page(PAGE), "wrong again", NEW_PASSWORD, NEW_PASSWORD)
    assert browsers(database, ben) == 2
    assert ben.agent.email not in texts(page)


def test_other_browsers_are_signed_out(
    database: Database, open_page: OpenPage, ben: Account
) -> None:
    page = open_page(PAGE)
    [older, oldest] = [each for each in page.button if (each.key or "").startswith("end ")]
    assert older.label == oldest.label == "Sign out"
    page = older.click().run()
    assert browsers(database, ben) == 2
    page = press(page, "Sign out all other browsers")
    assert "Your other browsers are signed out." in texts(page)
    assert browsers(database, ben) == 1


def test_account_of_an_issuer_has_no_password_to_change(
    database: Database, open_page: OpenPage, cookies: dict[str, str]
) -> None:
    account = make_account(database.engine, "Cleo", Role.VIEWER, password="")
    with writing(database.engine) as db:
        set_subject(db, account.id, "https://issuer.example cleo")
    cookies[SESSION_COOKIE] = session_cookie(database.engine, account, way=Way.OIDC)
    page = open_page(PAGE)
    assert NO_PASSWORD in texts(page)
    assert "OpenID Connect" in texts(page)
    assert not [each for each in page.text_input if "assword" in each.label]


def test_without_sign_in_nobody_has_an_account(database: Database, open_page: OpenPage) -> None:
    assert NO_SIGN_IN in texts(open_page(PAGE))

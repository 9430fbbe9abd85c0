"""The Accounts page: the first account, colleagues, what they may do, and their end."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.accounts import (
    Account,
    existing_account,
    find_account,
    limit_account,
    list_accounts,
    set_account,
)
from core.accounts.identity import Role
from core.accounts.links import find_link, make_link
from core.accounts.passwords import is_password
from core.accounts.sessions import lasting_sessions
from core.agents import add_agent, list_agents
from core.database import reading, writing
from core.settings import settings
from core.tables import Agent
from pages.accounts.first_account import MEANING
from pages.accounts.member_dialog import LOSES
from pages.accounts.member_list import NO_LINK, NOT_YET
from pages.accounts.sign_in_link import ONLY_HERE
from pages.parts.viewer import MAY_NOT, NOT_ALL_SITES
from pages.server.access import COOKIE
from pages.server.session_book import SESSION_COOKIE, forget_guests
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site
from tests.helpers.signed_in import PASSWORD, make_account, session_cookie
from tests.pages.conftest import Database, OpenPage

PAGE = "accounts"
HOSTILE = "<img src=x onerror=alert(1)> **x**"
NEW_PASSWORD = "seven blue teapots"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def admin(database: Database, cookies: dict[str, str]) -> Account:
    """The admin whose browser the tests look with."""
    account = make_account(database.engine, "Ann", email="ann@tea.example")
    cookies[SESSION_COOKIE] = session_cookie(database.engine, account)
    return account


def accounts(database: Database) -> list[Account]:
    with reading(database.engine) as db:
        return list_accounts(db)


def press(page: AppTest, label: str) -> AppTest:
    """Press the button with this label, of those of an open dialog the last one."""
    [*_, button] = [each for each in page.button if each.label == label]
    return button.click().run()


def open_member(page: AppTest, account: Account) -> AppTest:
    return page.button(key=f"change member {account.id}").click().run()


def write_first_account(page: AppTest, password: str, again: str) -> AppTest:
    name, email, *passwords = page.main.text_input
    name.set_value("Ann")
    email.set_value("Ann@Tea.example")
    for field, text in zip(passwords, (password, again), strict=True):
        field.set_value(text)
    return press(page, "Make the account")


def address_to_load(page: AppTest) -> str:
    """Where the browser is sent."""
    [sent] = [
        json.loads(element.proto.json or element.proto.mixed.json)
        for element in page.get("bidi_component")
        if element.proto.component_name == "visitor_monitor_load"
    ]
    return sent["address"]


def test_first_account_is_an_admin_with_a_password_and_leads_to_the_sign_in(
    database: Database, open_page: OpenPage
) -> None:
    page = open_page(PAGE)
    assert MEANING in texts(page)
    assert address_to_load(page) == ""
    write_first_account(page, NEW_PASSWORD, NEW_PASSWORD)
    [made] = accounts(database)
    assert (made.agent.name, made.agent.email, made.role) == ("Ann", "ann@tea.example", Role.ADMIN)
    assert is_password(made.agent.password, NEW_PASSWORD)
    assert address_to_load(page) == "/sign-in?next=%2Faccounts"


def test_first_account_is_the_agent_who_has_chatted_in_this_browser(
    database: Database, open_page: OpenPage, cookies: dict[str, str]
) -> None:
    with writing(database.engine) as db:
        agent = add_agent(db, "Ann", now(), "secret of Ann")
    cookies[COOKIE] = "secret of Ann"
    write_first_account(open_page(PAGE), NEW_PASSWORD, NEW_PASSWORD)
    assert [account.id for account in accounts(database)] == [agent.id]


@pytest.mark.parametrize(
    ("password", "again", "why"),
    [
        (NEW_PASSWORD, "seven blue teapot", "The two passwords differ"),
        ("too short", "too short", "too short"),
        ("ann@tea.example", "ann@tea.example", "what everybody knows"),
    ],
)
def test_first_account_needs_a_good_password_written_twice(
    database: Database, open_page: OpenPage, password: str, again: str, why: str
) -> None:
    page = write_first_account(open_page(PAGE), password, again)
    assert why in texts(page)
    assert accounts(database) == []
    assert address_to_load(page) == ""


def test_first_account_is_made_once(database: Database, open_page: OpenPage) -> None:
    page = open_page(PAGE)
    make_account(database.engine, "Somebody else")
    write_first_account(page, NEW_PASSWORD, NEW_PASSWORD)
    assert [account.agent.name for account in accounts(database)] == ["Somebody else"]
    assert address_to_load(page) == ""


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT])
def test_only_admins_see_the_accounts(
    database: Database, open_page: OpenPage, cookies: dict[str, str], admin: Account, role: Role
) -> None:
    other = make_account(database.engine, "Ben", role)
    cookies[SESSION_COOKIE] = session_cookie(database.engine, other)
    page = open_page(PAGE)
    assert admin.agent.email not in texts(page)
    assert MAY_NOT[Role.ADMIN] in texts(page)


def test_admin_of_some_sites_neither_sees_nor_changes_accounts(
    database: Database, open_page: OpenPage, admin: Account
) -> None:
    ben = make_account(database.engine, "Ben")
    page = open_member(open_page(PAGE), ben)
    with writing(database.engine) as db:
        limit_account(db, admin.id, [])
    forget_guests()
    page = press(page, "Save")
    assert NOT_ALL_SITES in texts(page)
    page = open_page(PAGE)
    assert NOT_ALL_SITES in texts(page) and ben.agent.email not in texts(page)


def test_list_says_how_each_gets_in(
    database: Database, open_page: OpenPage, admin: Account
) -> None:
    site = make_site(database.engine, key="tea", name="Tea shop")
    make_site(database.engine, key="cups", name="Cups")
    make_account(database.engine, HOSTILE, Role.AGENT, password="", site_ids=[site.id or 0])
    shown = texts(page := open_page(PAGE))
    assert "ann@tea.example" in shown and "Signed in on 1 browser, last seen" in shown
    assert "Tea shop" in shown and "Cups" not in shown
    assert f"{NOT_YET} {NO_LINK}" in shown and HOSTILE in shown
    assert "<img" not in "".join(element.proto.body for element in page.get("html"))


def test_colleague_is_invited_by_a_link_that_is_shown_once(
    database: Database,
    open_page: OpenPage,
    admin: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MONITOR_DASHBOARD_URL", "https://monitor.example/team")
    settings.cache_clear()
    site = make_site(database.engine)
    page = open_page(PAGE).button(key="invite colleague").click().run()
    page.text_input(key="new account name 0").set_value("Ben")
    page.text_input(key="new account email 0").set_value("ben@tea.example")
    page.radio(key="role new account 0").set_value(Role.VIEWER)
    page.toggle(key="some new account 0").set_value(True).run()
    page = press(page, "Make the account and its link")
    assert "No site is chosen" in texts(page) and len(accounts(database)) == 1
    page.multiselect(key="sites new account 0").set_value([site.id])
    page = press(page, "Make the account and its link")
    address, _, secret = page.code[0].value.partition("?secret=")
    assert address == "https://monitor.example/team/sign-in/link"
    assert ONLY_HERE not in texts(page)
    with reading(database.engine) as db:
        invited = find_link(db, secret, now())
    assert invited and (invited.role, invited.site_ids) == (Role.VIEWER, {site.id})
    page = press(page, "Done")
    assert not page.code and f"{NOT_YET} The link works until" in texts(page)


def test_refused_invitation_says_why_and_makes_nothing(
    database: Database, open_page: OpenPage, admin: Account
) -> None:
    page = open_page(PAGE).button(key="invite colleague").click().run()
    page.text_input(key="new account name 0").set_value("Ben")
    page.text_input(key="new account email 0").set_value("ANN@tea.example")
    page = press(page, "Make the account and its link")
    assert "Ann has the address ann@tea.example already" in texts(page)
    assert accounts(database) == [admin]


def test_agent_of_before_becomes_an_account_and_keeps_their_name(
    database: Database, open_page: OpenPage, admin: Account
) -> None:
    with writing(database.engine) as db:
        agent = add_agent(db, "Eve", now())
    page = open_page(PAGE).button(key=f"make account {agent.id}").click().run()
    page.text_input(key=f"new account email {agent.id}").set_value("eve@tea.example")
    page = press(page, "Make the account and its link")
    with reading(database.engine) as db:
        made = existing_account(db, agent.id or 0)
    assert (made.agent.name, made.role) == ("Eve", Role.AGENT)
    assert "Agents without an account" not in texts(press(page, "Done"))


def test_role_and_sites_are_changed(
    database: Database, open_page: OpenPage, admin: Account
) -> None:
    site = make_site(database.engine)
    ben = make_account(database.engine, "Ben", Role.VIEWER)
    page = open_member(open_page(PAGE), ben)
    page.radio(key=f"role of account {ben.id}").set_value(Role.AGENT)
    page.toggle(key=f"some of account {ben.id}").set_value(True).run()
    page.multiselect(key=f"sites of account {ben.id}").set_value([site.id])
    press(page, "Save")
    [_, changed] = accounts(database)
    assert (changed.role, changed.site_ids) == (Role.AGENT, {site.id})


def test_last_admin_is_warned_and_stays_one(
    database: Database, open_page: OpenPage, admin: Account
) -> None:
    page = open_member(open_page(PAGE), admin)
    assert LOSES not in texts(page)
    page.radio(key=f"role of account {admin.id}").set_value(Role.VIEWER).run()
    assert LOSES in texts(page)
    page = press(page, "Save")
    assert "This is the last admin" in texts(page)
    assert accounts(database) == [admin]


def test_change_of_an_open_page_is_refused_once_the_role_is_another(
    database: Database, open_page: OpenPage, admin: Account
) -> None:
    ben = make_account(database.engine, "Ben")
    page = open_member(open_page(PAGE), ben)
    page.radio(key=f"role of account {ben.id}").set_value(Role.VIEWER)
    with writing(database.engine) as db:
        set_account(db, admin.id, role=Role.AGENT)
    forget_guests()
    page = press(page, "Save")
    assert MAY_NOT[Role.ADMIN] in texts(page)
    assert [each.role for each in accounts(database)] == [Role.AGENT, Role.ADMIN]


def test_browsers_are_signed_out_one_by_one_or_all(
    database: Database, open_page: OpenPage, admin: Account
) -> None:
    ben = make_account(database.engine, "Ben", Role.AGENT)
    for ago in range(3):
        session_cookie(database.engine, ben, now=now() - timedelta(hours=ago))
    page = open_member(open_page(PAGE), ben)
    page = press(page, "Sign out")
    assert sessions_of(database, ben) == 2
    press(page, "Sign out everywhere")
    assert (sessions_of(database, ben), sessions_of(database, admin)) == (0, 1)


def sessions_of(database: Database, account: Account) -> int:
    with reading(database.engine) as db:
        return [each.agent_id for each in lasting_sessions(db, now())].count(account.id)


def test_reset_ends_the_password_and_the_sessions_and_gives_a_link(
    database: Database, open_page: OpenPage, admin: Account
) -> None:
    ben = make_account(database.engine, "Ben", Role.AGENT)
    session_cookie(database.engine, ben)
    page = open_member(open_page(PAGE), ben)
    page = press(page, "Reset the password, and make a link")
    secret = page.code[0].value.partition("?secret=")[2]
    assert ONLY_HERE in texts(page)
    with reading(database.engine) as db:
        reset = find_link(db, secret, now())
    assert reset and not is_password(reset.agent.password, PASSWORD)
    assert sessions_of(database, ben) == 0


def test_newer_link_ends_the_older_one(
    database: Database, open_page: OpenPage, admin: Account
) -> None:
    ben = make_account(database.engine, "Ben", Role.AGENT, password="")
    with writing(database.engine) as db:
        older = make_link(db, ben.id, now())
    page = press(open_member(open_page(PAGE), ben), "Make a new link")
    newer = page.code[0].value.partition("?secret=")[2]
    with reading(database.engine) as db:
        assert find_link(db, older, now()) is None
        assert find_link(db, newer, now()) == ben


def test_removed_account_keeps_its_name_as_an_agent(
    database: Database, open_page: OpenPage, admin: Account
) -> None:
    ben = make_account(database.engine, "Ben", Role.AGENT)
    page = open_member(open_page(PAGE), ben)
    assert page.button(key=f"remove {ben.id}").disabled
    page.toggle(key=f"remove meant {ben.id}").set_value(True).run()
    page = page.button(key=f"remove {ben.id}").click().run()
    with reading(database.engine) as db:
        assert find_account(db, ben.id) is None
        assert [agent.name for agent in list_agents(db)] == ["Ann", "Ben"]
    assert ben.agent.email not in texts(page)


def test_forty_accounts_are_listed_in_their_order(
    database: Database, open_page: OpenPage, admin: Account
) -> None:
    for number in range(39):
        make_account(database.engine, f"Colleague {number:02}", Role.AGENT, password="")
    page = open_page(PAGE)
    assert "40 accounts" in texts(page)
    assert [each.key for each in page.button if each.label == "Change"] == [
        f"change member {account.id}" for account in accounts(database)
    ]


def test_agents_are_no_accounts(database: Database, open_page: OpenPage, admin: Account) -> None:
    with writing(database.engine) as db:
        agent: Agent = add_agent(db, HOSTILE, now())
    page = open_page(PAGE)
    assert "1 account" in texts(page)
    assert page.button(key=f"make account {agent.id}")

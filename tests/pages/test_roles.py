"""What each role sees and does on the pages, and what an account sees that is limited to some sites."""

from __future__ import annotations

from collections.abc import Callable, Collection
from io import BytesIO
from typing import Any

import pandas as pd
import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from core.accounts.accounts import Account, limit_account, set_account
from core.accounts.identity import Role
from core.accounts.sessions import end_sessions
from core.agents import list_agents
from core.chat.queries import conversations_of_visit
from core.chat.states import TemplateKind
from core.chat.templates import list_templates
from core.database import reading, writing
from core.tables import Site
from pages.parts.agent import _agent
from pages.parts.snapshots import latest_picture
from pages.parts.viewer import (
    MAY_NOT,
    NOT_ALL_SITES,
    NOT_YOURS,
    NotAllowed,
    for_viewer,
    read_as,
    write_as,
)
from pages.server.access import COOKIE
from pages.server.session_book import SESSION_COOKIE
from tests.helpers.dashboard_chats import make_agent, now, secret_of, visitor_opens
from tests.helpers.drawn_downloads import drawn_downloads
from tests.helpers.page_reading import metrics, tables, texts, visitors
from tests.helpers.seed import make_site, make_visit
from tests.helpers.signed_in import make_account, session_cookie
from tests.pages.conftest import Database, OpenPage, age_snapshots

NAME = "Ada Visitor"
ROLES = list(Role)
SignIn = Callable[..., Account]


@pytest.fixture(autouse=True)
def fresh() -> None:
    _agent.clear()


@pytest.fixture
def site(database: Database) -> Site:
    return make_site(database.engine, key="tea", name="Tea shop")


@pytest.fixture
def other(database: Database) -> Site:
    return make_site(database.engine, key="pots", name="Pot shop")


@pytest.fixture
def sign_in(database: Database, cookies: dict[str, str]) -> SignIn:
    """Makes an account, and this browser its own; somebody else stays an admin of every site."""
    make_account(database.engine, "Owner", password="")

    def sign_in(role: Role, sites: Collection[Site] | None = None) -> Account:
        limit = None if sites is None else [site.id or 0 for site in sites]
        account = make_account(database.engine, "Ann", role, password="", site_ids=limit)
        cookies[SESSION_COOKIE] = session_cookie(database.engine, account)
        age_snapshots()
        return account

    return sign_in


def changed(database: Database, page: AppTest, account: Account, role: Role) -> AppTest:
    """The next run of the page after the account got another role."""
    with writing(database.engine) as db:
        set_account(db, account.id, role=role)
    age_snapshots()
    return page.run()


def menu(page: AppTest) -> set[str]:
    return {link.proto.label for link in page.sidebar.get("page_link")}


def buttons(page: AppTest) -> set[str]:
    return {button.label for button in page.button}


# ---- pages


@pytest.mark.parametrize(
    "role, wanted",
    [
        (Role.VIEWER, {"Visitor Monitor"}),
        (Role.AGENT, {"Visitor Monitor", "Chats", "Sites"}),
        (Role.ADMIN, {"Visitor Monitor", "Chats", "Sites"}),
    ],
)
def test_menu_has_the_pages_of_the_role(
    open_page: OpenPage, site: Site, sign_in: SignIn, role: Role, wanted: set[str]
) -> None:
    sign_in(role)
    page = open_page()
    assert not page.exception
    assert menu(page) >= wanted
    assert not menu(page) & ({"Chats", "Sites", "Accounts"} - wanted - {"Accounts"})
    assert ("Add a site" in buttons(page)) == (role is Role.ADMIN)
    assert "Set your name" not in texts(page) and "Give your name" not in texts(page)


@pytest.mark.parametrize("address", ["chats", "sites"])
def test_page_that_a_viewer_may_not_open_says_so(
    database: Database, open_page: OpenPage, site: Site, sign_in: SignIn, address: str
) -> None:
    visitor_opens(database.engine, site, "visit1")
    sign_in(Role.VIEWER)
    page = open_page(address, site="tea")
    assert not page.exception
    assert MAY_NOT[Role.AGENT] in texts(page)
    assert not page.main.button and "Tea shop" not in texts(page)


def test_agent_finds_the_texts_of_a_site_and_nothing_else_of_it(
    database: Database, open_page: OpenPage, site: Site, sign_in: SignIn
) -> None:
    sign_in(Role.AGENT)
    page = open_page("sites", site="tea")
    assert not page.exception
    [add] = [each for each in page.main.button if each.key == "add invitation 0 of tea"]
    add.click().run()
    with reading(database.engine) as db:
        assert len(list_templates(db, site.id or 0, TemplateKind.INVITATION)) == 1
    assert not {"Delete this site", "Save settings", "Add rule", "Add invitation rule"} & buttons(
        page
    )
    assert not page.main.toggle


def test_viewer_sees_names_and_takes_none_away(
    database: Database,
    open_page: OpenPage,
    site: Site,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = drawn_downloads(monkeypatch)
    make_visit(
        database.engine,
        site,
        "visit1",
        now=now(),
        attributes={"name": NAME, "email": "ada@shop.example"},
        current_title=f"Order of {NAME}",
        current_path="/account/ada@shop.example/orders",
    )
    taken: dict[Role, str] = {}
    for role in (Role.VIEWER, Role.AGENT):
        sign_in(role)
        page = open_page()
        assert visitors(page)["visitor_name"].tolist() == [NAME]
        page.session_state["visitors_shown"] = "Data"
        page.run()
        frame: pd.DataFrame = page.dataframe[0].value
        parquet = pd.read_parquet(BytesIO(files["Download Parquet"]()))
        taken[role] = frame.to_csv() + files["Download CSV"]() + parquet.to_csv()
    assert NAME in taken[Role.AGENT]
    assert NAME not in taken[Role.VIEWER] and "visit1" in taken[Role.VIEWER]
    assert "ada@shop.example" in taken[Role.AGENT]
    assert "@" not in taken[Role.VIEWER] and "/account/(e-mail)/orders" in taken[Role.VIEWER]


def test_viewer_finds_no_chats_at_a_visitor(
    database: Database, open_page: OpenPage, site: Site, sign_in: SignIn
) -> None:
    chat = visitor_opens(database.engine, site, "visit1", attributes={"name": NAME})
    chat.says("My secret")
    chat.ends()
    seen: dict[Role, AppTest] = {}
    for role in (Role.VIEWER, Role.AGENT):
        sign_in(role)
        seen[role] = open_page("visitor", site="tea", visit="visit1")
        assert not seen[role].exception
        assert NAME in texts(seen[role])
    assert "My secret" in texts(seen[Role.AGENT])
    assert "My secret" not in texts(seen[Role.VIEWER])
    assert "Chat\n" not in texts(seen[Role.VIEWER])
    assert "conversation" in visitors(open_page(site="tea"))
    sign_in(Role.VIEWER)
    assert "conversation" not in visitors(open_page(site="tea"))


def test_changed_role_counts_at_the_next_run(
    database: Database, open_page: OpenPage, site: Site, sign_in: SignIn
) -> None:
    account = sign_in(Role.ADMIN)
    page = open_page("sites", site="tea")
    assert "Delete this site" in buttons(page)
    changed(database, page, account, Role.AGENT)
    assert "Delete this site" not in buttons(page) and "Templates" in texts(page)
    changed(database, page, account, Role.VIEWER)
    assert MAY_NOT[Role.AGENT] in texts(page) and menu(page) >= {"Visitor Monitor"}
    assert "Sites" not in menu(page)


def test_who_is_signed_out_sees_the_way_back_and_nothing_else(
    database: Database, open_page: OpenPage, site: Site, sign_in: SignIn
) -> None:
    make_visit(database.engine, site, "visit1", now=now(), attributes={"name": NAME})
    account = sign_in(Role.ADMIN)
    page = open_page()
    assert len(visitors(page)) == 1
    with writing(database.engine) as db:
        end_sessions(db, account.id)
    age_snapshots()
    page.run()
    assert not page.exception
    assert "You are signed out." in texts(page)
    assert not tables(page) and not page.sidebar.get("page_link")


# ---- what is asked for without a button


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("least", ROLES)
def test_reading_and_changing_takes_the_role(
    database: Database, site: Site, sign_in: SignIn, role: Role, least: Role
) -> None:
    sign_in(role)
    for ask in (read_as, write_as):
        if role >= least:
            assert ask(least, lambda _: 1, site) == 1
        else:
            with pytest.raises(NotAllowed, match="admin"):
                ask(least, lambda _: 1, site)


def test_reading_and_changing_takes_a_site_of_the_account(
    database: Database, site: Site, other: Site, sign_in: SignIn
) -> None:
    sign_in(Role.ADMIN, [site])
    for ask in (read_as, write_as):
        assert ask(Role.ADMIN, lambda _: 1, site) == 1
        with pytest.raises(NotAllowed, match=NOT_YOURS):
            ask(Role.ADMIN, lambda _: 1, other)


def test_work_for_a_viewer_is_refused_once_they_are_signed_out(
    database: Database, site: Site, sign_in: SignIn, cookies: dict[str, str]
) -> None:
    account = sign_in(Role.AGENT)
    work = for_viewer(lambda: read_as(Role.AGENT, lambda _: 1, site))
    cookies.clear()  # outside of a run there are none
    assert work() == 1
    with writing(database.engine) as db:
        end_sessions(db, account.id)
    age_snapshots()
    with pytest.raises(NotAllowed, match="signed out"):
        work()


# ---- sites


def test_limited_account_sees_its_sites_and_no_other(
    database: Database, open_page: OpenPage, site: Site, other: Site, sign_in: SignIn
) -> None:
    third = make_site(database.engine, key="cups", name="Cup shop")
    for each in (site, other, third):
        make_visit(database.engine, each, f"of{each.key}", now=now())
    sign_in(Role.ADMIN, [site, third])
    page = open_page(site="~all")
    assert not page.exception
    assert metrics(page)["Online Now"] == "2"
    assert set(visitors(page)["site_name"]) == {"Tea shop", "Cup shop"}
    assert page.selectbox(key="site_chooser").options == ["All sites", "Tea shop", "Cup shop"]
    for address in ("", "sites", "chats"):
        assert "Pot shop" not in texts(open_page(address))
    assert "Add a site" not in buttons(page)


@pytest.mark.parametrize("address", ["", "sites", "visitor", "chats"])
def test_address_of_anothers_site_says_what_that_of_no_site_says(
    database: Database, open_page: OpenPage, site: Site, other: Site, sign_in: SignIn, address: str
) -> None:
    chat = visitor_opens(database.engine, other, "visit1", attributes={"name": NAME})
    sign_in(Role.ADMIN, [site])
    named = {"visit": "visit1", "conversation": chat.id, "past": chat.id}
    theirs = open_page(address, site="pots", **named)
    nobodys = open_page(address, site="nowhere", **named)
    assert not theirs.exception and not nobodys.exception
    assert texts(theirs) == texts(nobodys)
    assert NAME not in texts(theirs)


def test_all_sites_are_read_once_for_those_who_see_the_same(
    database: Database, open_page: OpenPage, site: Site, other: Site, sign_in: SignIn
) -> None:
    for each in (site, other):
        make_visit(database.engine, each, f"of{each.key}", now=now())
    seen = []
    for sites in (None, [site], [site], None):
        sign_in(Role.VIEWER, sites)
        all_of_them = Site(key="~all", name="All sites")
        picture = latest_picture(all_of_them, now()).picture
        assert picture is not None
        seen.append(set(picture.visitors["id"]))
    assert seen == [{"oftea", "ofpots"}, {"oftea"}, {"oftea"}, {"oftea", "ofpots"}]


def test_account_without_a_site_is_told_so(
    database: Database, open_page: OpenPage, site: Site, sign_in: SignIn
) -> None:
    account = sign_in(Role.AGENT, [site])
    page = open_page()
    with writing(database.engine) as db:
        limit_account(db, account.id, [])
    age_snapshots()
    page.run()
    assert not page.exception
    assert "There is no site for you." in texts(page)
    for address in ("sites", "chats", "visitor"):
        assert not open_page(address).exception


def test_download_is_refused_once_a_site_or_the_session_is_gone(
    database: Database,
    open_page: OpenPage,
    site: Site,
    other: Site,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = drawn_downloads(monkeypatch)
    make_visit(database.engine, site, "visit1", now=now())
    account = sign_in(Role.AGENT, [site])
    page = open_page()
    page.session_state["visitors_shown"] = "Data"
    page.run()
    download = files["Download CSV"]
    assert "visit1" in download()
    with writing(database.engine) as db:
        limit_account(db, account.id, [other.id or 0])
    age_snapshots()
    with pytest.raises(NotAllowed, match=NOT_YOURS):
        download()
    with writing(database.engine) as db:
        end_sessions(db, account.id)
    age_snapshots()
    with pytest.raises(NotAllowed, match="signed out"):
        download()


def test_admin_of_some_sites_is_offered_no_accounts(
    open_page: OpenPage, site: Site, sign_in: SignIn
) -> None:
    sign_in(Role.ADMIN, [site])
    assert "Accounts" not in menu(open_page())
    assert NOT_ALL_SITES in texts(open_page("accounts"))


# ---- the agent


def test_account_is_the_agent_under_its_own_name(
    database: Database, open_page: OpenPage, site: Site, cookies: dict[str, str], sign_in: SignIn
) -> None:
    cookies[COOKIE] = secret_of(make_agent(database.engine, "Bob before"))
    sign_in(Role.AGENT)
    page = open_page()
    assert "Ann" in texts(page) and "Bob before" not in texts(page)
    assert not page.sidebar.text_input
    page.sidebar.toggle[0].set_value(True).run()
    with reading(database.engine) as db:
        available = {agent.name: agent.is_available for agent in list_agents(db)}
    assert available["Ann"] is True


def test_click_on_a_page_that_was_drawn_for_somebody_else_changes_nothing(
    database: Database, open_page: OpenPage, site: Site, sign_in: SignIn
) -> None:
    make_visit(database.engine, site, "visit1", now=now())
    sign_in(Role.AGENT)
    page = open_page("visitor", site="tea", visit="visit1")
    page.main.text_area[0].input("Good day").run()
    [send] = [button for button in page.main.button if button.label == "Send"]
    sign_in(Role.AGENT)
    page.sidebar.toggle[0].set_value(True)
    send.click().run()
    assert not page.exception
    with reading(database.engine) as db:
        assert not any(agent.is_available for agent in list_agents(db))
        assert not conversations_of_visit(db, site.id or 0, "visit1")


@pytest.mark.parametrize("looks", range(6, 12))
def test_who_is_signed_out_while_a_page_is_drawn_is_told_so(
    open_page: OpenPage,
    site: Site,
    sign_in: SignIn,
    cookies: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    looks: int,
) -> None:
    sign_in(Role.AGENT)
    monkeypatch.setattr(ContextProxy, "cookies", CookiesForAWhile(cookies, looks))
    page = open_page("chats")
    assert not page.exception
    assert "You are signed out." in texts(page)


class CookiesForAWhile(dict[str, str]):
    """The cookies, whose session is over once it was asked for so many times."""

    def __init__(self, cookies: dict[str, str], looks: int) -> None:
        super().__init__(cookies)
        self._looks = looks

    def get(self, name: str, default: Any = None) -> Any:
        if name == SESSION_COOKIE:
            self._looks -= 1
        return super().get(name, default) if self._looks >= 0 else default


def test_viewer_has_no_switch(open_page: OpenPage, site: Site, sign_in: SignIn) -> None:
    sign_in(Role.VIEWER)
    page = open_page()
    assert "Ann" in texts(page)
    assert not page.sidebar.toggle and not page.sidebar.text_input

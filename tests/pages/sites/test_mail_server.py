"""A site's mail server on the page Sites."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.database import reading, writing
from core.mail.server import find_server, server_state
from core.mail.server import set_server as store_server
from core.notices.address_url import Security
from core.tables import Site
from pages.server.session_book import SESSION_COOKIE
from tests.helpers.free_port import free_port
from tests.helpers.mail_server_fields import server_fields
from tests.helpers.notice_receivers import mail_receiver
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site
from tests.helpers.signed_in import make_account, session_cookie
from tests.pages.conftest import Database, OpenPage


@pytest.fixture
def site(database: Database) -> Site:
    return make_site(database.engine, key="tea")


@pytest.fixture
def page(site: Site, open_page: OpenPage) -> AppTest:
    return open_page("sites")


def of_mail(page: AppTest, kind: str, name: str) -> Any:
    """The field or the button of the mail server: others of the page have the same labels."""
    return next(
        each
        for each in getattr(page, kind)
        if each.key and "mail of tea" in each.key and name in each.key
    )


def set_server(page: AppTest, port: int, host: str = "127.0.0.1") -> None:
    of_mail(page, "text_input", "from").set_value("hello@tea.example")
    of_mail(page, "text_input", "host").set_value(host)
    of_mail(page, "number_input", "port").set_value(port)
    of_mail(page, "selectbox", "security").set_value(Security.NONE)
    of_mail(page, "text_input", "username").set_value("postmaster")
    of_mail(page, "text_input", "password").set_value("s3cretword")
    of_mail(page, "button", "save").click().run()
    assert not page.exception


def test_server_is_set_tested_and_removed_and_its_password_never_shown(
    database: Database, site: Site, page: AppTest
) -> None:
    with mail_receiver("s3cretword") as receiver:
        set_server(page, receiver.port)
        assert "The mail server is set: press Test" in texts(page)
        assert f"By 127.0.0.1, port {receiver.port}, as po…, without encryption." in texts(page)
        assert "s3cretword" not in str(page.session_state) + texts(page)

        next(each for each in page.text_input if each.label == "Send the test to").set_value(
            "ann@tea.example"
        )
        of_mail(page, "button", "test").click().run()
        assert "Sent.  The server has taken it" in texts(page)
        assert "Nothing was sent by it yet" not in texts(page)
        assert receiver.mails[0].rcpt_tos == ["ann@tea.example"]

    of_mail(page, "button", "test").click().run()
    assert "Not sent.  The server could not be reached" in texts(page)
    with reading(database.engine) as db:
        state = server_state(db, site.id or 0)
    assert state and state.fault.startswith("The server could not be reached")

    of_mail(page, "button", "delete").click().run()
    with reading(database.engine) as db:
        assert find_server(db, site.id or 0) is None


def test_test_of_who_is_signed_in_goes_to_their_own_address(
    database: Database, site: Site, open_page: OpenPage, cookies: dict[str, str]
) -> None:
    account = make_account(database.engine, email="ann@tea.example")
    cookies[SESSION_COOKIE] = session_cookie(database.engine, account)
    with mail_receiver() as receiver:
        with writing(database.engine) as db:
            store_server(db, site.id or 0, server_fields(receiver.port))
        page = open_page("sites")
        assert "Test sends a mail to ann@tea.example." in texts(page)
        of_mail(page, "button", "test").click().run()
        assert "Sent.  The server has taken it" in texts(page)
        assert receiver.mails[0].rcpt_tos == ["ann@tea.example"]


def test_edit_keeps_the_password_for_the_same_server_only(
    database: Database, site: Site, page: AppTest
) -> None:
    port = free_port()
    set_server(page, port)
    of_mail(page, "button", "edit").click().run()
    of_mail(page, "text_input", "name").set_value("Tea")
    of_mail(page, "text_input", "host").set_value("10.0.0.9")
    of_mail(page, "button", "save").click().run()
    assert "Not saved.  Write the user name and the password again" in texts(page)

    of_mail(page, "text_input", "host").set_value("127.0.0.1")
    of_mail(page, "button", "save").click().run()
    with reading(database.engine) as db:
        server = find_server(db, site.id or 0)
    assert server and (server.from_name, server.password) == ("Tea", "s3cretword")

"""A site's addresses for notices on the page Sites."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.database import reading
from core.notices.addresses import address_states
from core.tables import Site
from tests.helpers.notice_receivers import web_receiver
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site
from tests.pages.conftest import Database, OpenPage

SECRET = "services/T0/B0/abcdefghijkl"


@pytest.fixture
def site(database: Database) -> Site:
    return make_site(database.engine, key="tea")


@pytest.fixture
def page(site: Site, open_page: OpenPage) -> AppTest:
    return open_page("sites")


def field(page: AppTest, kind: str, label: str) -> Any:
    return next(each for each in getattr(page, kind) if each.label == label)


def states(database: Database, site: Site) -> Any:
    with reading(database.engine) as db:
        return address_states(db, site.id or 0)


def add_webhook(page: AppTest, address: str) -> None:
    place = field(page, "selectbox", "Where to")
    place.set_value(next(each for each in place.options if each.startswith("Webhook"))).run()
    field(page, "text_input", "Address of the webhook").set_value(address)
    field(page, "button", "Add address").click().run()
    assert not page.exception


def test_address_is_added_tested_switched_off_and_deleted_and_never_shown_again(
    database: Database, site: Site, page: AppTest
) -> None:
    with web_receiver() as receiver:
        add_webhook(page, f"{receiver.url}/{SECRET}")
        assert "The address is added" in texts(page)
        (state,) = states(database, site)
        assert state.kinds == ["chat_waits", "message_left"]
        assert (state.minutes, state.with_words, state.is_enabled) == (5, False, True)
        assert f"Webhook {receiver.url.removeprefix('http://')}/…/ab…" in texts(page)
        assert "Nothing was sent yet." in texts(page)

        field(page, "button", "Test").click().run()
        assert "Sent.  The server has taken it: see whether it arrived." in texts(page)
        (request,) = receiver.requests
        assert request.path == f"/{SECRET}"
        assert "test of an address for notices" in request.body["text"]

        receiver.statuses = [403]
        field(page, "button", "Test").click().run()
        assert "Not sent.  The server refused it" in texts(page)

    assert "abcdefghijkl" not in str(page.session_state) + texts(page)
    field(page, "toggle", "On").set_value(False).run()
    assert states(database, site)[0].is_enabled is False
    field(page, "button", "Delete").click().run()
    assert states(database, site) == []


def test_what_goes_to_an_address_is_changed(database: Database, site: Site, page: AppTest) -> None:
    add_webhook(page, f"https://hooks.slack.com/{SECRET}")
    field(page, "button", "Edit").click().run()
    kinds = next(each for each in page.multiselect if each.label == "What to tell")
    kinds.set_value(["checkout", "named"])
    next(each for each in page.toggle if each.label == "With the visitor's words").set_value(True)
    field(page, "button", "Save address").click().run()

    (state,) = states(database, site)
    assert (state.kinds, state.with_words) == (["checkout", "named"], True)
    assert "A visitor is in Checkout for 5 minutes; A visitor with a name" in texts(page)


def test_address_that_is_none_is_refused_with_the_cure(
    database: Database, site: Site, page: AppTest
) -> None:
    add_webhook(page, "hooks.slack.com/services")

    assert "Not saved.  This is no address: write one, for example https://" in texts(page)
    assert states(database, site) == []

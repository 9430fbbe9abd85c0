"""The section "Chat dialog" of the page Sites."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.chat.looks import find_look
from core.database import reading
from core.tables import ChatLook, Site
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site
from tests.pages.conftest import Database, OpenPage


@pytest.fixture
def site(database: Database) -> Site:
    return make_site(database.engine, key="tea")


@pytest.fixture
def page(site: Site, open_page: OpenPage) -> AppTest:
    return open_page("sites")


def test_what_the_owner_sets_is_stored(database: Database, site: Site, page: AppTest) -> None:
    named(page.text_input, "Title in every language").set_value("Tea counter")
    named(page.color_picker, "Colour").set_value("#00796b")
    named(page.selectbox, "E-mail address of who leaves a message").select_index(1)
    named(page.toggle, "Ask for a rating after a chat").set_value(False)
    named(page.button, "Save chat dialog").click().run()
    assert not page.exception
    look = stored(database, site)
    assert (look.title, look.colour, look.email) == ("Tea counter", "#00796b", "required")
    assert (look.asks_rating, look.words, look.hours) == (False, {}, [])
    assert "The chat dialog is changed" in texts(page)


def test_preview_follows_the_fields_before_they_are_saved(
    database: Database, site: Site, page: AppTest
) -> None:
    named(page.text_input, "Greeting in every language").set_value("Which tea?").run()
    [frame] = page.get("iframe")
    assert "Which tea?" in frame.proto.srcdoc
    assert stored(database, site).greeting == ""


def test_each_text_is_prefilled_and_one_that_is_changed_is_stored_alone(
    database: Database, site: Site, page: AppTest
) -> None:
    named(page.selectbox, "Texts in").set_value("de").run()
    field = named(page.text_input, "No, thanks")
    assert field.value == "Nein, danke"
    field.set_value("Jetzt nicht")
    named(page.button, "Save chat dialog").click().run()
    assert stored(database, site).words == {"de": {"decline": "Jetzt nicht"}}


def test_colour_that_is_hard_to_see_is_not_taken_but_its_nearest(
    database: Database, site: Site, page: AppTest
) -> None:
    named(page.color_picker, "Colour").set_value("#ffff00").run()
    assert "Not this colour." in texts(page)
    named(page.button, "Take #999900").click().run()
    assert "Not this colour." not in texts(page)
    named(page.button, "Save chat dialog").click().run()
    assert stored(database, site).colour == "#999900"


def test_business_hours_are_those_of_each_day(
    database: Database, site: Site, page: AppTest
) -> None:
    named(page.toggle, "Business hours").set_value(True).run()
    named(page.checkbox, "Saturday").check().run()
    named(page.button, "Save chat dialog").click().run()
    assert not page.exception
    assert stored(database, site).hours == [*[[540, 1020]] * 6, None]


def named(elements: Any, label: str) -> Any:
    [found] = [each for each in elements if each.label == label]
    return found


def stored(database: Database, site: Site) -> ChatLook:
    with reading(database.engine) as db:
        return find_look(db, site.id or 0)

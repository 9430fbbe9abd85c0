"""The chat of a site on the page Sites: its button, its texts, its rules."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.chat.rules import add_rule, list_rules, open_by_rule
from core.chat.states import TemplateKind, Trigger
from core.chat.templates import add_template, list_templates
from core.database import reading, writing
from core.sites import find_site
from core.tables import ChatRule, Conversation, Site
from pages.sites.invitation_rule_text import limits_of, record_of, sentence_of
from pages.sites.templates import TEXTS
from tests.helpers.dashboard_chats import Chat, make_agent, now
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site, make_visit
from tests.pages.conftest import Database, OpenPage

HOSTILE = "![x](http://evil.example/a.png)<img src=//evil.example/b> **b** :smile: $x$"


@pytest.fixture
def site(database: Database) -> Site:
    return make_site(database.engine, key="tea")


@pytest.fixture
def page(site: Site, open_page: OpenPage) -> AppTest:
    return open_page("sites")


def test_each_part_has_its_title(page: AppTest) -> None:
    titles = {line.strip() for line in texts(page).splitlines()}
    assert {"Chat button", "Templates", "Invitations by rule"} <= titles


# ---- the button


def test_button_on_the_website_is_off_until_it_is_switched_on(
    database: Database, page: AppTest
) -> None:
    switch = toggle(page, "Chat button on the website")
    assert switch.value is False
    switch.set_value(True).run()
    assert not page.exception
    assert has_button(database) is True
    assert "Saved." in texts(page)
    toggle(page, "Chat button on the website").set_value(False).run()
    assert has_button(database) is False


# ---- the texts


@pytest.mark.parametrize("kind", TemplateKind)
def test_text_is_added_changed_and_deleted(
    database: Database, site: Site, page: AppTest, kind: TemplateKind
) -> None:
    area(page, f"New template for {TEXTS[kind].name.lower()}").set_value("  Hello\nthere! ")
    button(page, "Add template", at=list(TemplateKind).index(kind)).click().run()
    assert not page.exception
    assert kept(database, site, kind) == ["Hello\nthere!"]
    assert "The template is added." in texts(page)
    button(page, "Edit").click().run()
    area(page, "Text").set_value("Good day!")
    button(page, "Save template").click().run()
    assert kept(database, site, kind) == ["Good day!"]
    assert "The template is changed." in texts(page)
    button(page, "Delete").click().run()
    assert kept(database, site, kind) == []
    assert "The template is deleted." in texts(page)


def test_text_that_was_not_to_be_changed_stays(
    database: Database, site: Site, page: AppTest
) -> None:
    keep(database, site, "Hello!")
    page.run()
    button(page, "Edit").click().run()
    area(page, "Text").set_value("Other")
    button(page, "Cancel").click().run()
    assert kept(database, site) == ["Hello!"]
    assert not [each for each in page.text_area if each.label == "Text"]


def test_empty_text_is_refused_with_the_cure(database: Database, site: Site, page: AppTest) -> None:
    button(page, "Add template").click().run()
    assert "Not saved.  There is no text: write one" in texts(page)
    assert kept(database, site) == []


def test_text_that_is_too_long_says_so_and_stays_in_the_field(
    database: Database, site: Site, page: AppTest
) -> None:
    label = "New template for invitations"
    area(page, label).set_value("x" * 2_012)
    button(page, "Add template").click().run()
    assert "Not saved.  The text has 12 characters too many: 2,000 can be sent" in texts(page)
    assert kept(database, site) == []
    assert len(area(page, label).value) == 2_012

    area(page, label).set_value("x" * 2_000)
    button(page, "Add template").click().run()
    assert [len(text) for text in kept(database, site)] == [2_000]
    assert area(page, label).value == ""


def test_suggestion_is_added_with_one_click_and_suggested_no_more(
    database: Database, site: Site, page: AppTest
) -> None:
    assert kept(database, site) == []
    first, *rest = TEXTS[TemplateKind.INVITATION].suggestions
    assert first in texts(page)
    button(page, "Add").click().run()
    assert kept(database, site) == [first]
    replies = TEXTS[TemplateKind.REPLY].suggestions
    assert [each.label for each in page.button].count("Add") == len(rest) + len(replies)


def test_texts_are_literal(database: Database, site: Site, page: AppTest) -> None:
    keep(database, site, HOSTILE)
    with writing(database.engine) as db:
        add_rule(db, site.id or 0, now(), trigger="exit", text=HOSTILE)
    page.run()
    assert texts(page).count(HOSTILE) == 2
    assert not any("<img" in each.proto.body for each in page.get("html"))
    assert not any("evil.example" in each.value for each in [*page.markdown, *page.caption])


# ---- the rules


def test_rule_is_added_off_and_then_switched_on(
    database: Database, site: Site, page: AppTest
) -> None:
    assert rules(database, site) == []
    number(page, "Seconds on it").set_value(45)
    choice(page, "In the context").set_value("Cart")
    area(page, "Invitation").set_value("May I help?")
    number(page, "At most so many a day").set_value(7)
    button(page, "Add invitation rule").click().run()
    assert not page.exception
    [rule] = rules(database, site)
    assert (rule.trigger, rule.threshold, rule.page_context) == (Trigger.SECONDS, 45, "Cart")
    assert (rule.text, rule.daily_cap, rule.is_enabled) == ("May I help?", 7, False)
    assert rule.quiet_from == rule.quiet_until
    assert "After 45 seconds on a page with the context Cart" in texts(page)
    assert area(page, "Invitation").value == ""
    toggle(page, "On").set_value(True).run()
    assert rules(database, site)[0].is_enabled is True
    assert "The rule is on." in texts(page)


@pytest.mark.parametrize(
    "trigger, field, threshold", [(Trigger.PAGES, "Which page", 4), (Trigger.EXIT, "", 0)]
)
def test_fields_are_those_of_what_triggers_the_rule(
    database: Database, site: Site, page: AppTest, trigger: Trigger, field: str, threshold: int
) -> None:
    choice(page, "When").set_value(trigger).run()
    assert not [each for each in page.number_input if each.label == "Seconds on it"]
    if field:
        number(page, field).set_value(threshold)
    area(page, "Invitation").set_value("May I help?")
    button(page, "Add invitation rule").click().run()
    [rule] = rules(database, site)
    assert (rule.trigger, rule.threshold) == (trigger, threshold)


def test_quiet_hours_are_those_of_the_site(database: Database, site: Site, page: AppTest) -> None:
    area(page, "Invitation").set_value("May I help?")
    toggle(page, "Quiet hours").set_value(True).run()
    assert "Europe/Berlin" in toggle(page, "Quiet hours").help
    begins, ends = page.time_input
    assert (begins.value, ends.value) == (time(22), time(8))
    begins.set_value(time(20, 30))
    button(page, "Add invitation rule").click().run()
    [rule] = rules(database, site)
    assert (rule.quiet_from, rule.quiet_until) == (20 * 60 + 30, 8 * 60)
    assert "not from 20:30 to 08:00" in texts(page)


def test_rule_is_changed_and_deleted(database: Database, site: Site, page: AppTest) -> None:
    with writing(database.engine) as db:
        add_rule(db, site.id or 0, now(), trigger="exit", text="Wait!", is_enabled=True)
    page.run()
    button(page, "Edit").click().run()
    area(page, "Invitation").set_value("One moment!")
    button(page, "Save rule").click().run()
    [rule] = rules(database, site)
    assert (rule.text, rule.trigger, rule.is_enabled) == ("One moment!", Trigger.EXIT, True)
    button(page, "Delete").click().run()
    assert rules(database, site) == []


def test_rule_without_a_text_is_refused_with_the_cure(
    database: Database, site: Site, page: AppTest
) -> None:
    button(page, "Add invitation rule").click().run()
    assert "Not saved.  There is no text: write one" in texts(page)
    assert rules(database, site) == []


def test_rule_shows_how_often_it_was_shown_and_accepted(
    database: Database, site: Site, page: AppTest
) -> None:
    make_agent(database.engine)
    with writing(database.engine) as db:
        rule = add_rule(db, site.id or 0, now(), trigger="exit", text="Wait!", is_enabled=True)
    for name in ("one", "two", "three"):
        chat = rule_invites(database, site, name, rule)
        chat.is_shown()
        if name == "one":
            chat.is_accepted()
    page.run()
    assert "Shown 3 times, accepted once (33%)." in texts(page)


@pytest.mark.parametrize(
    "values, words",
    [
        ({"trigger": "seconds", "threshold": 1}, "After 1 second on any page"),
        (
            {"trigger": "seconds", "threshold": 90, "page_context": "Cart"},
            "After 90 seconds on a page with the context Cart",
        ),
        ({"trigger": "pages", "threshold": 3}, "On page 3 of the visit"),
        (
            {"trigger": "pages", "threshold": 3, "page_context": "Product"},
            "On page 3 of the visit, when its context is Product",
        ),
        ({"trigger": "exit"}, "When the visitor is about to leave any page"),
        (
            {"trigger": "exit", "page_context": "In Checkout"},
            "When the visitor is about to leave a page with the context In Checkout",
        ),
    ],
)
def test_rule_is_a_sentence(values: dict[str, Any], words: str) -> None:
    assert sentence_of(rule_with(**values)) == words


@pytest.mark.parametrize(
    "quiet, words",
    [
        ((0, 0), "At most 1,000 a day"),
        ((1320, 480), "At most 1,000 a day, not from 22:00 to 08:00"),
    ],
)
def test_limits_are_in_words(quiet: tuple[int, int], words: str) -> None:
    rule = rule_with(daily_cap=1000, quiet_from=quiet[0], quiet_until=quiet[1])
    assert limits_of(rule) == words


def test_rule_that_was_never_shown_says_so() -> None:
    assert record_of(rule_with()) == "Not shown yet"


def rule_invites(database: Database, site: Site, visit_id: str, rule: ChatRule) -> Chat:
    make_visit(database.engine, site, visit_id, now=now())
    with writing(database.engine) as db:
        invited = open_by_rule(db, rule.id, site=site, visit_id=visit_id, now=now())
    assert isinstance(invited, Conversation)
    return Chat(database.engine, site, invited.id)


def rule_with(**values: Any) -> ChatRule:
    named = {"trigger": "exit", "daily_cap": 50, "text": "Hello!", **values}
    return ChatRule(site_id=1, id="rule", created_at=now(), **named)


def keep(database: Database, site: Site, text: str) -> None:
    assert site.id is not None
    with writing(database.engine) as db:
        add_template(db, site.id, TemplateKind.INVITATION, text, now())


def kept(database: Database, site: Site, kind: TemplateKind = TemplateKind.INVITATION) -> list[str]:
    assert site.id is not None
    with reading(database.engine) as db:
        return [each.text for each in list_templates(db, site.id, kind)]


def rules(database: Database, site: Site) -> list[ChatRule]:
    assert site.id is not None
    with reading(database.engine) as db:
        return list_rules(db, site.id)


def has_button(database: Database) -> bool:
    with reading(database.engine) as db:
        site = find_site(db, "tea")
    assert site is not None
    return site.chat_button


def button(page: AppTest, label: str, at: int = 0) -> Any:
    return [each for each in page.button if each.label == label][at]


def toggle(page: AppTest, label: str) -> Any:
    return next(each for each in page.toggle if each.label == label)


def area(page: AppTest, label: str) -> Any:
    return next(each for each in page.text_area if each.label == label)


def number(page: AppTest, label: str) -> Any:
    return next(each for each in page.number_input if each.label == label)


def choice(page: AppTest, label: str) -> Any:
    return next(each for each in page.selectbox if each.label == label)

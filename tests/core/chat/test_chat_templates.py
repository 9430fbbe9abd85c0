"""Templates: the last used first, the same text once."""

import pytest

from core.chat.states import TemplateKind
from core.chat.templates import (
    ChatSettingsError,
    add_template,
    change_template,
    delete_template,
    list_templates,
    mark_used,
)
from tests.helpers.chat_rows import INSTANT, MINUTE, NOW, add_sites

INVITATION = TemplateKind.INVITATION


@pytest.fixture
def db(db):
    """With the sites 7 and 8."""
    add_sites(db, 7, 8)
    return db


def add(db, text, now=NOW, kind=INVITATION, site_id=7):
    return add_template(db, site_id, kind, text, now)


def texts(db, kind=INVITATION):
    return [each.text for each in list_templates(db, 7, kind)]


def test_last_used_is_first_then_the_newest(db):
    old, used, newest = (
        add(db, text, NOW + number * INSTANT) for number, text in enumerate(("old", "used", "new"))
    )
    assert texts(db) == ["new", "used", "old"]
    mark_used(db, 7, used.id, NOW + MINUTE)
    assert texts(db) == ["used", "new", "old"]
    mark_used(db, 7, old.id, NOW + 2 * MINUTE)
    assert texts(db) == ["old", "used", "new"]
    delete_template(db, 7, newest.id)
    delete_template(db, 7, newest.id)
    assert texts(db) == ["old", "used"]


def test_each_site_and_kind_has_its_own(db):
    add(db, "a reply", kind=TemplateKind.REPLY)
    add(db, "another site's", site_id=8)

    assert texts(db) == []
    assert texts(db, TemplateKind.REPLY) == ["a reply"]


def test_same_text_is_kept_once(db):
    first = add(db, " Can I\r\nhelp?")

    assert add(db, "Can I\nhelp? ", NOW + MINUTE) == first
    assert texts(db) == ["Can I\nhelp?"]


def test_text_is_changed(db):
    template = add(db, "Helo")
    change_template(db, 7, template.id, "Hello")
    change_template(db, 8, template.id, "Hostile")

    assert texts(db) == ["Hello"]


def test_empty_text_is_refused(db):
    template = add(db, "Hello")
    with pytest.raises(ChatSettingsError, match="write one"):
        add(db, " \u200b\n")
    with pytest.raises(ChatSettingsError, match="write one"):
        change_template(db, 7, template.id, "")

    assert texts(db) == ["Hello"]


def test_there_is_an_end_of_templates(db, monkeypatch):
    monkeypatch.setattr("core.chat.templates.MAX_TEMPLATES", 3)
    for number in range(3):
        add(db, f"text {number}")
    with pytest.raises(ChatSettingsError, match="3 texts are too many"):
        add(db, "one more")

"""/embed/chat-LANGUAGE.json: what the dialog says and how it looks, with the owner's settings over what is usual."""

import pytest

from core.chat.looks import change_look
from core.chat.words import LANGUAGES, words_of
from core.database import writing


@pytest.fixture
def get(collector):
    def get(path, **headers):
        return collector.http.get(f"/embed/{path}", headers=headers)

    return get


@pytest.fixture
def set_look(collector):
    def set_look(**changes):
        with writing(collector.engine) as db:
            change_look(db, 1, **changes)
        collector.refresh_sites()

    return set_look


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_is_there_for_any_page(get, language):
    answer = get(f"chat-{language}.json?site=shop1")
    assert answer.status_code == 200
    assert answer.json()["words"] == words_of(language)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("name", ["chat-xx.json", "chat-.json", "chat-..%2Fen.json", "chat-en.jso"])
def test_language_that_there_is_not_is_not_found(get, name):
    assert get(name).status_code == 404


def test_owners_look_is_that_of_the_site_alone(get, set_look):
    set_look(title="Tea", colour="#999900", corner="left", words={"de": {"send": "Los"}})
    own, usual = get("chat-de.json?site=shop1").json(), get("chat-de.json").json()
    assert (own["colour"], own["text"], own["corner"]) == ("#999900", "#000000", "left")
    assert (own["words"]["title"], own["words"]["send"]) == ("Tea", "Los")
    assert usual["words"] == words_of("de")
    assert get("chat-de.json?site=nobody").json() == usual


def test_browser_asks_each_time_and_hears_of_a_change_at_once(get, set_look):
    first = get("chat-en.json?site=shop1")
    assert first.headers["Cache-Control"] == "public, no-cache"
    known = {"If-None-Match": first.headers["ETag"]}
    assert get("chat-en.json?site=shop1", **known).status_code == 304
    set_look(greeting="Which tea?")
    changed = get("chat-en.json?site=shop1", **known)
    assert (changed.status_code, changed.json()["words"]["greeting"]) == (200, "Which tea?")

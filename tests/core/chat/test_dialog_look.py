"""What an owner may set for the dialog: checked, stored, and laid over what is usual."""

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from core.chat.colours import (
    BLACK,
    DARK_PAGE,
    LIGHT_PAGE,
    WHITE,
    contrast,
    is_seen,
    nearest_seen,
    text_on,
)
from core.chat.hours import DAY, is_open
from core.chat.looks import LONGEST_WORDS, USUAL_COLOUR, change_look, find_look, payload_of
from core.chat.templates import ChatSettingsError
from core.settings import PROJECT_ROOT
from tests.helpers.chat_rows import add_sites

NINE_TO_FIVE = (540, 1020)
WEEKDAYS = [*[NINE_TO_FIVE] * 5, None, None]


@pytest.fixture
def db(db):
    """With the site 7."""
    add_sites(db, 7)
    return db


@pytest.fixture
def change(db):
    return partial(change_look, db, 7)


def test_site_that_has_set_nothing_looks_as_usual(db):
    payload = payload_of(find_look(db, 7), "he")
    assert (payload["lang"], payload["dir"], payload["colour"]) == ("he", "rtl", "")
    assert (payload["corner"], payload["email"], payload["rating"]) == ("right", "offered", 1)
    assert payload["words"]["send"] == "שליחה"


def test_owners_text_comes_before_the_title_of_all_languages_and_that_before_ours(change):
    look = change(title="Tea", words={"de": {"title": "Tee", "send": "Los"}})
    assert payload_of(look, "de")["words"]["title"] == "Tee"
    assert payload_of(look, "de")["words"]["send"] == "Los"
    assert payload_of(look, "fr")["words"]["title"] == "Tea"
    assert payload_of(look, "fr")["words"]["send"] == "Envoyer"


def test_changes_are_stored_and_what_is_not_changed_stays(db, change):
    change(title=" Tea\n", colour="#00796B", hours=WEEKDAYS)
    change(greeting="Hello", email="required")
    look = find_look(db, 7)
    assert (look.title, look.greeting, look.colour) == ("Tea", "Hello", "#00796b")
    assert (look.email, look.asks_rating) == ("required", True)
    assert look.hours == [*[[540, 1020]] * 5, None, None]


def test_text_that_is_ours_is_not_stored_and_follows_ours(change):
    own = {"send": "Send", "close": "", "end": "Stop", "nonsense": "x"}
    assert change(words={"en": own, "xx": own}).words == {"en": {"end": "Stop"}}


@pytest.mark.parametrize(
    ("changes", "cure"),
    [
        ({"colour": "blue"}, "write it as #495dd7"),
        ({"colour": "#ffff00"}, "the nearest that is seen on both is #999900"),
        ({"title": "x" * (LONGEST_WORDS + 1)}, "has 1 characters too many"),
        ({"words": {"de": {"end": "x" * 300}}}, "has 100 characters too many"),
        ({"hours": [NINE_TO_FIVE] * 6}, "business hours"),
        ({"hours": [(540, 540)] * 7}, "must end after they begin"),
        ({"hours": [(0, DAY + 1)] * 7}, "at midnight at the latest"),
        ({"corner": "top"}, "corner"),
        ({"email": "always"}, "e-mail field"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_cure(change, changes, cure):
    with pytest.raises(ChatSettingsError, match=cure):
        change(**changes)


# ---- colours


@pytest.mark.parametrize(
    ("colour", "text"),
    [("#00796b", WHITE), ("#999900", BLACK), ("#e91e63", BLACK), (USUAL_COLOUR, WHITE)],
)
def test_text_is_white_or_black_whichever_is_read_better(colour, text):
    assert text_on(colour) == text
    assert contrast(text, colour) >= 4.5


def test_contrast_is_that_of_wcag():
    assert contrast(WHITE, BLACK) == pytest.approx(21)
    assert contrast("#777777", WHITE) == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize(
    "colour", ["#000000", "#ffffff", "#0000ff", "#00ff00", "#ffff00", "#003366", "#4257d6"]
)
def test_nearest_colour_is_seen_on_both_pages_and_keeps_what_is_seen(colour):
    nearest = nearest_seen(colour)
    assert not is_seen(colour)
    assert is_seen(nearest)
    assert contrast(nearest, LIGHT_PAGE) >= 3 <= contrast(nearest, DARK_PAGE)
    assert nearest_seen(nearest) == nearest


def test_usual_colour_is_that_of_the_style():
    style = (PROJECT_ROOT / "embed" / "chat" / "style.js").read_text()
    assert is_seen(USUAL_COLOUR)
    assert f"--colour: {USUAL_COLOUR}; --text: {text_on(USUAL_COLOUR)[:4]}" in style


# ---- business hours


@pytest.mark.parametrize(
    ("day", "clock", "is_there"),
    [
        (2, "08:59", False),
        (2, "09:00", True),
        (2, "16:59", True),
        (2, "17:00", False),
        (6, "12:00", True),
        (7, "12:00", False),
    ],
)
def test_hours_are_those_of_the_sites_own_day(day, clock, is_there):
    """2 November 2026 is a Monday."""
    at = datetime.fromisoformat(f"2026-11-{day:02}T{clock}").replace(tzinfo=ZoneInfo("Asia/Tokyo"))
    assert is_open(WEEKDAYS, "Asia/Tokyo", at) is is_there


def test_without_hours_it_is_always_open_and_a_day_may_last_until_midnight():
    at = datetime(2026, 11, 2, 23, 59, tzinfo=ZoneInfo("UTC"))
    assert is_open([], "UTC", at)
    assert is_open([(0, DAY)] * 7, "UTC", at)

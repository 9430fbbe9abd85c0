"""A visitor who has gone from an open chat is marked, and the mark goes when they are back."""

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.chat.departure import note_departures
from core.chat.queries import open_conversations
from core.tables import Visit
from tests.helpers.chat_rows import (
    INSTANT,
    MINUTE,
    NOW,
    SECOND,
    add_visit,
    ask,
    invited,
    opened,
    stored,
)


def see(db, seen_at, in_view_until):
    moments = {"last_seen_at": seen_at, "in_view_until": in_view_until}
    db.execute(update(Visit).where(col(Visit.id) == "visit").values(**moments))


@pytest.mark.parametrize(
    ("silent_for", "is_in_view", "is_gone"),
    [
        (MINUTE - INSTANT, False, False),
        (MINUTE, False, True),
        (MINUTE + INSTANT, False, True),
        (5 * MINUTE, True, False),
    ],
)
def test_gone_is_who_gave_no_sign_for_a_minute_and_has_no_page_in_view(
    db, silent_for, is_in_view, is_gone
):
    add_visit(db)
    chat = opened(db)
    now = NOW + 5 * MINUTE
    see(db, now - silent_for, now + SECOND if is_in_view else now)

    assert note_departures(db, now) == int(is_gone)
    assert stored(db, chat).gone_at == (now - silent_for if is_gone else None)
    assert note_departures(db, now) == 0


def test_who_is_back_is_not_gone(db):
    add_visit(db)
    chat = opened(db)
    see(db, NOW, NOW)
    note_departures(db, NOW + MINUTE)
    see(db, NOW + 2 * MINUTE, NOW + 3 * MINUTE)

    assert note_departures(db, NOW + 2 * MINUTE) == 1
    assert stored(db, chat).gone_at is None


def test_who_writes_is_back_at_once(db):
    add_visit(db)
    chat = opened(db)
    see(db, NOW, NOW)
    note_departures(db, NOW + MINUTE)
    ask(db, chat, now=NOW + MINUTE)

    assert stored(db, chat).gone_at is None
    assert note_departures(db, NOW + MINUTE) == 0


def test_of_an_invitation_nobody_is_gone(db):
    add_visit(db)
    invitation = invited(db)
    see(db, NOW, NOW)

    assert note_departures(db, NOW + 2 * MINUTE) == 0
    assert stored(db, invitation).gone_at is None


def test_who_has_gone_stands_below_who_is_there(db):
    add_visit(db)
    gone = opened(db)
    ask(db, gone)
    see(db, NOW, NOW)
    note_departures(db, NOW + MINUTE)
    add_visit(db, "there")
    there = opened(db, "there")
    ask(db, there, now=NOW + MINUTE)

    assert [each.id for each in open_conversations(db)] == [there.id, gone.id]

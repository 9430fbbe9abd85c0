"""A conversation ends by itself: an invitation nobody answers, silence, a visit that is over."""

import pytest
from sqlalchemy import delete, func, select, update

from core.chat.closing import close_due
from core.chat.invitations import note_delivered
from core.chat.states import ClosedBy
from core.reasons import Reason
from core.tables import Visit, VisitSpan
from tests.helpers.chat_rows import (
    INSTANT,
    MINUTE,
    NOW,
    accept,
    add_visit,
    answer,
    ask,
    end,
    invited,
    note_shown,
    opened,
    reason_of,
    span_of,
    stored,
    touch,
    visit_of,
)

AROUND = [(-INSTANT, False), (0 * INSTANT, True), (INSTANT, True)]
around = pytest.mark.parametrize(("apart", "is_over"), AROUND, ids=["before", "at", "after"])


def told(db, conversation):
    found = stored(db, conversation)
    return found.state, found.closed_by, found.closed_at


@around
def test_invitation_that_is_not_shown_expires_five_minutes_after_it_was_sent(db, apart, is_over):
    add_visit(db)
    invitation = invited(db)
    note_delivered(db, 7, invitation.id, "", NOW + 4 * MINUTE)

    assert close_due(db, NOW + 5 * MINUTE + apart) == int(is_over)
    expected = ("expired", "silence", NOW + 5 * MINUTE) if is_over else ("delivered", "", None)
    assert told(db, invitation) == expected


@around
def test_invitation_that_is_shown_expires_five_minutes_after_that(db, apart, is_over):
    add_visit(db)
    invitation = invited(db)
    note_shown(db, invitation, NOW + 4 * MINUTE)

    assert close_due(db, NOW + 9 * MINUTE + apart) == int(is_over)
    expected = ("expired", "silence", NOW + 9 * MINUTE) if is_over else ("shown", "", None)
    assert told(db, invitation) == expected


@around
@pytest.mark.parametrize("speak", [None, ask, answer], ids=["accepted", "visitor", "agent"])
def test_chat_ends_after_twenty_minutes_without_a_message(db, speak, apart, is_over):
    add_visit(db)
    newest = NOW + 4 * MINUTE
    conversation = accept(db, invited(db), newest)
    if speak is not None:
        newest = NOW + 7 * MINUTE
        speak(db, conversation, now=newest)
    touch(db, newest + 20 * MINUTE)

    assert close_due(db, newest + 20 * MINUTE + apart) == int(is_over)
    expected = ("ended", "silence", newest + 20 * MINUTE) if is_over else ("open", "", None)
    assert told(db, conversation) == expected
    assert visit_of(db).chat_source == ("" if is_over else "built_in")
    assert span_of(db, conversation).is_open is not is_over


@around
def test_chat_ends_with_its_visit(db, apart, is_over):
    add_visit(db)
    conversation = opened(db)
    for minutes in (15, 29):
        answer(db, conversation, now=NOW + minutes * MINUTE)

    assert close_due(db, NOW + 30 * MINUTE + apart) == int(is_over)
    expected = ("ended", "visit", NOW + 30 * MINUTE) if is_over else ("open", "", None)
    assert told(db, conversation) == expected


@around
def test_invitation_expires_with_its_visit(db, apart, is_over):
    add_visit(db, last_activity_at=NOW - 27 * MINUTE)
    invitation = invited(db)

    assert close_due(db, NOW + 3 * MINUTE + apart) == int(is_over)
    expected = ("expired", "visit", NOW + 3 * MINUTE) if is_over else ("queued", "", None)
    assert told(db, invitation) == expected


def test_what_is_over_is_over_before_anybody_has_closed_it(db):
    add_visit(db)
    invitation = invited(db)
    late = NOW + 5 * MINUTE

    assert reason_of(accept(db, invitation, late)) is Reason.OVER
    assert told(db, invitation) == ("expired", "silence", late)


def test_late_word_does_not_revive_a_chat(db):
    add_visit(db)
    conversation = opened(db)
    late = NOW + 20 * MINUTE
    touch(db, late)

    assert reason_of(ask(db, conversation, now=late)) is Reason.OVER
    assert reason_of(answer(db, conversation, now=late)) is Reason.OVER
    assert stored(db, conversation).message_count == 1


def test_conversation_whose_visit_is_deleted_ends_and_leaves_no_span(db):
    add_visit(db)
    conversation = opened(db)
    for table in (VisitSpan, Visit):
        db.execute(delete(table))

    assert close_due(db, NOW + MINUTE) == 1
    assert told(db, conversation) == ("ended", "visit", NOW + MINUTE)
    assert db.execute(select(func.count()).select_from(VisitSpan)).scalar_one() == 0


def test_nothing_is_closed_twice(db):
    add_visit(db)
    conversation = opened(db)
    end(db, conversation, ClosedBy.AGENT, NOW + MINUTE)
    ended = stored(db, conversation)

    assert close_due(db, NOW + 60 * MINUTE) == 0
    assert stored(db, conversation) == ended


def test_many_are_closed_a_part_at_a_time(db, monkeypatch):
    monkeypatch.setattr("core.chat.closing.CLOSED_AT_ONCE", 3)
    add_visit(db, "talks")
    goes_on = opened(db, "talks")
    touch(db, NOW + 5 * MINUTE, "talks")
    for number in range(5):
        add_visit(db, f"v{number}")
        invited(db, f"v{number}")
    late = NOW + 6 * MINUTE

    assert [close_due(db, late) for _ in range(3)] == [3, 2, 0]
    assert stored(db, goes_on).state == "open"


def test_silence_leaves_another_products_chat_alone(db):
    add_visit(db)
    conversation = opened(db)
    late = NOW + 20 * MINUTE
    db.execute(
        update(Visit).values(chat_source="third_party", chat_message_at=late, last_activity_at=late)
    )

    close_due(db, late)
    assert stored(db, conversation).state == "ended"
    assert visit_of(db).chat_source == "third_party"

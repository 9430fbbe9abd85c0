"""A conversation ends by itself: an invitation without an answer, silence, a visit that is over."""

import pytest
from sqlalchemy import delete, func, select, update

from core.chat.closing import PATIENCE, close_due, expires_at, find_end
from core.chat.invitations import mark_delivered
from core.chat.states import OPEN_STATES, ClosedBy
from core.chat.visit_chat import find_visit_state
from core.reasons import Reason
from core.tables import Visit, VisitSpanRow
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
    mark_shown,
    opened,
    reason_of,
    span_of,
    stored,
    touch,
    visit_of,
)

AROUND = [(-INSTANT, False), (0 * INSTANT, True), (INSTANT, True)]
around = pytest.mark.parametrize(("apart", "is_over"), AROUND, ids=["before", "at", "after"])


def closing_of(db, conversation):
    found = stored(db, conversation)
    return found.state, found.closed_by, found.closed_at


@around
def test_invitation_that_is_not_delivered_expires_five_minutes_after_it_was_sent(
    db, apart, is_over
):
    add_visit(db)
    invitation = invited(db)

    assert close_due(db, NOW + 5 * MINUTE + apart) == int(is_over)
    expected = ("expired", "silence", NOW + 5 * MINUTE) if is_over else ("queued", "", None)
    assert closing_of(db, invitation) == expected


@around
def test_delivered_invitation_waits_for_its_page_until_the_visit_ends(db, apart, is_over):
    add_visit(db)
    invitation = invited(db)
    mark_delivered(db, 7, invitation.id, "", NOW + MINUTE)
    assert expires_at(stored(db, invitation)) is None
    assert close_due(db, NOW + 20 * MINUTE) == 0

    assert close_due(db, NOW + 30 * MINUTE + apart) == int(is_over)
    expected = ("expired", "visit", NOW + 30 * MINUTE) if is_over else ("delivered", "", None)
    assert closing_of(db, invitation) == expected


@around
def test_invitation_that_is_shown_expires_five_minutes_after_that(db, apart, is_over):
    add_visit(db)
    invitation = invited(db)
    mark_shown(db, invitation, NOW + 4 * MINUTE)

    assert close_due(db, NOW + 9 * MINUTE + apart) == int(is_over)
    expected = ("expired", "silence", NOW + 9 * MINUTE) if is_over else ("shown", "", None)
    assert closing_of(db, invitation) == expected


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
    assert closing_of(db, conversation) == expected
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
    assert closing_of(db, conversation) == expected


@around
def test_invitation_expires_with_its_visit(db, apart, is_over):
    add_visit(db, last_activity_at=NOW - 27 * MINUTE)
    invitation = invited(db)

    assert close_due(db, NOW + 3 * MINUTE + apart) == int(is_over)
    expected = ("expired", "visit", NOW + 3 * MINUTE) if is_over else ("queued", "", None)
    assert closing_of(db, invitation) == expected


@around
@pytest.mark.parametrize("state", ["queued", "delivered", "shown", "open"])
def test_row_and_sql_say_the_same_of_every_open_state(db, state, apart, is_over):
    add_visit(db)
    conversation = invited(db)
    touch(db, NOW + 20 * MINUTE)
    if state == "delivered":  # to one of the tabs of a visit that people may share: it may be gone
        mark_delivered(db, 7, conversation.id, "tab", NOW + MINUTE)
    elif state == "shown":
        mark_shown(db, conversation, NOW + MINUTE)
    elif state == "open":
        accept(db, conversation, NOW + MINUTE)
    found, visit = stored(db, conversation), find_visit_state(db, 7, "visit")
    assert found.state == state
    moment = expires_at(found) + apart

    assert (find_end(found, visit, moment) is not None) is is_over
    assert close_due(db, moment) == int(is_over)


def test_every_open_state_ends_by_itself():
    assert set(PATIENCE) == OPEN_STATES


def test_what_is_over_is_over_before_anybody_has_closed_it(db):
    add_visit(db)
    invitation = invited(db)
    late = NOW + 5 * MINUTE

    assert reason_of(accept(db, invitation, late)) is Reason.OVER
    assert closing_of(db, invitation) == ("expired", "silence", late)


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
    for table in (VisitSpanRow, Visit):
        db.execute(delete(table))

    assert close_due(db, NOW + MINUTE) == 1
    assert closing_of(db, conversation) == ("ended", "visit", NOW + MINUTE)
    assert db.execute(select(func.count()).select_from(VisitSpanRow)).scalar_one() == 0


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

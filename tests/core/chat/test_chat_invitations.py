"""Invitations: offered, delivered, shown, answered; one open one a visit."""

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.chat.invitations import mark_delivered
from core.chat.queries import messages
from core.chat.retention import forget_conversations
from core.chat.rules import list_rules
from core.chat.states import ClosedBy
from core.reasons import Reason
from core.tables import VisitSpan
from tests.helpers.chat_rows import (
    INSTANT,
    MINUTE,
    NOW,
    SECOND,
    accept,
    add_rule,
    add_sites,
    add_visit,
    answer,
    ask,
    dismiss,
    end,
    invite,
    invited,
    mark_shown,
    open_it,
    opened,
    reason_of,
    span_of,
    stored,
    take_over,
    visit_of,
)
from tests.helpers.stored_rows import store_row


def offer(db, visit_id="visit", now=NOW, text="Hello", agent_id=1):
    return invite(db, site_id=7, visit_id=visit_id, agent_id=agent_id, text=text, now=now)


def test_invitation_is_a_conversation_whose_first_message_is_the_offer(db):
    add_visit(db)
    invitation = invited(db, text="Can I\nhelp?", agent_id=3)

    assert stored(db, invitation) == invitation
    assert (invitation.state, invitation.agent_id, invitation.message_count) == ("queued", 3, 1)
    assert (len(invitation.id), len(invitation.token)) == (20, 32)
    (message,) = messages(db, 7, invitation.id)
    assert (message.number, message.author, message.text) == (1, "agent", "Can I\nhelp?")
    assert (message.agent_id, message.revision) == (3, invitation.revision)
    assert visit_of(db).chat_source == ""


@pytest.mark.parametrize(
    ("ago", "is_live"),
    [(30 * MINUTE - INSTANT, True), (30 * MINUTE, False), (30 * MINUTE + INSTANT, False)],
)
def test_visit_that_is_over_is_not_invited(db, ago, is_live):
    add_visit(db, last_activity_at=NOW - ago)

    assert is_live or reason_of(offer(db)) is Reason.NO_VISIT
    assert not is_live or offer(db).state == "queued"


def test_visit_that_is_not_known_is_not_invited(db):
    add_visit(db, site_id=8)

    assert reason_of(offer(db)) is Reason.NO_VISIT


@pytest.mark.parametrize("source", ["built_in", "third_party"])
@pytest.mark.parametrize(
    ("ago", "is_chatting"), [(20 * MINUTE - INSTANT, True), (20 * MINUTE, False)]
)
def test_visit_that_is_chatting_is_not_invited(db, source, ago, is_chatting):
    add_visit(db, chat_source=source, chat_message_at=NOW - ago)

    assert not is_chatting or reason_of(offer(db)) is Reason.CHATTING
    assert is_chatting or offer(db).state == "queued"


def test_visit_has_one_open_invitation(db):
    add_visit(db)
    first = invited(db)

    for forward in (lambda: None, lambda: mark_shown(db, first, NOW)):
        forward()
        assert reason_of(offer(db)) is Reason.INVITED
    accept(db, first, NOW)
    assert reason_of(offer(db)) is Reason.CHATTING
    end(db, first, ClosedBy.VISITOR, NOW)
    assert offer(db).state == "queued"


def test_another_may_follow_one_that_has_just_expired(db):
    add_visit(db)
    first = invited(db)

    assert offer(db, now=NOW + 5 * MINUTE).state == "queued"
    assert stored(db, first).state == "expired"


@pytest.mark.parametrize("text", ["", " \n\t ", "\x00\u200b\u202e"])
def test_empty_text_is_refused(db, text):
    add_visit(db)

    assert reason_of(offer(db, text=text)) is Reason.EMPTY


def test_each_state_has_its_moment(db):
    add_visit(db)
    invitation = invited(db)
    mark_delivered(db, 7, invitation.id, "tab1", NOW + SECOND)
    mark_delivered(db, 7, invitation.id, "tab2", NOW + 2 * SECOND)
    mark_shown(db, invitation, NOW + 3 * SECOND)
    mark_shown(db, invitation, NOW + 4 * SECOND)
    mark_delivered(db, 7, invitation.id, "tab2", NOW + 5 * SECOND)
    accept(db, invitation, NOW + 6 * SECOND)
    accept(db, invitation, NOW + 7 * SECOND)

    found = stored(db, invitation)
    assert (found.state, found.tab) == ("open", "tab1")
    assert (found.created_at, found.delivered_at, found.shown_at, found.accepted_at) == tuple(
        NOW + seconds * SECOND for seconds in (0, 1, 3, 6)
    )


def test_what_is_shown_at_once_was_delivered(db):
    add_visit(db)
    add_visit(db, "other")
    shown = mark_shown(db, invited(db, "other"), NOW + SECOND)
    assert shown.delivered_at == shown.shown_at == NOW + SECOND

    accepted = accept(db, invited(db), NOW + SECOND)

    assert accepted.delivered_at == accepted.shown_at == accepted.accepted_at == NOW + SECOND


def test_accepting_is_activity_and_turns_the_visit_to_chatting(db):
    add_visit(db, last_activity_at=NOW - MINUTE, last_seen_at=NOW - SECOND)
    conversation = accept(db, invited(db, now=NOW - SECOND), NOW)

    visit = visit_of(db)
    assert (visit.last_activity_at, visit.last_seen_at) == (NOW, NOW)
    assert (visit.chat_source, visit.chat_started_at, visit.chat_message_at) == (
        "built_in",
        NOW,
        NOW,
    )
    span = span_of(db, conversation)
    assert (span.visit_id, span.kind, span.number) == ("visit", "chatting", 1)
    assert (span.from_at, span.until_at, span.is_open) == (NOW, NOW, True)


@pytest.mark.parametrize(
    ("silent", "until", "is_open"),
    [(20 * MINUTE - INSTANT, NOW, False), (20 * MINUTE, NOW - 20 * MINUTE, True)],
)
def test_other_products_chat_that_goes_on_ends_when_ours_begins(db, silent, until, is_open):
    add_visit(db, started_at=NOW - 40 * MINUTE)
    invitation = invited(db)
    at = NOW - silent
    span = VisitSpan(
        site_id=7, visit_id="visit", tab=1, kind="chatting", number=3, from_at=at, until_at=at
    )
    store_row(db, span)

    accept(db, invitation, NOW)

    row = db.execute(select(VisitSpan).where(col(VisitSpan.tab) == 1)).mappings().one()
    assert (row["from_at"], row["until_at"], row["is_open"]) == (at, until, is_open)


def test_activity_never_moves_back(db):
    ahead = NOW + MINUTE
    add_visit(db, last_activity_at=ahead, last_seen_at=ahead + SECOND)
    conversation = opened(db)
    ask(db, conversation)

    visit = visit_of(db)
    assert (visit.last_activity_at, visit.last_seen_at) == (ahead, ahead + SECOND)


def test_dismissed_one_is_over_and_leaves_the_visit_alone(db):
    add_visit(db)
    before = visit_of(db)
    invitation = invited(db)
    dismissed = dismiss(db, invitation, NOW + SECOND)

    assert (dismissed.state, dismissed.closed_by) == ("dismissed", "visitor")
    assert dismissed.closed_at == NOW + SECOND
    assert reason_of(accept(db, invitation, NOW + SECOND)) is Reason.OVER
    assert mark_shown(db, invitation, NOW + SECOND) == dismissed
    assert visit_of(db) == before
    assert span_of(db, invitation) is None


def test_chat_cannot_be_dismissed(db):
    add_visit(db)
    conversation = opened(db)

    assert dismiss(db, conversation, NOW).state == "open"


def test_agent_takes_an_invitation_back(db):
    add_visit(db)
    taken_back = end(db, invited(db), ClosedBy.AGENT, NOW + SECOND)

    assert (taken_back.state, taken_back.closed_by) == ("expired", "agent")


def test_visitor_who_ends_an_invitation_dismisses_it(db):
    add_visit(db)

    assert end(db, invited(db), ClosedBy.VISITOR, NOW).state == "dismissed"


def test_agent_says_nothing_more_before_the_visitor_answers(db):
    add_visit(db)
    invitation = invited(db)

    assert reason_of(answer(db, invitation)) is Reason.INVITED
    assert reason_of(take_over(db, invitation, 2, NOW)) is Reason.INVITED


def test_answer_accepts(db):
    add_visit(db)
    invitation = invited(db)
    message = ask(db, invitation, now=NOW + SECOND)

    found = stored(db, invitation)
    assert (message.number, found.state, found.accepted_at) == (2, "open", NOW + SECOND)
    assert found.waiting_since == NOW + SECOND


def test_visitor_who_writes_first_answers_the_invitation(db):
    add_visit(db)
    invitation = invited(db)
    answered = open_it(db, tab="tab1")

    assert (answered.id, answered.state, answered.tab) == (invitation.id, "open", "tab1")


def test_visitor_of_another_tab_does_not_get_the_invitation(db):
    add_visit(db)
    invitation = invited(db)
    mark_delivered(db, 7, invitation.id, "tab1", NOW)

    other = open_it(db, tab="tab2")
    assert (other.id != invitation.id, other.tab, other.state) == (True, "tab2", "open")
    assert stored(db, invitation).state == "delivered"


@pytest.mark.parametrize("forward", [accept, dismiss, mark_shown])
def test_deleted_conversation_is_told(db, forward):
    add_visit(db)
    invitation = invited(db)
    forget_conversations(db, 7, ["visit"])

    assert reason_of(forward(db, invitation, NOW)) is Reason.NO_CONVERSATION
    mark_delivered(db, 7, invitation.id, "", NOW)


def test_rule_counts_each_of_its_invitations_once(db):
    add_sites(db, 7)
    rule, _ = (
        add_rule(db, 7, NOW + at, trigger="exit", text="Wait!", is_enabled=True)
        for at in (0 * SECOND, SECOND)
    )
    visits = ("shown", "accepted", "both", "both too", "neither")
    for visit_id in visits:
        add_visit(db, visit_id)
    given = {visit_id: invited(db, visit_id, rule_id=rule.id) for visit_id in visits}
    for _ in range(2):
        for visit_id in ("shown", "both", "both too"):
            mark_shown(db, given[visit_id], NOW)
        for visit_id in ("accepted", "both", "both too"):
            accept(db, given[visit_id], NOW)

    counts = [(each.shown_count, each.accepted_count) for each in list_rules(db, 7)]
    assert counts == [(4, 3), (0, 0)]

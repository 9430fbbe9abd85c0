"""The words for a conversation: its beginning, its state, its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.chat.answerers import answerers, may_answer
from core.chat.outcome import LEFT, end_text, outcome_text, steps_taken
from core.chat.phase import phase_of
from core.chat.states import ConversationState
from core.tables import Conversation

BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def conversation(**columns: Any) -> Conversation:
    known: dict[str, Any] = {
        "site_id": 1,
        "id": "a",
        "visit_id": "v",
        "token": "t",
        "opened_by": "agent",
        "state": "open",
        "created_at": BEGAN,
        "revision": 1,
    }
    return Conversation(**{**known, **columns})


@pytest.mark.parametrize(
    ("state", "phase", "text"),
    [
        ("queued", "invited", "Invitation queued"),
        ("delivered", "invited", "Invitation delivered"),
        ("shown", "invited", "Invitation shown"),
        ("open", "open", "Goes on"),
        ("left", "left", "Left a message"),
        ("dismissed", "over", "Dismissed"),
        ("expired", "over", "Expired"),
        ("ended", "over", "Ended"),
    ],
)
def test_each_state_has_its_phase_and_its_words(state: str, phase: str, text: str) -> None:
    assert phase_of(state) == phase
    assert outcome_text(state, "") == text


def test_no_state_is_without_a_phase() -> None:
    assert {phase_of(state).value for state in ConversationState} == {
        "invited",
        "open",
        "left",
        "over",
    }


@pytest.mark.parametrize(
    ("state", "closed_by", "short", "long"),
    [
        ("dismissed", "visitor", "Dismissed", "The visitor dismissed the invitation"),
        ("expired", "agent", "Expired", "The invitation was withdrawn"),
        ("expired", "silence", "Expired", "The invitation expired without an answer"),
        ("expired", "visit", "Expired", "The invitation expired without an answer"),
        ("ended", "visitor", "Ended by the visitor", "Ended by the visitor"),
        ("ended", "agent", "Ended by the agent", "Ended by Ann"),
        ("ended", "silence", "Ended by silence", "Ended after 20 minutes without a message"),
        ("ended", "visit", "Ended with the visit", "Ended with the visit"),
        (
            "ended",
            "consent",
            "Ended: consent withdrawn",
            "Ended because the visitor has withdrawn their consent",
        ),
        (
            "ended",
            "opt_out",
            "Ended: visitor opted out",
            "Ended because the visitor has opted out",
        ),
        (
            "expired",
            "opt_out",
            "Expired",
            "The invitation ended because the visitor has opted out",
        ),
        (
            "ended",
            "page",
            "Ended: visitor left the page",
            "Ended because the visitor has left the page, "
            "and their browser stores nothing to go on with",
        ),
        ("ended", "", "Ended", "Ended"),
        ("left", "", "Left a message", LEFT),
        ("open", "", "Goes on", ""),
        ("shown", "", "Invitation shown", ""),
    ],
)
def test_each_end_has_a_short_text_and_a_long_one(
    state: str, closed_by: str, short: str, long: str
) -> None:
    assert outcome_text(state, closed_by) == short
    assert end_text(conversation(state=state, closed_by=closed_by), "Ann") == long


def test_agent_without_a_name_ends_a_chat_namelessly() -> None:
    assert end_text(conversation(state="ended", closed_by="agent"), "") == "Ended"


@pytest.mark.parametrize(
    ("opened_by", "agent_name", "text"),
    [
        ("visitor", "Ann", "The visitor opened this chat"),
        ("rule", "Ann", "A rule invited this visitor"),
        ("agent", "Ann", "Invited by Ann"),
        ("agent", "", "Invited"),
    ],
)
def test_first_step_says_who_began(opened_by: str, agent_name: str, text: str) -> None:
    assert steps_taken(conversation(opened_by=opened_by), agent_name) == [(text, BEGAN)]


def test_steps_are_those_that_were_reached() -> None:
    shown_at, accepted_at = BEGAN + timedelta(seconds=5), BEGAN + timedelta(seconds=9)
    reached = conversation(shown_at=shown_at, accepted_at=accepted_at)
    assert steps_taken(reached, "Ann")[1:] == [("Shown", shown_at), ("Accepted", accepted_at)]


def test_chat_that_the_visitor_opened_has_one_step() -> None:
    assert len(steps_taken(conversation(opened_by="visitor", accepted_at=BEGAN), "")) == 1


def test_who_may_answer_is_everybody_until_somebody_has_the_conversation() -> None:
    assert answerers(conversation()) is None
    assert may_answer(conversation(), 7)
    assert answerers(conversation(agent_id=7)) == (7,)
    assert may_answer(conversation(agent_id=7), 7)
    assert not may_answer(conversation(agent_id=7), 8)

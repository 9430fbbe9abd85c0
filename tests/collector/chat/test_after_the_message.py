"""What a visitor adds to a conversation: an address for the answer, and a rating after the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.chat.looks import change_look
from core.database import writing
from core.moment import from_milliseconds
from tests.helpers.collector_chats import (
    TAB,
    VISIT,
    attend,
    offer_chat,
    open_chat,
    open_stream,
    say,
    state_of,
)
from tests.helpers.running_collector import view

ADDRESS = "ada@shop.example"


def stored(collector, token, *names):
    return collector.row(f"SELECT {', '.join(names)} FROM conversation WHERE token = :t", t=token)


def test_address_is_kept_and_told_to_the_visitors_other_tabs(collector):
    attend(collector)
    token = open_chat(collector)
    with open_stream(collector, token) as reader:
        assert reader.next()["e"] == ""
        assert collector.call("email", c=token, e=ADDRESS).status_code == 200
        assert reader.next()["e"] == ADDRESS
    assert collector.call("email", c=token, e="ada@tea.example").status_code == 200
    assert tuple(stored(collector, token, "email", "state")) == ("ada@tea.example", "open")


def test_message_is_left_with_its_address_in_one_call(collector):
    token = open_chat(collector, "Please write to me", e=ADDRESS)
    assert tuple(stored(collector, token, "email", "state")) == (ADDRESS, "left")
    again = collector.call(
        "open", s=VISIT, t=TAB, n="visitor0001", x="Please write to me", e=ADDRESS
    )
    assert again.json()["c"] == token


def test_left_message_can_be_given_its_address_afterwards(collector):
    token = open_chat(collector)
    assert state_of(collector, token) == "left"
    assert collector.call("email", c=token, e=ADDRESS).status_code == 200
    assert stored(collector, token, "email")[0] == ADDRESS


def test_first_rating_and_first_reason_hold(collector):
    agent = attend(collector)
    token = open_chat(collector)
    say(collector, agent, token, "Hello")
    early = collector.call("rate", c=token, g="good")
    assert (early.status_code, early.headers["X-Drop-Reason"]) == (409, "chatting")
    collector.call("end", c=token)
    for fields in ({"g": "bad"}, {"g": "good", "x": "Too \u202eslow\n"}, {"g": "bad", "x": "No"}):
        assert collector.call("rate", c=token, **fields).status_code == 200
    assert tuple(stored(collector, token, "rating", "rating_text")) == ("bad", "Too slow")


def test_left_message_is_not_rated(collector):
    token = open_chat(collector)
    refused = collector.call("rate", c=token, g="good")
    assert (refused.status_code, refused.headers["X-Drop-Reason"]) == (410, "over")


@pytest.mark.parametrize(("from_now", "state", "button"), [(-1, "open", 1), (+1, "left", 2)])
def test_outside_business_hours_the_button_takes_a_message(collector, from_now, state, button):
    """An agent is there; the hours of each day begin a minute before now, or after."""
    attend(collector)
    offer_chat(collector)
    now = from_milliseconds(collector.clock.now)
    begins = now + timedelta(minutes=from_now)
    minute = begins.hour * 60 + begins.minute
    with writing(collector.engine) as db:
        change_look(db, 1, hours=[(minute, minute + 2)] * 7)
    collector.refresh_sites()
    answer = collector.post(view(), visit=VISIT)
    assert answer.json()["c"]["b"] == button
    token = open_chat(collector, s=VISIT)
    assert state_of(collector, token) == state

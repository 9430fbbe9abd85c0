"""What a beacon's answer brings for the chat, and when the next beacon should come."""

from __future__ import annotations

from typing import Any

import pytest

from collector.writing import write_queue
from core.agents import change_agent
from core.chat.blocks import block
from core.chat.rules import add_rule, list_rules
from core.chat.store import find_by_token
from core.database import writing
from core.tables import ChatRule
from tests.helpers.collector_chats import (
    TAB,
    VISIT,
    attend,
    moment,
    offer_chat,
    open_chat,
    open_stream,
    refresh,
    say,
    send_invitation,
    state_of,
    stay,
)
from tests.helpers.running_collector import MINUTE, SECOND, view, wait_for

OTHER = "z1b2c3d4e5f6g7h8"
NEXT = "tab00002"
PRIVATE = {"Sec-GPC": "1"}


def presence(number: int, **fields: Any) -> dict[str, Any]:
    return {"e": "p", "n": number, "u": "/", **fields}


def offer(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json().get("c")


def add(collector: Any, **values: Any) -> ChatRule:
    """A rule that the collector knows."""
    columns: Any = {"page_context": "", "text": "May I help?", "is_enabled": True} | values
    with writing(collector.engine) as db:
        rule = add_rule(db, 1, moment(collector), **columns)
    refresh(collector)
    return rule


def said(update: dict[str, Any]) -> list[str]:
    return [message["x"] for message in update["m"]]


def invited(collector: Any, visit: str = VISIT) -> bool:
    """Whether the visit has been invited; all that was queued before this call is committed."""
    collector.call("open", s="nobody0000000001", t=TAB, n="visitor0001", x="after the others")
    return bool(collector.rows("SELECT id FROM conversation WHERE visit_id = :v", v=visit))


def test_without_an_agent_an_answer_has_no_offer(collector):
    answer = collector.post(view())
    assert set(answer.json()) <= {"s", "i", "z", "l"}
    assert answer.json()["i"] == 20


def test_invitation_comes_with_every_answer_until_it_was_shown(collector):
    agent = attend(collector)
    assert offer(collector.post(view())) is None
    made = send_invitation(collector, agent, "May I help?")
    expected = {"t": "invite", "k": made.token, "from": "Ann", "text": "May I help?"}
    assert offer(collector.post(presence(2))) == expected
    wait_for(lambda: state_of(collector, made.token) == "delivered")
    assert offer(collector.post(presence(3))) == expected
    assert offer(collector.post(presence(1), tab="tab00002")) == expected
    assert offer(collector.post(view(), visit=OTHER)) is None
    collector.call("shown", c=made.token)
    wait_for(lambda: offer(collector.post(presence(4))) is None)
    times = "SELECT delivered_at, shown_at FROM conversation"
    assert collector.row(times) == (collector.clock.now, collector.clock.now)


@pytest.mark.parametrize("action", ["accept", "dismiss", "end", "send"])
def test_invitation_that_was_answered_is_offered_no_more(collector, action):
    agent = attend(collector)
    collector.post(view())
    made = send_invitation(collector, agent)
    assert offer(collector.post(presence(2)))["k"] == made.token
    assert collector.call(action, c=made.token, n="visitor0001", x="Yes").status_code == 200
    wait_for(lambda: offer(collector.post(presence(3))) is None)


def test_invitation_that_expired_is_offered_no_more(quick_closing, collector):
    agent = attend(collector)
    collector.post(view())
    made = send_invitation(collector, agent)
    collector.clock.advance(5 * MINUTE)
    wait_for(lambda: state_of(collector, made.token) == "expired")
    wait_for(lambda: offer(collector.post(presence(2, a=0))) is None)


def test_invitation_waits_over_a_restart(run_collector, sqlite_url):
    first = run_collector(sqlite_url)
    agent = attend(first)
    first.post(view())
    made = send_invitation(first, agent, "May I help?")
    second = run_collector(sqlite_url)
    offered = offer(second.post(presence(2)))
    assert (offered["k"], offered["text"], offered["from"]) == (made.token, "May I help?", "Ann")


def test_invitation_reaches_visits_of_the_other_collector(run_collector, postgres_url):
    one, two = run_collector(postgres_url), run_collector(postgres_url)
    agent = attend(one)
    one.post(view())
    made = send_invitation(one, agent)
    wait_for(lambda: offer(two.post(presence(2))))
    assert offer(two.post(presence(3)))["k"] == made.token


@pytest.mark.parametrize(("visit", "headers"), [("", {}), (VISIT, PRIVATE)])
def test_visit_that_several_may_share_is_invited_in_one_tab(collector, visit, headers):
    agent = attend(collector)
    derived = collector.post(view(), visit=visit, headers=headers).json()["s"]
    made = send_invitation(collector, agent, visit=derived)

    def ask(number: int, tab: str) -> Any:
        return offer(collector.post(presence(number), visit=visit, tab=tab, headers=headers))

    assert ask(1, "tab00002")["k"] == made.token
    assert ask(2, TAB) is None
    assert ask(2, "tab00002")["k"] == made.token
    assert ask(3, TAB) is None
    assert collector.row("SELECT tab, state FROM conversation") == ("tab00002", "delivered")


def test_tab_that_two_collectors_choose_is_one(run_collector, postgres_url):
    one, two = run_collector(postgres_url), run_collector(postgres_url)
    agent = attend(one)
    derived = one.post(view(), visit="").json()["s"]
    made = send_invitation(one, agent, visit=derived)
    wait_for(lambda: two.app.beacon.offers.waiting.find(1, derived))
    assert offer(one.post(presence(1), visit="", tab="tab00001"))["k"] == made.token
    assert offer(two.post(presence(1), visit="", tab="tab00002")) is None


def test_visitor_without_storage_opens_a_chat_in_the_derived_visit(collector):
    offer_chat(collector)
    attend(collector)
    derived = collector.post(view(), visit="").json()["s"]
    answer = collector.call("open", s="", t=TAB, n="visitor0001", x="Hello")
    assert answer.status_code == 200
    assert collector.row("SELECT visit_id, tab FROM conversation") == (derived, TAB)
    again = collector.call("open", s="", t=TAB, n="visitor0002", x="Hello")
    assert (again.status_code, again.headers["X-Drop-Reason"]) == (409, "chatting")


def test_two_visitors_behind_one_address_have_each_their_own_chat(collector):
    """Their browsers store nothing, so they are one visit: neither may see what the other says."""
    offer_chat(collector)
    agent = attend(collector)
    shared = {collector.post(view(), visit="", tab=tab).json()["s"] for tab in (TAB, NEXT)}
    assert len(shared) == 1
    one = collector.call("open", s="", t=TAB, n="visitor0001", x="From the one").json()["c"]
    assert offer(collector.post(presence(2), visit="", tab=NEXT)) == {"t": "site", "b": 1}
    # Even one who knows the other's id of the message is given a conversation of their own.
    other = collector.call("open", s="", t=NEXT, n="visitor0001", x="From the other").json()["c"]
    assert one != other
    say(collector, agent, other, "To the other")
    with open_stream(collector, one) as first, open_stream(collector, other) as second:
        assert said(first.next()) == ["From the one"]
        assert said(second.next()) == ["From the other", "To the other"]
        say(collector, agent, one, "To the one")
        assert said(first.next()) == ["To the one"]
        collector.call("send", c=other, n="visitor0002", x="Thank you")
        assert said(second.next()) == ["Thank you"]
    chatting = "SELECT chat_source FROM visit"
    collector.call("end", c=one)
    assert collector.row(chatting) == ("built_in",)
    collector.call("end", c=other)
    assert collector.row(chatting) == ("",)


def test_invitation_of_one_is_no_hindrance_for_the_other_behind_the_address(collector):
    offer_chat(collector)
    agent = attend(collector)
    derived = collector.post(view(), visit="").json()["s"]
    made = send_invitation(collector, agent, visit=derived)
    assert offer(collector.post(presence(2), visit=""))["k"] == made.token
    assert offer(collector.post(view(), visit="", tab=NEXT)) == {"t": "site", "b": 1}
    other = collector.call("open", s="", t=NEXT, n="visitor0001", x="Hello").json()["c"]
    assert other != made.token
    collector.call("accept", c=made.token)
    assert state_of(collector, made.token) == state_of(collector, other) == "open"


def test_blocked_visitor_is_offered_no_button_and_opens_no_chat(run_collector, database_url):
    collector = run_collector(database_url)
    offer_chat(collector)
    agent = attend(collector)
    collector.post(view())
    assert offer(collector.post(presence(2))) == {"t": "site", "b": 1}
    token = open_chat(collector, "Rude words")
    with writing(collector.engine) as db:
        chat = find_by_token(db, 1, token)
        assert chat is not None
        block(db, chat, agent.id or 0, moment(collector))
    refresh(collector)
    assert state_of(collector, token) == "ended"
    assert offer(collector.post(presence(3))) is None
    again = collector.call("open", s=VISIT, t=TAB, n="visitor0009", x="More")
    assert (again.status_code, again.headers["X-Drop-Reason"]) == (409, "not_offered")
    assert offer(collector.post(view(), visit=OTHER)) == {"t": "site", "b": 1}


def test_site_that_wants_a_button_has_one_while_an_agent_is_there(collector):
    offer_chat(collector)
    assert offer(collector.post(view())) == {"t": "site", "b": 2}
    agent = attend(collector)
    assert offer(collector.post(presence(2))) == {"t": "site", "b": 1}
    with writing(collector.engine) as db:
        change_agent(db, agent.id or 0, is_available=False)
    refresh(collector)
    assert offer(collector.post(presence(3))) == {"t": "site", "b": 2}
    assert offer(collector.post(view(), site="open", visit=OTHER)) is None


def test_visit_that_is_chatting_is_offered_nothing(collector):
    offer_chat(collector)
    attend(collector)
    open_chat(collector)
    assert offer(collector.post(presence(2))) is None


@pytest.mark.parametrize(("waited", "is_invited"), [(29, False), (30, True), (31, True)])
def test_rule_invites_after_its_seconds(collector, waited, is_invited):
    agent = attend(collector)
    rule = add(collector, trigger="seconds", threshold=30, page_context="Cart")
    collector.post(view(1, "/cart"))
    collector.clock.advance(waited * SECOND)
    stay(collector, agent)
    offered = offer(collector.post(presence(2, u="/cart")))
    assert bool(offered) == is_invited
    if is_invited:
        sql = "SELECT token, opened_by, rule_id, agent_id, state FROM conversation"
        expected = (offered["k"], "rule", rule.id, agent.id, "delivered")
        assert collector.row(sql) == expected
        wait_for(lambda: offer(collector.post(presence(3, u="/cart"))) == offered)


@pytest.mark.parametrize(
    ("waited", "seconds"), [(0, 20), (26.4, 4), (27.9, 3), (29.9, 3), (30, 20)]
)
def test_presence_comes_when_a_rule_falls_due(collector, waited, seconds):
    agent = attend(collector)
    add(collector, trigger="seconds", threshold=30, page_context="Cart")
    collector.post(view(1, "/cart"))
    collector.clock.advance(int(waited * SECOND))
    stay(collector, agent)
    assert collector.post(presence(2, u="/cart")).json()["i"] == seconds
    assert collector.post(view(1, "/"), visit=OTHER).json()["i"] == 20


def test_page_that_is_left_takes_no_invitation(collector):
    """It reads no answer: the next page asks."""
    agent = attend(collector)
    collector.post(view(1, "/", z=""), headers=PRIVATE)
    [shared] = collector.rows("SELECT id FROM visit")
    send_invitation(collector, agent, "May I help?", visit=shared[0])
    assert offer(collector.post(presence(2) | {"e": "h"}, headers=PRIVATE)) is None
    brought = offer(collector.post(view(1, "/next"), tab=NEXT, headers=PRIVATE))
    assert brought and brought["text"] == "May I help?"

    add(collector, trigger="pages", threshold=1)
    leaving = [view(1, "/"), presence(2) | {"e": "h"}]
    assert offer(collector.post(*leaving, visit=OTHER)) is None
    assert offer(collector.post(presence(3), visit=OTHER))["text"] == "May I help?"


def test_invitation_that_waits_hastens_no_beacon_for_the_next_rule(collector):
    agent = attend(collector)
    add(collector, trigger="seconds", threshold=30)
    collector.post(view())
    collector.clock.advance(28 * SECOND)
    stay(collector, agent)
    assert collector.post(presence(2)).json()["i"] == 3
    send_invitation(collector, agent, "May I help?")
    assert collector.post(presence(3)).json()["i"] == 20


def test_first_of_several_rules_that_are_due_invites(collector):
    attend(collector)
    add(collector, trigger="pages", threshold=1, daily_cap=1, text="Once a day")
    collector.clock.advance(1)
    add(collector, trigger="pages", threshold=1, text="Always")
    assert offer(collector.post(view(), visit=OTHER))["text"] == "Once a day"
    assert offer(collector.post(view()))["text"] == "Always"


def test_rule_counts_the_seconds_in_its_context_only(collector):
    agent = attend(collector)
    add(collector, trigger="seconds", threshold=30, page_context="Cart")
    collector.post(view(1, "/"))
    collector.clock.advance(40 * SECOND)
    collector.post(view(2, "/cart"))
    collector.clock.advance(20 * SECOND)
    stay(collector, agent)
    collector.post(presence(3, u="/cart"))
    assert not invited(collector)
    collector.clock.advance(10 * SECOND)
    collector.post(presence(4, u="/cart"))
    assert invited(collector)


def test_rule_invites_on_its_page_up_to_the_days_cap(collector):
    attend(collector)
    add(collector, trigger="pages", threshold=2, daily_cap=1)
    assert offer(collector.post(view(1))) is None
    assert not invited(collector)
    assert offer(collector.post(view(2)))["text"] == "May I help?"
    assert invited(collector)
    collector.post(view(1), visit=OTHER)
    collector.post(view(2), visit=OTHER)
    assert not invited(collector, OTHER)


def test_rule_invites_on_a_later_page_when_its_own_came_in_one_beacon(collector):
    attend(collector)
    add(collector, trigger="pages", threshold=2)
    collector.post(view(1), view(2), view(3))
    assert invited(collector)


def test_rule_invites_a_visit_once(collector):
    agent = attend(collector)
    add(collector, trigger="pages", threshold=1)
    collector.post(view(1))
    assert invited(collector)
    (token,) = collector.row("SELECT token FROM conversation")
    collector.call("dismiss", c=token)
    add(collector, trigger="seconds", threshold=1)
    collector.clock.advance(10 * SECOND)
    stay(collector, agent)
    collector.post(presence(2))
    assert invited(collector)
    assert collector.row("SELECT count(*) FROM conversation") == (1,)


@pytest.mark.parametrize(
    ("quiet_from", "quiet_until", "is_invited"),
    [(12 * 60, 12 * 60 + 1, False), (11 * 60, 12 * 60, True), (22 * 60, 21 * 60, False)],
)
def test_rule_keeps_its_quiet_hours(collector, quiet_from, quiet_until, is_invited):
    attend(collector)
    add(
        collector,
        trigger="pages",
        threshold=1,
        quiet_from=quiet_from,
        quiet_until=quiet_until,
    )
    collector.post(view(1))
    assert invited(collector) == is_invited


def test_quiet_hours_that_end_are_no_reason_to_be_silent_for_ever(collector):
    agent = attend(collector)
    add(collector, trigger="seconds", threshold=1, quiet_from=719, quiet_until=721)
    collector.post(view(1))
    collector.clock.advance(30 * SECOND)
    collector.post(presence(2))
    assert not invited(collector)
    collector.clock.advance(30 * SECOND)
    stay(collector, agent)
    collector.post(presence(3))
    assert invited(collector)


def test_rule_invites_only_while_an_agent_is_available(collector):
    add(collector, trigger="pages", threshold=1)
    collector.post(view(1))
    assert not invited(collector)
    agent = attend(collector)
    with writing(collector.engine) as db:
        change_agent(db, agent.id or 0, is_available=False)
    refresh(collector)
    collector.post(view(1), visit=OTHER)
    assert not invited(collector, OTHER)


def test_rule_that_is_off_does_nothing(collector):
    attend(collector)
    add(collector, trigger="pages", threshold=1, is_enabled=False)
    collector.post(view(1))
    assert not invited(collector)


def test_exit_rule_is_offered_in_its_context_and_invites_on_request(collector):
    attend(collector)
    rule = add(collector, trigger="exit", page_context="Cart", text="Wait!")
    assert offer(collector.post(view(1, "/"))) is None
    assert offer(collector.post(view(2, "/cart"))) == {"t": "site", "r": rule.id}
    assert not invited(collector)
    offered = collector.call("open", s=VISIT, t=TAB, r=rule.id)
    assert offered.status_code == 200
    (token,) = collector.row("SELECT token FROM conversation")
    assert offered.json() == {"t": "invite", "k": token, "from": "Ann", "text": "Wait!"}
    assert state_of(collector, token) == "delivered"
    again = collector.call("open", s=VISIT, t=TAB, r=rule.id)
    assert (again.status_code, again.headers["X-Drop-Reason"]) == (204, "not_now")


def test_exit_invitation_of_a_shared_visit_stays_in_its_tab(collector):
    attend(collector)
    rule = add(collector, trigger="exit")
    collector.post(view(), visit="")
    assert collector.call("open", s="", t=TAB, r=rule.id).status_code == 200
    (token,) = collector.row("SELECT token FROM conversation")
    board = collector.app.beacon.offers.waiting
    wait_for(lambda: board.find(1, collector.row("SELECT id FROM visit")[0]))
    assert "k" not in offer(collector.post(presence(1), visit="", tab="tab00002"))
    assert offer(collector.post(presence(2), visit=""))["k"] == token


def test_rules_invitation_of_a_shared_visit_stays_in_the_tab_that_made_it_due(collector):
    attend(collector)
    add(collector, trigger="pages", threshold=2)
    collector.post(view(1), visit="", tab="tab00002")
    made = offer(collector.post(view(1), visit=""))
    waiting = collector.app.beacon.offers.waiting
    wait_for(lambda: waiting.find(1, collector.row("SELECT id FROM visit")[0]))
    assert offer(collector.post(presence(2), visit="", tab="tab00002")) is None
    assert offer(collector.post(presence(2), visit="")) == made


@pytest.mark.parametrize("trigger", ["seconds", "pages"])
def test_only_an_exit_rule_is_opened_by_a_browser(collector, trigger):
    attend(collector)
    rule = add(collector, trigger=trigger, threshold=50)
    collector.post(view())
    answer = collector.call("open", s=VISIT, t=TAB, r=rule.id)
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (204, "not_now")


def test_rule_counts_what_was_shown_and_accepted(collector):
    attend(collector)
    rule = add(collector, trigger="exit")
    collector.post(view())
    token = collector.call("open", s=VISIT, t=TAB, r=rule.id).json()["k"]
    collector.call("shown", c=token)
    collector.call("accept", c=token)
    with writing(collector.engine) as db:
        (found,) = list_rules(db, 1)
    assert (found.shown_count, found.accepted_count) == (1, 1)


def test_beacons_come_as_often_while_an_agent_watches(collector):
    assert collector.post(view()).json()["i"] == 20
    attend(collector)
    assert collector.post(presence(2)).json()["i"] == 20


@pytest.mark.parametrize(("full", "interval"), [(0.12, 20), (0.13, 40), (0.26, 60)])
def test_beacons_come_less_often_under_load(collector, monkeypatch, full, interval):
    attend(collector)
    depth = property(lambda _: int(full * write_queue.MOST_HITS))
    monkeypatch.setattr(write_queue.WriteQueue, "depth", depth)
    assert collector.post(view()).json()["i"] == interval

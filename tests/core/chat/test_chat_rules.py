"""Rules: when a site invites by itself, and when it does not."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from core.accounts.accounts import limit_account, set_account
from core.accounts.identity import Role
from core.agents import change_agent
from core.chat.rules import LONGEST_WAIT, all_rules, delete_rule, is_due, is_quiet, list_rules
from core.chat.states import ClosedBy
from core.chat.templates import ChatSettingsError
from core.reasons import Reason
from core.tables import ChatRule, Site
from tests.helpers.chat_rows import (
    INSTANT,
    MINUTE,
    NOW,
    add_agent,
    add_rule,
    add_sites,
    add_visit,
    change_rule,
    end,
    invited,
    open_by_rule,
    opened,
    reason_of,
)

BERLIN = Site(id=7, key="shop", name="Shop", time_zone="Europe/Berlin", created_at=NOW)


@pytest.fixture
def db(db):
    """With the sites 7 and 8."""
    add_sites(db, 7, 8)
    return db


def rule_of(**columns):
    return ChatRule(
        **{
            "site_id": 7,
            "id": "r",
            "trigger": "seconds",
            "threshold": 30,
            "page_context": "Cart",
            "text": "Hi",
            "is_enabled": True,
            "daily_cap": 5,
            "created_at": NOW,
            **columns,
        }
    )


def a_rule(db, **values):
    return add_rule(db, 7, NOW, **{"trigger": "exit", "text": "Wait", "is_enabled": True, **values})


def fire(db, rule, visit_id="visit", now=NOW):
    return open_by_rule(db, rule.id, site=BERLIN, visit_id=visit_id, now=now)


@pytest.mark.parametrize(
    ("columns", "visit", "due"),
    [
        ({}, {"context_seconds": 29.999}, False),
        ({}, {"context_seconds": 30}, True),
        ({}, {"context_seconds": 31}, True),
        ({}, {"context_seconds": 31, "page_context": "Product"}, False),
        ({"page_context": ""}, {"context_seconds": 31, "page_context": "Product"}, True),
        ({"is_enabled": False}, {"context_seconds": 31}, False),
        ({"trigger": "pages", "threshold": 3}, {"page_count": 2}, False),
        ({"trigger": "pages", "threshold": 3}, {"page_count": 3}, True),
        ({"trigger": "pages", "threshold": 3}, {"page_count": 4}, True),
        ({"trigger": "exit", "threshold": 0}, {}, True),
        ({"trigger": "exit", "threshold": 0}, {"page_context": ""}, False),
    ],
)
def test_rule_is_due(columns, visit, due):
    visit = {"page_context": "Cart", "context_seconds": 0, "page_count": 1, **visit}

    assert is_due(rule_of(**columns), **visit) is due


@pytest.mark.parametrize(
    ("hours", "clock", "quiet"),
    [
        (("22:00", "08:00"), "21:59", False),
        (("22:00", "08:00"), "22:00", True),
        (("22:00", "08:00"), "00:00", True),
        (("22:00", "08:00"), "07:59", True),
        (("22:00", "08:00"), "08:00", False),
        (("12:00", "13:00"), "11:59", False),
        (("12:00", "13:00"), "12:00", True),
        (("12:00", "13:00"), "12:59", True),
        (("12:00", "13:00"), "13:00", False),
        (("12:00", "12:00"), "12:00", False),
        (("00:00", "00:00"), "00:00", False),
    ],
)
def test_quiet_hours_are_the_sites_own(hours, clock, quiet):
    quiet_from, quiet_until = (int(at[:2]) * 60 + int(at[3:]) for at in hours)
    rule = rule_of(quiet_from=quiet_from, quiet_until=quiet_until)
    local = datetime.fromisoformat(f"2026-11-22T{clock}:59+01:00")

    assert is_quiet(rule, "Europe/Berlin", local.astimezone(UTC)) is quiet


def test_rule_invites_in_the_name_of_who_has_the_fewest_chats(db):
    busy, idle, away = (add_agent(db, name, NOW) for name in ("Ann", "Bob", "Eve"))
    change_agent(db, away.id, is_available=False)
    for number in range(2):
        add_visit(db, f"busy{number}")
        opened(db, f"busy{number}", agent_id=busy.id)
    add_visit(db)
    rule = a_rule(db)
    invitation = fire(db, rule)

    assert (invitation.state, invitation.opened_by) == ("queued", "rule")
    assert (invitation.rule_id, invitation.agent_id) == (rule.id, idle.id)


def test_rule_invites_in_the_name_of_nobody_who_may_not_answer_there(db):
    elsewhere, looker, ann = (add_agent(db, name, NOW) for name in ("Bob", "Eve", "Ann"))
    for agent, role in ((elsewhere, Role.AGENT), (looker, Role.VIEWER), (ann, Role.AGENT)):
        set_account(db, agent.id, email=f"{agent.name}@shop.example", role=role)
    limit_account(db, elsewhere.id, [8])
    limit_account(db, ann.id, [7])
    add_visit(db)

    assert fire(db, a_rule(db)).agent_id == ann.id


def test_chats_that_are_over_keep_no_agent_busy(db):
    ann, bob = (add_agent(db, name, NOW) for name in ("Ann", "Bob"))
    for number in range(2):
        add_visit(db, f"over{number}")
        end(db, opened(db, f"over{number}", agent_id=ann.id), ClosedBy.AGENT, NOW)
    add_visit(db, "busy")
    opened(db, "busy", agent_id=bob.id)
    add_visit(db)

    assert fire(db, a_rule(db)).agent_id == ann.id


def test_what_becomes_of_a_rule_touches_no_other(db):
    add_agent(db, "Ann", NOW)
    for visit_id in ("one", "two", "three"):
        add_visit(db, visit_id)
    add_visit(db, "two", site_id=8)
    invited(db, "two", site_id=8)
    first, second = (a_rule(db, text=text, daily_cap=1) for text in ("One", "Two"))
    fire(db, first, "one")

    assert reason_of(fire(db, first, "two")) is Reason.NOT_NOW
    assert fire(db, second, "two").rule_id == second.id
    change_rule(db, 7, first.id, text="Uno")
    assert sorted(rule.text for rule in list_rules(db, 7)) == ["Two", "Uno"]
    delete_rule(db, 7, first.id)
    assert [rule.id for rule in list_rules(db, 7)] == [second.id]


@pytest.mark.parametrize("why", ["nobody here", "off", "deleted", "quiet", "had one", "cap"])
def test_rule_does_not_invite_when_it_must_not(db, why):
    agent = add_agent(db, "Ann", NOW)
    add_visit(db)
    add_visit(db, "other")
    rule = a_rule(db, daily_cap=1)
    if why == "nobody here":
        change_agent(db, agent.id, is_available=False)
    elif why == "off":
        change_rule(db, 7, rule.id, is_enabled=False)
    elif why == "deleted":
        delete_rule(db, 7, rule.id)
    elif why == "quiet":
        change_rule(db, 7, rule.id, quiet_from=13 * 60, quiet_until=14 * 60)
    elif why == "had one":
        end(db, invited(db), ClosedBy.VISITOR, NOW)
    elif why == "cap":
        fire(db, rule, "other")

    assert reason_of(fire(db, rule)) is Reason.NOT_NOW


# Berlin's clock is put back on 2026-10-25: its day lasts 25 hours, from 22:00 UTC to 23:00 UTC.
@pytest.mark.parametrize(
    ("sent_at", "now", "is_capped"),
    [
        ("2026-10-24T22:00:00+00:00", "2026-10-25T22:59:59.999+00:00", True),
        ("2026-10-24T22:00:00+00:00", "2026-10-25T23:00:00+00:00", False),
        ("2026-10-24T21:59:59.999+00:00", "2026-10-24T22:00:00+00:00", False),
        ("2026-11-22T11:00:00+00:00", "2026-11-22T22:59:59.999+00:00", True),
        ("2026-11-22T11:00:00+00:00", "2026-11-22T23:00:00+00:00", False),
    ],
)
def test_daily_cap_is_of_the_local_day(db, sent_at, now, is_capped):
    sent_at, now = datetime.fromisoformat(sent_at), datetime.fromisoformat(now)
    rule = a_rule(db, daily_cap=1)
    for visit_id, at in (("first", sent_at), ("second", now)):
        add_visit(db, visit_id, started_at=at, last_activity_at=at)
    invited(db, "first", sent_at, rule_id=rule.id)
    add_agent(db, "Ann", now)

    given = fire(db, rule, "second", now)
    assert (given.reason if is_capped else given.state) == ("not_now" if is_capped else "queued")


def test_rule_of_a_visit_that_is_over_or_chatting_elsewhere_is_refused(db):
    add_agent(db, "Ann", NOW)
    add_visit(db, "over", last_activity_at=NOW - 30 * MINUTE)
    add_visit(db, "chats", chat_source="third_party", chat_message_at=NOW)
    rule = a_rule(db)

    assert reason_of(fire(db, rule, "over")) is Reason.NO_VISIT
    assert reason_of(fire(db, rule, "chats")) is Reason.CHATTING


def test_rules_are_listed_in_the_order_in_which_they_came(db):
    first = add_rule(db, 7, NOW, trigger="pages", threshold=2, text="One")
    second = add_rule(db, 7, NOW + INSTANT, trigger="exit", threshold=9, text="Two")
    other = add_rule(db, 8, NOW, trigger="exit", text="Other")

    assert list_rules(db, 7) == [first, second]
    assert all_rules(db) == [first, second, other]
    assert (first.is_enabled, first.daily_cap, second.threshold) == (False, 50, 0)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"text": " "}, "no text"),
        ({"trigger": "often"}, "'often' is not known"),
        ({"page_context": "Basket"}, "'Basket' is not known"),
        ({"threshold": 0}, "write 1 to 1,800"),
        ({"threshold": LONGEST_WAIT + 1}, "1801 cannot be used"),
        ({"trigger": "pages", "threshold": 101}, "write 1 to 100"),
        ({"daily_cap": 0}, "daily cap 0"),
        ({"daily_cap": 10_001}, "write 1 to 10,000"),
        ({"quiet_from": 1_440}, "quiet hours"),
        ({"quiet_until": -1}, "quiet hours"),
    ],
)
def test_rule_of_no_use_is_refused_in_words(db, values, words):
    rule = add_rule(db, 7, NOW, trigger="seconds", threshold=LONGEST_WAIT, text="Hi")
    with pytest.raises(ChatSettingsError, match=words):
        change_rule(db, 7, rule.id, **values)
    with pytest.raises(ChatSettingsError, match=words):
        add_rule(db, 7, NOW, **{"trigger": "seconds", "threshold": 1, "text": "Hi", **values})

    assert list_rules(db, 7) == [rule]


def test_changing_a_rule_keeps_its_counts(db):
    db.execute(insert(ChatRule).values(**rule_of(shown_count=3, accepted_count=1).model_dump()))

    changed = change_rule(db, 7, "r", text="Hello", is_enabled=False)
    assert list_rules(db, 7) == [changed]
    assert (changed.text, changed.shown_count, changed.accepted_count) == ("Hello", 3, 1)


def test_rule_that_is_gone_is_refused(db):
    rule = a_rule(db)
    delete_rule(db, 7, rule.id)
    delete_rule(db, 7, rule.id)
    with pytest.raises(ChatSettingsError, match="deleted"):
        change_rule(db, 7, rule.id, text="Hi")


def test_there_is_an_end_of_rules(db, monkeypatch):
    monkeypatch.setattr("core.chat.rules.MAX_RULES", 3)
    for _ in range(3):
        a_rule(db)
    with pytest.raises(ChatSettingsError, match="delete one"):
        a_rule(db)

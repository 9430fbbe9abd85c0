"""A visitor who is blocked begins no chat, until the block is lifted or the visit is forgotten."""

import pytest

from core.chat import blocks
from core.chat.blocks import all_blocked, block, is_blocked, lift_block, list_blocks
from core.chat.rating import Rating, rate
from core.chat.retention import forget_conversations
from core.chat.states import ClosedBy
from core.reasons import Reason
from core.tables import Site
from tests.helpers.chat_rows import (
    MINUTE,
    NOW,
    SECOND,
    add_rule,
    add_sites,
    add_visit,
    agent,
    end,
    invite,
    invited,
    open_by_rule,
    open_it,
    opened,
    reason_of,
    stored,
    visit_of,
)

SHOP = Site(id=7, key="shop", name="Shop", time_zone="UTC", created_at=NOW)


@pytest.fixture
def db(db):
    """With the sites 7 and 8."""
    add_sites(db, 7, 8)
    return db


def test_chat_with_a_blocked_visitor_ends_and_they_begin_no_other(db):
    add_visit(db)
    chat = opened(db)

    assert block(db, chat, 1, NOW + SECOND)
    found = stored(db, chat)
    assert (found.state, found.closed_by) == ("ended", ClosedBy.AGENT)
    assert visit_of(db).chat_source == ""
    assert reason_of(open_it(db, now=NOW + SECOND)) is Reason.NOT_OFFERED


def test_blocked_visitor_rates_nothing(db):
    add_visit(db)
    chat = opened(db)
    block(db, chat, 1, NOW)

    assert reason_of(rate(db, stored(db, chat), Rating.BAD, "Rude", NOW)) is Reason.NOT_OFFERED
    lift_block(db, 7, list_blocks(db, 7)[0].id)
    rate(db, stored(db, chat), Rating.GOOD, "", NOW)
    assert stored(db, chat).rating == "good"


def test_invitation_of_a_blocked_visitor_is_withdrawn(db):
    add_visit(db)
    invitation = invited(db)
    block(db, invitation, 1, NOW)

    assert (stored(db, invitation).state, stored(db, invitation).closed_by) == ("expired", "agent")


def test_visit_is_blocked_and_no_other_where_visitors_are_not_remembered(db):
    add_visit(db)
    add_visit(db, "other")
    add_visit(db, site_id=8)
    block(db, opened(db), 1, NOW)

    assert is_blocked(db, 7, "visit", "")
    assert not is_blocked(db, 7, "other", "")
    assert not is_blocked(db, 8, "visit", "")
    assert open_it(db, "other").state == "open"


def test_remembered_visitor_is_blocked_in_every_visit(db):
    add_visit(db, visitor_id="ada")
    add_visit(db, "later", visitor_id="ada")
    add_visit(db, "past", visitor_id="ada", last_activity_at=NOW - 30 * MINUTE)
    add_visit(db, "ben", visitor_id="ben")
    block(db, opened(db), 1, NOW)

    assert reason_of(open_it(db, "later")) is Reason.NOT_OFFERED
    assert open_it(db, "ben").state == "open"
    blocked = all_blocked(db, NOW)
    assert blocked.visits == {(7, "visit"), (7, "later")}
    assert blocked.has(7, "new", "ada")
    assert not blocked.has(7, "new", "")
    assert not blocked.has(8, "new", "ada")


def test_no_rule_invites_who_is_blocked_but_an_agent_may(db):
    add_visit(db)
    add_visit(db, "later", visitor_id="ada")
    agent(db)
    add_visit(db, "first", visitor_id="ada")
    block(db, opened(db, "first"), 1, NOW)
    rule = add_rule(db, 7, NOW, trigger="exit", text="Wait", is_enabled=True)

    def by_rule(visit_id):
        return open_by_rule(db, rule.id, site=SHOP, visit_id=visit_id, now=NOW)

    assert reason_of(by_rule("later")) is Reason.NOT_NOW
    assert by_rule("visit").state == "queued"
    asked = invite(db, site_id=7, visit_id="later", agent_id=1, text="Sorry!", now=NOW)
    assert open_it(db, "later").id == asked.id


def test_block_after_the_chat_is_told_to_who_follows_the_chats(db):
    add_visit(db)
    chat = opened(db)
    end(db, chat, ClosedBy.VISITOR, NOW)
    over = stored(db, chat)

    block(db, chat, 1, NOW + SECOND)
    told = stored(db, chat)
    assert told.revision > over.revision
    assert (told.state, told.closed_by) == (over.state, over.closed_by)


def test_blocking_twice_changes_nothing(db):
    add_visit(db)
    chat = opened(db)
    block(db, chat, 1, NOW)
    over = stored(db, chat)

    assert block(db, chat, 2, NOW + SECOND) == over
    assert [each.agent_id for each in list_blocks(db, 7)] == [1]


def test_list_says_who_it_was_the_newest_first_and_a_lift_ends_it(db):
    for number, name in enumerate(("Ada", "Ben")):
        add_visit(db, name, attributes={"name": name})
        block(db, opened(db, name), 1, NOW + number * SECOND)

    newest, oldest = list_blocks(db, 7)
    assert (newest.visitor, oldest.visitor) == ("Ben", "Ada")
    lift_block(db, 8, oldest.id)
    lift_block(db, 7, newest.id)
    assert list_blocks(db, 7) == [oldest]
    assert open_it(db, "Ben").state == "open"


def test_block_goes_with_its_visit(db):
    add_visit(db, visitor_id="ada")
    block(db, opened(db), 1, NOW)
    forget_conversations(db, 7, ["visit"])

    assert list_blocks(db, 7) == []
    assert not is_blocked(db, 7, "later", "ada")


def test_site_has_an_end_of_blocks_and_the_chat_goes_on(db, monkeypatch):
    for visit_id in ("one", "two"):
        add_visit(db, visit_id)
    monkeypatch.setattr(blocks, "MOST_BLOCKS", 1)
    block(db, opened(db, "one"), 1, NOW)
    chat = opened(db, "two")

    assert reason_of(block(db, chat, 1, NOW)) is Reason.TOO_MANY_BLOCKS
    assert stored(db, chat).state == "open"


def test_visitor_of_a_chat_that_is_over_can_still_be_blocked(db):
    add_visit(db)
    chat = opened(db)
    end(db, chat, ClosedBy.VISITOR, NOW)
    block(db, chat, 1, NOW)

    assert stored(db, chat).closed_by == "visitor"
    assert is_blocked(db, 7, "visit", "")

"""A conversation is given to a colleague: who may give it, and who may get it."""

import pytest

from core.accounts.accounts import limit_account, set_account
from core.accounts.identity import Role
from core.agents import agents_of_site, change_agent
from core.chat.handover import give
from core.chat.states import ClosedBy
from core.reasons import Reason
from tests.helpers.chat_rows import (
    MINUTE,
    NOW,
    SECOND,
    add_sites,
    add_visit,
    agent,
    answer,
    end,
    invited,
    opened,
    reason_of,
    stored,
    take_over,
)


@pytest.fixture
def ann(db):
    add_sites(db, 7, 8)
    add_visit(db)
    return agent(db, "Ann")


def test_who_gets_it_has_it_and_is_asked_until_they_answer(db, ann):
    bea, chat = agent(db, "Bea"), opened(db, agent_id=ann)

    give(db, chat, ann, bea, NOW + SECOND)
    found = stored(db, chat)
    assert (found.agent_id, found.given_at) == (bea, NOW + SECOND)
    assert reason_of(answer(db, chat, agent_id=ann)) is Reason.TAKEN
    answer(db, chat, agent_id=bea, now=NOW + 2 * SECOND)
    assert stored(db, chat).given_at is None


def test_who_got_it_may_give_it_on_and_back(db, ann):
    bea, chat = agent(db, "Bea"), opened(db, agent_id=ann)
    give(db, chat, ann, bea, NOW)
    give(db, chat, bea, ann, NOW + SECOND)

    assert stored(db, chat).agent_id == ann


def test_giving_twice_changes_nothing(db, ann):
    bea, chat = agent(db, "Bea"), opened(db, agent_id=ann)
    give(db, chat, ann, bea, NOW)
    given = stored(db, chat)

    assert give(db, chat, ann, bea, NOW + SECOND) == given


def test_chat_of_somebody_else_is_not_given_away(db, ann):
    bea, chat = agent(db, "Bea"), opened(db, agent_id=ann)

    assert reason_of(give(db, chat, bea, bea + 1, NOW)) is Reason.TAKEN
    assert stored(db, chat).agent_id == ann


def test_who_has_closed_the_dashboard_or_sees_other_sites_gets_none(db, ann):
    chat = opened(db, agent_id=ann)
    gone, elsewhere, looker, bea = (
        agent(db, name, NOW - age)
        for name, age in zip("CDEB", (MINUTE, *[0 * MINUTE] * 3), strict=True)
    )
    for id, role in ((elsewhere, Role.AGENT), (looker, Role.VIEWER), (bea, Role.AGENT)):
        set_account(db, id, email=f"agent{id}@shop.example", role=role)
    limit_account(db, elsewhere, [8])
    limit_account(db, bea, [7])

    for to in (gone, elsewhere, looker, 4711):
        assert reason_of(give(db, chat, ann, to, NOW)) is Reason.AGENT_AWAY
    give(db, chat, ann, bea, NOW)
    assert stored(db, chat).agent_id == bea


def test_available_colleagues_come_first(db, ann):
    bea = agent(db, "Bea")
    agent(db, "Cid", NOW - MINUTE)
    change_agent(db, ann, is_available=False)

    assert [each.id for each in agents_of_site(db, NOW, 7)] == [bea, ann]


@pytest.mark.parametrize("do", ["give", "take"])
def test_only_an_open_chat_changes_hands(db, ann, do):
    bea = agent(db, "Bea")
    chat = invited(db, agent_id=ann)
    ended = opened(db, agent_id=ann) if end(db, chat, ClosedBy.AGENT, NOW) else chat
    end(db, ended, ClosedBy.AGENT, NOW)

    done = give(db, ended, ann, bea, NOW) if do == "give" else take_over(db, ended, bea, NOW)
    assert reason_of(done) is Reason.OVER

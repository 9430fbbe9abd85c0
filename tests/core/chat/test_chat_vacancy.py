"""An agent who has gone does not keep a chat, and no jump of a clock takes one away."""

from datetime import timedelta

import pytest

from core.agents import mark_seen
from core.chat.closing import close_due
from core.chat.vacancy import LONGEST_LOOK, UNHEARD_FOR, UnheardAgents, vacate_due
from tests.helpers.chat_rows import (
    INSTANT,
    MINUTE,
    NOW,
    SECOND,
    add_visit,
    agent,
    answer,
    ask,
    invited,
    opened,
    stored,
    take_over,
)

EVERY = 5
"""Seconds between two looks of a collector."""


@pytest.fixture
def ann(db):
    add_visit(db)
    return agent(db)


def look(db, unheard, until, since=0, clock=NOW):
    """Look as a collector does, from so many seconds after the clock to so many; how many were vacated."""
    return sum(
        vacate_due(db, clock + timedelta(seconds=at), unheard, float(at))
        for at in range(since, until + 1, EVERY)
    )


@pytest.mark.parametrize(
    ("apart", "vacated"),
    [(-INSTANT, 0), (0 * INSTANT, 1), (INSTANT, 1)],
    ids=["before", "at", "after"],
)
def test_chat_is_anybodys_a_minute_after_the_last_sign_of_its_agent(db, ann, apart, vacated):
    chat, unheard = opened(db, agent_id=ann), UnheardAgents()
    assert look(db, unheard, 55) == 0

    assert vacate_due(db, NOW + MINUTE + apart, unheard, 60.0) == vacated
    found = stored(db, chat)
    assert found.agent_id == (0 if vacated else ann)
    assert found.vacated_at == (NOW + MINUTE + apart if vacated else None)
    assert (found.revision > chat.revision) is bool(vacated)


def test_agent_who_gives_signs_keeps_the_chat(db, ann):
    chat, unheard = opened(db, agent_id=ann), UnheardAgents()
    for at in range(0, 600, EVERY):
        if at % 25 == 0:
            mark_seen(db, ann, NOW + at * SECOND)
        assert vacate_due(db, NOW + at * SECOND, unheard, float(at)) == 0
    assert stored(db, chat).agent_id == ann


def test_dashboard_that_starts_anew_costs_nobody_a_chat(db, ann):
    """All streams are gone for half a minute, twice."""
    chat, unheard = opened(db, agent_id=ann), UnheardAgents()
    signs = (0, 25, 80, 105, 160)
    for at in range(0, 200, EVERY):
        if at in signs:
            mark_seen(db, ann, NOW + at * SECOND)
        assert vacate_due(db, NOW + at * SECOND, unheard, float(at)) == 0
    assert stored(db, chat).agent_id == ann


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=-1)], ids=["ahead", "back"])
def test_clock_that_jumps_takes_no_chat_from_who_is_there(db, ann, jump):
    chat, unheard = opened(db, agent_id=ann), UnheardAgents()
    look(db, unheard, 20)
    mark_seen(db, ann, NOW + 20 * SECOND)
    assert look(db, unheard, 40, since=25, clock=NOW + jump) == 0
    mark_seen(db, ann, NOW + jump + 45 * SECOND)

    assert look(db, unheard, 100, since=45, clock=NOW + jump) == 0
    assert stored(db, chat).agent_id == ann


def test_agent_who_went_before_the_clock_jumped_back_does_not_keep_the_chat(db, ann):
    chat, unheard = opened(db, agent_id=ann), UnheardAgents()

    assert look(db, unheard, 50, clock=NOW - timedelta(days=1)) == 1
    assert stored(db, chat).agent_id == 0


def test_time_in_which_nobody_could_give_a_sign_does_not_count(db, ann):
    """The database was away for ten minutes, or this process was."""
    opened(db, agent_id=ann)
    unheard = UnheardAgents()
    look(db, unheard, 20)
    after = 620

    assert vacate_due(db, NOW + after * SECOND, unheard, float(after)) == 0
    mark_seen(db, ann, NOW + (after + 3) * SECOND)
    assert look(db, unheard, after + 60, since=after + EVERY) == 0


def test_one_look_never_counts_for_more_than_its_most():
    assert UNHEARD_FOR > 2 * LONGEST_LOOK
    unheard = UnheardAgents()
    assert [unheard.look({1: NOW}, at) for at in (0.0, 1_000.0, 2_000.0)] == [frozenset()] * 3


def test_chat_of_an_agent_who_is_deleted_is_anybodys(db):
    add_visit(db)
    chat = opened(db, agent_id=4711)

    assert look(db, UnheardAgents(), 50) == 1
    assert stored(db, chat).agent_id == 0


def test_what_is_not_open_or_nobodys_is_left_alone(db, ann):
    for visit_id in ("invited", "nobodys"):
        add_visit(db, visit_id)
    invitation = invited(db, "invited", agent_id=ann)
    nobodys = opened(db, "nobodys", agent_id=0)

    assert look(db, UnheardAgents(), 120) == 0
    assert stored(db, invitation).agent_id == ann
    assert stored(db, nobodys).vacated_at is None


@pytest.mark.parametrize("how", ["answer", "take"])
def test_whoever_takes_or_answers_it_has_it(db, ann, how):
    chat, bea = opened(db, agent_id=ann), agent(db, "Bea")
    look(db, UnheardAgents(), 60)
    ask(db, chat, now=NOW + MINUTE)

    if how == "answer":
        answer(db, chat, agent_id=bea, now=NOW + MINUTE)
    else:
        take_over(db, chat, bea, NOW + MINUTE)
    found = stored(db, chat)
    assert (found.agent_id, found.vacated_at) == (bea, None)


def test_chat_that_ends_is_nobodys_to_take(db, ann):
    chat = opened(db, agent_id=ann)
    look(db, UnheardAgents(), 60)
    close_due(db, NOW + 20 * MINUTE)
    assert stored(db, chat).vacated_at is None

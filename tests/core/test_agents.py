"""Agents: their names, whether they are there, whether they are available."""

import pytest

from core.agents import (
    LONGEST_NAME,
    AgentError,
    attended_sites,
    available_agents,
    change_agent,
    find_agent,
    list_agents,
    mark_seen,
    new_secret,
    watched_sites,
)
from tests.helpers.chat_rows import INSTANT, MINUTE, NOW, add_agent

SITE = 7


def test_agent_is_found_by_the_secret_of_their_browser(db):
    secret = new_secret()
    ann, bob = add_agent(db, "Ann", NOW, secret), add_agent(db, "Bob", NOW)

    assert len(secret) == 40 and secret != new_secret()
    assert find_agent(db, secret) == ann
    assert find_agent(db, "") is None
    assert list_agents(db) == [ann, bob]


def test_what_is_stored_of_a_secret_is_no_secret(db):
    secret = new_secret()
    ann, bob = add_agent(db, "Ann", NOW, secret), add_agent(db, "Bob", NOW)

    assert secret not in str(ann)
    assert ann.key != bob.key
    assert [find_agent(db, agent.key) for agent in (ann, bob)] == [None, None]


@pytest.mark.parametrize(
    ("apart", "is_here"), [(-INSTANT, True), (0 * INSTANT, False), (INSTANT, False)]
)
def test_agent_has_gone_after_a_minute_without_a_sign(db, apart, is_here):
    ann = add_agent(db, "Ann", NOW - MINUTE)
    mark_seen(db, ann.id, NOW)
    later = NOW + MINUTE + apart

    assert watched_sites(db, later) == (None if is_here else frozenset())
    assert [agent.name for agent in available_agents(db, later, SITE)] == ["Ann"] * is_here
    assert attended_sites(db, later) == (None if is_here else frozenset())


def test_agent_who_is_away_watches_but_does_not_chat(db):
    ann = add_agent(db, "Ann", NOW)
    away = change_agent(db, ann.id, is_available=False)

    assert not away.is_available
    assert watched_sites(db, NOW) is None
    assert available_agents(db, NOW, SITE) == []


def test_agent_who_changes_or_comes_back_changes_no_other(db):
    bob, ann = (add_agent(db, name, NOW - 2 * MINUTE) for name in ("Bob", "Ann"))
    mark_seen(db, ann.id, NOW)
    assert [agent.name for agent in available_agents(db, NOW, SITE)] == ["Ann"]
    changed = change_agent(db, ann.id, name="Anna", is_available=False)

    assert (changed.name, changed.is_available, changed.seen_at) == ("Anna", False, NOW)
    assert list_agents(db) == [bob, changed]


def test_sign_from_a_clock_that_ran_ahead_counts_no_more(db):
    add_agent(db, "Ann", NOW + 6 * MINUTE)

    assert watched_sites(db, NOW) == frozenset()


@pytest.mark.parametrize(
    ("written", "name"),
    [("  Ann\n\u202eSmith ", "Ann Smith"), ("x" * 1_000, "x" * LONGEST_NAME), ("\ud800", "\ufffd")],
)
def test_name_is_cleaned(db, written, name):
    assert add_agent(db, written, NOW).name == name


@pytest.mark.parametrize("name", ["", "  ", "\x00\u200b"])
def test_empty_name_is_refused_and_changes_nothing(db, name):
    ann = add_agent(db, "Ann", NOW)
    with pytest.raises(AgentError, match="write the one"):
        change_agent(db, ann.id, name=name)
    with pytest.raises(AgentError):
        add_agent(db, name, NOW)

    assert list_agents(db) == [ann]


def test_unknown_agent_is_told(db):
    with pytest.raises(AgentError, match="not known"):
        change_agent(db, 99, name="Eve")

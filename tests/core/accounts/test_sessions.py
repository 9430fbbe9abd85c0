"""Sessions: when they end, and that no browser brings its own."""

import pytest
from sqlalchemy import func, select

from core.accounts.sessions import (
    CLOCK_MAY_GO_BACK,
    ENDS_AFTER,
    ENDS_UNUSED_AFTER,
    LONGEST_BROWSER,
    MOST_SESSIONS,
    Way,
    begin_session,
    end_session,
    end_sessions,
    lasting_sessions,
    list_sessions,
    mark_sessions_seen,
    session_id,
)
from core.tables import Session
from tests.helpers.chat_rows import INSTANT, NOW

CHROME = "Chrome, Windows"


def begin(db, agent_id=1, at=NOW, browser=CHROME):
    return begin_session(db, agent_id, Way.PASSWORD, browser, at)


def lasting(db, at):
    return {session.id for session in lasting_sessions(db, at)}


def test_token_is_random_and_nothing_stored_is_the_token(db):
    one, two = begin(db), begin(db)

    assert one.token != two.token
    assert len(one.token) >= 43  # 256 bits
    assert session_id(one.token) == one.id
    (row,) = [each for each in list_sessions(db, 1, NOW) if each.id == one.id]
    assert one.token not in map(str, row.model_dump().values())
    assert (row.way, row.browser, row.created_at, row.seen_at) == ("password", CHROME, NOW, NOW)


@pytest.mark.parametrize(("apart", "lasts"), [(-INSTANT, True), (0 * INSTANT, False)])
def test_session_ends_a_month_after_it_began_however_much_it_is_used(db, apart, lasts):
    session = begin(db)
    later = NOW + ENDS_AFTER + apart
    mark_sessions_seen(db, [session.id], later)

    assert (session.id in lasting(db, later)) is lasts
    assert bool(list_sessions(db, 1, later)) is lasts


@pytest.mark.parametrize(("apart", "lasts"), [(-INSTANT, True), (0 * INSTANT, False)])
def test_session_ends_a_week_after_it_was_used_last(db, apart, lasts):
    session, unused = begin(db), begin(db)
    used_at = NOW + ENDS_UNUSED_AFTER - INSTANT
    mark_sessions_seen(db, [session.id], used_at)

    later = used_at + ENDS_UNUSED_AFTER + apart
    assert (session.id in lasting(db, later)) is lasts
    assert unused.id not in lasting(db, later)


@pytest.mark.parametrize(("apart", "lasts"), [(0 * INSTANT, True), (INSTANT, False)])
def test_clock_that_is_set_back_a_day_ends_nothing_and_one_that_ran_ahead_gives_nothing(
    db, apart, lasts
):
    session = begin(db)
    before = NOW - CLOCK_MAY_GO_BACK - apart

    assert (session.id in lasting(db, before)) is lasts
    begin(db, at=before)  # clears away what is over, not what a wrong clock makes look so
    assert session.id in lasting(db, NOW)


def test_next_session_clears_away_those_that_are_over(db):
    begin(db)
    begin(db, at=NOW + ENDS_AFTER)

    assert db.execute(select(func.count()).select_from(Session)).scalar_one() == 1


def test_account_is_signed_out_everywhere_but_here(db):
    here, there, of_other = begin(db), begin(db), begin(db, agent_id=2)

    end_sessions(db, 1, but=here.id)
    assert lasting(db, NOW) == {here.id, of_other.id}
    end_sessions(db, 1)
    assert lasting(db, NOW) == {of_other.id}
    end_session(db, of_other.id)
    assert lasting(db, NOW) == set()
    assert there.id not in lasting(db, NOW)


def test_sessions_are_listed_with_the_one_used_last_first(db):
    first, second = begin(db), begin(db, browser="x\n\u202e\0" * 100)
    mark_sessions_seen(db, [first.id], NOW + INSTANT)

    assert [each.id for each in list_sessions(db, 1, NOW)] == [first.id, second.id]
    browser = list_sessions(db, 1, NOW)[1].browser
    assert len(browser) <= LONGEST_BROWSER
    assert browser.isprintable()


def test_account_has_a_hundred_sessions_at_most_and_keeps_those_used_last(db):
    others = begin(db, agent_id=2)
    oldest, second = begin(db), begin(db, at=NOW + INSTANT)
    mark_sessions_seen(db, [oldest.id], NOW + 2 * INSTANT)
    for _ in range(MOST_SESSIONS - 1):
        begin(db, at=NOW + 3 * INSTANT)

    found = lasting(db, NOW + 3 * INSTANT)
    assert len(found) == MOST_SESSIONS + 1
    assert {others.id, oldest.id} <= found
    assert second.id not in found

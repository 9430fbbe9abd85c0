"""The feed: every commit in the chats, of any process, is published soon, once, and in order.

The sites are followed by the same machinery: see test_site_changes.py.
"""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from queue import Empty, Queue
from threading import Event

import pytest
from sqlalchemy import text

from core.agents import add_agent
from core.chat.invitations import invite
from core.chat.messages import send_as_visitor
from core.chat.queries import CHAT_FEED
from core.chat.store import find_conversation
from core.database import open_database, writing
from core.feed import Feed
from core.reasons import Refused
from tests.helpers.running_collector import wait_for

SOON = 5.0


@pytest.fixture
def published():
    return Queue()


@pytest.fixture
def follow(database, published):
    feeds = []

    def follow(start_at=None):
        feed = Feed(database, CHAT_FEED, published.put, lambda: None, start_at)
        feed.start()
        feeds.append(feed)
        return feed

    yield follow
    for feed in feeds:
        feed.stop()


@pytest.fixture
def invited(database, store, site, make_visit):
    """An invitation, committed before there is a feed."""
    now = datetime.now(UTC)
    store(site, make_visit("visit", last_activity_at=now, started_at=now))
    with writing(database) as db:
        agent = add_agent(db, "Ann", now)
        return invite(db, site_id=7, visit_id="visit", agent_id=agent.id or 0, text="Hi", now=now)


def say(database, conversation, number):
    with writing(database) as db:
        found = find_conversation(db, 7, conversation.id)
        assert found is not None
        send_as_visitor(
            db, found, client_id=f"line{number:04d}", text=f"line {number}", now=datetime.now(UTC)
        )


def test_publishes_what_another_engine_commits(database, database_url, invited, follow, published):
    follow({7: invited.revision})
    other = open_database(database_url)
    say(other, invited, 1)
    other.dispose()

    changes = published.get(timeout=SOON)
    assert [message.text for message in changes.messages] == ["line 1"]
    assert [each.id for each in changes.conversations] == [invited.id]
    assert changes.revision == changes.conversations[-1].revision


def test_begins_with_what_is_new(database, invited, follow, published):
    feed = follow()
    wait_for(lambda: feed._place is not None)
    say(database, invited, 1)

    assert [message.text for message in published.get(timeout=SOON).messages] == ["line 1"]


def test_begins_at_the_given_revision(invited, follow, published):
    follow({})

    assert [message.text for message in published.get(timeout=SOON).messages] == ["Hi"]


def test_publishes_each_message_once_and_in_order(database, invited, follow, published):
    follow({7: invited.revision})
    for number in range(30):
        say(database, invited, number)

    lines = []
    while len(lines) < 30:
        lines += [message.text for message in published.get(timeout=SOON).messages]
    assert lines == [f"line {number}" for number in range(30)]
    with pytest.raises(Empty):
        published.get(timeout=0.6)


def test_nothing_is_published_of_what_is_rolled_back(database, invited, follow, published):
    follow({7: invited.revision})
    with pytest.raises(ZeroDivisionError), writing(database) as db:
        send_as_visitor(db, invited, client_id="undone00", text="undone", now=datetime.now(UTC))
        raise ZeroDivisionError
    say(database, invited, 1)

    assert [message.text for message in published.get(timeout=SOON).messages] == ["line 1"]


def test_goes_on_when_the_database_was_away(database, invited, follow, published):
    with writing(database) as db:
        db.execute(text("ALTER TABLE conversation RENAME TO conversation_away"))
    feed = follow({7: invited.revision})
    wait_for(lambda: feed._fault)
    with writing(database) as db:
        db.execute(text("ALTER TABLE conversation_away RENAME TO conversation"))
    say(database, invited, 1)

    assert [message.text for message in published.get(timeout=SOON).messages] == ["line 1"]
    assert wait_for(lambda: not feed._fault)


def raising_once(function):
    """The function, with an error that nobody foresaw at its first call."""
    calls = []

    def raise_once(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise RuntimeError("what a visitor wrote")
        return function(*arguments)

    return raise_once


@pytest.mark.parametrize(
    "step", ["_waiting", "newest", "since", "_query", "_set_fault", "wait", "tell"]
)
def test_begins_anew_after_an_unforeseen_error(
    database, invited, follow, published, monkeypatch, caplog, step
):
    """At whichever step: it says so, lets those go who listen, and tells what it has not told."""
    let_go = []
    source = CHAT_FEED
    if step in ("newest", "since"):
        source = replace(source, **{step: raising_once(getattr(source, step))})
    feed = Feed(
        database,
        source,
        raising_once(published.put) if step == "tell" else published.put,
        lambda: let_go.append(step),
        None if step == "newest" else {7: invited.revision},
    )
    if step == "wait":
        monkeypatch.setattr(feed._stop, "wait", raising_once(feed._stop.wait))
        monkeypatch.setattr(feed, "_waiting", lambda: nullcontext(lambda: feed._stop.wait(0.1)))
    elif step in ("_waiting", "_query", "_set_fault"):
        monkeypatch.setattr(feed, step, raising_once(getattr(feed, step)))
    feed.start()
    if step == "newest":
        wait_for(lambda: feed._place is not None)
    say(database, invited, 1)

    assert published.get(timeout=SOON).messages[-1].text == "line 1"
    wait_for(lambda: feed.is_following)
    assert let_go
    assert "chat_feed_fails fault=RuntimeError at=" in caplog.text
    assert "what a visitor wrote" not in caplog.text
    feed.stop()


def test_what_could_not_be_told_is_told_again_with_what_came_meanwhile(database, invited):
    told = []

    def fail_twice(changes):
        told.append([message.text for message in changes.messages])
        if len(told) < 3:
            say(database, invited, len(told) + 1)
            raise RuntimeError

    feed = Feed(database, CHAT_FEED, fail_twice, lambda: None, {7: invited.revision})
    feed.start()
    say(database, invited, 1)
    lines = [["line 1"], ["line 1", "line 2"], ["line 1", "line 2", "line 3"]]
    wait_for(lambda: told == lines)
    wait_for(lambda: feed.is_following)
    feed.stop()
    assert told == lines


def test_feed_that_fails_again_and_again_makes_longer_and_longer_pauses(
    database, invited, monkeypatch, caplog
):
    monkeypatch.setattr("core.feed.LOOK_ANYWAY", 0.01)
    monkeypatch.setattr("core.feed.LONGEST_PAUSE", 0.05)
    pauses = []

    def fail(_changes):
        raise RuntimeError

    def let_go():
        assert not feed.is_following
        pauses.append(feed._pause)
        raise RuntimeError  # and not even this ends it

    feed = Feed(database, CHAT_FEED, fail, let_go, {})
    feed.start()
    wait_for(lambda: len(pauses) >= 5)
    assert not feed.is_following
    feed.stop()
    assert pauses[:5] == [0.01, 0.02, 0.04, 0.05, 0.05]
    assert caplog.text.count("chat_feed_fails") == 1


def test_feed_that_hangs_follows_no_more(database, invited, monkeypatch):
    """As with a database that has stopped answering, and raises nothing."""
    release = Event()

    def hang(_changes):
        release.wait(SOON)

    feed = Feed(database, CHAT_FEED, hang, lambda: None, {})
    monkeypatch.setattr("core.feed.FOLLOWS_WITHIN", 0.2)
    feed.start()
    wait_for(lambda: not feed.is_following)
    release.set()
    monkeypatch.undo()
    wait_for(lambda: feed.is_following)
    feed.stop()


LISTENERS = "FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"


on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


@on_postgres
def test_postgres_notifies_without_a_poll(database, invited, follow, published, monkeypatch):
    monkeypatch.setattr("core.feed.LOOK_ANYWAY", SOON + 1)
    follow({7: invited.revision})
    for number in range(3):
        say(database, invited, number)
        assert published.get(timeout=SOON).messages[0].text == f"line {number}"


@on_postgres
def test_listens_again_when_its_connection_was_cut(database, invited, follow, published):
    feed = follow({7: invited.revision})
    with database.connect() as connection:
        wait_for(lambda: connection.execute(text(f"SELECT count(*) {LISTENERS}")).scalar_one())
        connection.execute(text(f"SELECT pg_terminate_backend(pid) {LISTENERS}"))
        connection.commit()
    wait_for(lambda: feed._fault)
    say(database, invited, 1)

    assert published.get(timeout=SOON).messages[0].text == "line 1"


@on_postgres
def test_change_of_another_site_with_a_lower_revision_is_told_when_it_is_committed(
    database, invited, store, site, make_visit, published, follow
):
    """Sites do not wait for each other: of two, the later revision may be committed first."""
    now = datetime.now(UTC)
    other = site.model_copy(update={"id": 8, "key": "other"})
    store(other, make_visit("visit", site_id=8, last_activity_at=now, started_at=now))
    with writing(database) as db:
        beside = invite(db, site_id=8, visit_id="visit", agent_id=1, text="Hello", now=now)
    assert not isinstance(beside, Refused)
    follow({7: invited.revision, 8: beside.revision})
    with writing(database) as db:
        late = send_as_visitor(db, beside, client_id="late0000", text="late", now=now)
        say(database, invited, 1)
        soon = published.get(timeout=SOON)
    then = published.get(timeout=SOON)

    assert [each.text for each in soon.messages] == ["line 1"]
    assert [each.text for each in then.messages] == ["late"]
    assert not isinstance(late, Refused) and late.revision < soon.revision

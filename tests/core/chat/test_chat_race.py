"""Several processes write chats and visits at once: no change undoes another."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Barrier

import pytest

from collector.writing.statements import Statements
from collector.writing.visit_batch import VisitBatch
from core.chat.queries import changes_since, newest_place, newest_revision
from core.chat.retention import forget_conversations
from core.chat.states import Author, ClosedBy
from core.database import open_database, reading, writing
from core.locks import lock_site
from core.moment import to_milliseconds
from core.reasons import Reason, Refused
from core.visits.hit import Event, EventKind, Hit, Opening
from tests.helpers.chat_rows import (
    MINUTE,
    NOW,
    SECOND,
    accept,
    add_sites,
    add_visit,
    ask,
    end,
    invite,
    invited,
    mark_typing,
    opened,
    span_of,
    stored,
    visit_of,
)
from tests.helpers.waiting_writer import until_it_waits

EACH = 15
on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


@pytest.fixture
def engines(database, database_url):
    """Two engines on the same database, as in two processes."""
    with ExitStack() as opened_ones:
        other = open_database(database_url)
        opened_ones.callback(other.dispose)
        yield database, other


def test_revision_grows_though_the_clock_jumps_back(db):
    add_sites(db, 7)
    add_visit(db, last_activity_at=NOW - MINUTE)
    conversation = opened(db, now=NOW - MINUTE)
    revisions = [conversation.revision]
    for at in (NOW, NOW, NOW - 10 * SECOND, NOW - 60 * SECOND, NOW + SECOND):
        revisions.append(ask(db, conversation, now=at).revision)
        revisions.append(mark_typing(db, conversation, Author.AGENT, at).revision)

    assert revisions == sorted(set(revisions))
    assert newest_revision(db) == revisions[-1] == to_milliseconds(NOW + SECOND) + 1


def test_revision_grows_though_the_newest_is_deleted(db):
    add_sites(db, 7)
    add_visit(db)
    add_visit(db, "other")
    opened(db)
    cursor = newest_revision(db)
    forget_conversations(db, 7, ["visit"])
    assert newest_revision(db) == 0

    later = invited(db, "other", NOW + SECOND)
    assert changes_since(db, cursor).conversations == [later]


def test_one_of_two_who_invite_at_once_succeeds(engines):
    with writing(engines[0]) as db:
        for number in range(5):
            add_visit(db, f"v{number}")

    def invite_all(engine, agent_id, start):
        outcomes = []
        for number in range(5):
            start.wait(10)
            with writing(engine) as db:
                outcomes.append(
                    invite(
                        db,
                        site_id=7,
                        visit_id=f"v{number}",
                        agent_id=agent_id,
                        text="Hi",
                        now=NOW,
                    )
                )
        return outcomes

    start = Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        ours, theirs = pool.map(invite_all, engines, (1, 2), (start, start))
    for pair in zip(ours, theirs, strict=True):
        assert [each.reason for each in pair if isinstance(each, Refused)] == [Reason.INVITED]


def test_cursor_sees_every_message_of_two_writers_once(engines):
    with writing(engines[0]) as db:
        add_sites(db, 7, 8)
        for site_id in (7, 8):
            add_visit(db, site_id=site_id)
        conversations = [opened(db, site_id=site_id) for site_id in (7, 8)]
        cursor = newest_place(db)

    def talk(engine, conversation):
        for number in range(EACH):
            with writing(engine) as db:
                ask(db, conversation, str(number))

    seen = []
    with ThreadPoolExecutor(2) as pool:
        talks = [
            pool.submit(talk, *each) for each in zip(engines, reversed(conversations), strict=True)
        ]
        is_done = False
        while not is_done:
            is_done = all(each.done() for each in talks)
            with reading(engines[0]) as db:
                changes = changes_since(db, cursor)
            cursor = changes.place
            seen += changes.messages
        for each in talks:
            each.result()

    for site_id in (7, 8):
        revisions = [message.revision for message in seen if message.site_id == site_id]
        assert revisions == sorted(set(revisions))
    assert Counter((each.conversation_id, each.text) for each in seen) == Counter(
        (conversation.id, str(number)) for conversation in conversations for number in range(EACH)
    )


@pytest.fixture
def chat(database):
    with writing(database) as db:
        add_visit(db)
        return invited(db)


def view_of(number):
    at = to_milliseconds(NOW) + number * 1_000
    event = Event(EventKind.VIEW, number, at, at, path=f"/{number}")
    return Hit(7, ("visit",), False, "tab00001", at, (event,), Opening())


@contextmanager
def writing_visits(engine, hit):
    """The collector's transaction, from what it has loaded to what it stores."""
    with writing(engine) as db:
        lock_site(db, hit.site_id)
        batch = VisitBatch(Statements(engine), db, now=hit.received_at)
        batch.load([hit])
        yield
        batch.record(hit)
        batch.store()


def both(engine):
    """What the collector and the chat have written of the visit."""
    with reading(engine) as db:
        visit = visit_of(db)
    return visit.page_count, visit.current_path, visit.chat_source


@on_postgres
def test_chat_that_begins_during_a_beacon_keeps_both(engines, chat):
    def begin():
        with writing(engines[1]) as db:
            accept(db, chat, NOW)

    with ThreadPoolExecutor(1) as pool:
        with writing_visits(engines[0], view_of(2)):
            begun = pool.submit(begin)
            until_it_waits(engines[0])
        begun.result()
    assert both(engines[0]) == (2, "/2", "built_in")

    def close():
        with writing(engines[1]) as db:
            end(db, chat, ClosedBy.AGENT, NOW + SECOND)

    with ThreadPoolExecutor(1) as pool:
        with writing_visits(engines[0], view_of(3)):
            closed = pool.submit(close)
            until_it_waits(engines[0])
        closed.result()
    assert both(engines[0]) == (3, "/3", "")


@on_postgres
def test_beacon_during_a_chat_keeps_both(engines, chat):
    def look(number):
        with writing_visits(engines[1], view_of(number)):
            pass

    with ThreadPoolExecutor(1) as pool:
        with writing(engines[0]) as db:
            accept(db, chat, NOW)
            looked = pool.submit(look, 2)
            until_it_waits(engines[0])
        looked.result()
    assert both(engines[0]) == (2, "/2", "built_in")

    with ThreadPoolExecutor(1) as pool:
        with writing(engines[0]) as db:
            end(db, chat, ClosedBy.VISITOR, NOW + SECOND)
            looked = pool.submit(look, 3)
            until_it_waits(engines[0])
        looked.result()
    assert both(engines[0]) == (3, "/3", "")
    with reading(engines[0]) as db:
        assert not span_of(db, stored(db, chat)).is_open

"""Queries on the chats: what is open, the messages, what has changed, what is kept."""

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.chat.left_messages import mark_done
from core.chat.queries import (
    changes_since,
    conversations_of_visit,
    invitations,
    messages,
    newest_revision,
    open_by_visit,
    open_conversations,
    unread_counts,
)
from core.chat.retention import forget_conversations, forget_messages
from core.chat.search import count_found, found_conversations, found_page, searched_from
from core.chat.states import Author, ClosedBy
from core.tables import Conversation, Visit
from tests.helpers.chat_rows import (
    INSTANT,
    MINUTE,
    NOW,
    SECOND,
    add_agent,
    add_sites,
    add_visit,
    answer,
    ask,
    dismiss,
    end,
    invited,
    mark_read,
    mark_shown,
    open_it,
    opened,
    stored,
)


def open_visits(db):
    return [each.visit_id for each in open_conversations(db)]


def found(db, search="", **bounds):
    rows = found_conversations(db, 7, search, **bounds)
    if not {"limit", "offset"} & set(bounds):
        assert count_found(db, 7, search, **bounds) == len(rows)
    return [row.visit_id for row in rows]


def test_who_waits_longest_comes_first_then_the_newest(db):
    given = {}
    for number, visit_id in enumerate(("idle", "newer", "early", "late", "read", "left")):
        add_visit(db, visit_id)
        begin = open_it if visit_id == "left" else opened
        options = {"is_attended": False} if visit_id == "left" else {}
        given[visit_id] = begin(db, visit_id, NOW + number * SECOND, **options)
    for visit_id, at in (("read", 8), ("early", 9), ("late", 10)):
        ask(db, given[visit_id], now=NOW + at * SECOND)
    mark_read(db, given["read"], Author.AGENT, 2, NOW + 11 * SECOND)

    assert open_visits(db) == ["read", "early", "late", "left", "newer", "idle"]


def test_what_is_over_or_only_offered_is_not_open(db):
    for visit_id in ("queued", "ended", "dismissed", "left"):
        add_visit(db, visit_id)
    queued = invited(db, "queued")
    end(db, opened(db, "ended"), ClosedBy.AGENT, NOW)
    dismiss(db, invited(db, "dismissed"), NOW)
    left = open_it(db, "left", is_attended=False)

    assert open_visits(db) == ["left"]
    assert invitations(db) == [queued]
    assert open_by_visit(db, 7) == {"queued": queued}
    mark_done(db, left, 1, True, NOW)
    assert open_visits(db) == []


def test_invitations_are_newest_first(db):
    for number in (2, 1, 3):
        add_visit(db, f"visit{number}")
        invited(db, f"visit{number}", NOW + number * SECOND)

    assert [each.visit_id for each in invitations(db)] == ["visit3", "visit2", "visit1"]


def test_left_message_whose_text_is_forgotten_is_not_unread(db):
    add_visit(db)
    left = open_it(db, is_attended=False)
    forget_messages(db, 7, NOW + INSTANT, 10)

    assert unread_counts(db, [left]) == {(7, left.id): 0}


def test_sites_are_counted_apart(db):
    add_visit(db)
    add_visit(db, "other", site_id=8)
    ours = opened(db)
    theirs = opened(db, "other", site_id=8)
    ask(db, theirs)

    assert unread_counts(db, [ours, theirs]) == {(7, ours.id): 0, (8, theirs.id): 1}
    assert set(open_by_visit(db, 7)) == {"visit"}
    assert unread_counts(db, []) == {}


def test_conversations_of_a_visit_are_newest_first(db):
    add_visit(db)
    first = end(db, opened(db), ClosedBy.AGENT, NOW)
    second = invited(db, now=NOW + MINUTE)

    assert conversations_of_visit(db, 7, "visit") == [second, first]
    assert conversations_of_visit(db, 7, "another") == []


def test_changes_are_what_has_happened_since(db):
    add_sites(db, 7)
    assert newest_revision(db) == 0
    add_visit(db)
    add_visit(db, "other")
    conversation = opened(db)
    invited(db, "other")
    before = newest_revision(db)
    sent = [ask(db, conversation, "one"), answer(db, conversation, "two")]

    changes = changes_since(db, before)
    assert changes.conversations == [stored(db, conversation)]
    assert changes.messages == sent
    assert changes.revision == newest_revision(db) == sent[-1].revision
    assert changes_since(db, changes.place) == ([], [], changes.revision, changes.place)
    assert changes_since(db, changes.revision).conversations == []
    assert [each.text for each in changes_since(db, sent[0].revision).messages] == ["two"]


def test_change_of_one_site_is_found_though_another_has_a_higher_revision(db):
    add_sites(db, 7, 8)
    add_visit(db)
    add_visit(db, site_id=8)
    lower = opened(db, site_id=7)
    known = {8: opened(db, site_id=8, now=NOW + SECOND).revision}

    changes = changes_since(db, known)
    assert [each.id for each in changes.conversations] == [lower.id]
    assert changes.place == {7: stored(db, lower).revision, **known}


def test_change_without_a_message_comes_without_one(db):
    add_sites(db, 7)
    add_visit(db)
    invitation = invited(db)
    mark_shown(db, invitation, NOW)

    changes = changes_since(db, invitation.revision)
    assert [each.state for each in changes.conversations] == ["shown"]
    assert changes.messages == []


@pytest.fixture
def conversations(db):
    """Three conversations, the oldest first: ann's, bob's, eve's."""
    ann = add_agent(db, "Änne", NOW).id
    for number, (visit_id, text, attributes) in enumerate(
        (
            ("ann", "Kostet das 100%?\nGRÖSSE M_L", {"name": "Zoë O'Neil", "plan": "gold"}),
            ("bob", r"C:\new is empty", {"email": "bob@shop.example"}),
            ("eve", "<b>100 percent</b>", {}),
        )
    ):
        add_visit(db, visit_id, attributes=attributes)
        agent_id = ann if visit_id == "ann" else 0
        conversation = opened(db, visit_id, NOW + number * MINUTE, agent_id=agent_id)
        ask(db, conversation, text, NOW + number * MINUTE)


FOUND = {
    "": ["eve", "bob", "ann"],
    "  ": ["eve", "bob", "ann"],
    "100": ["eve", "ann"],
    "100%": ["ann"],
    "%": ["ann"],
    "m_l": ["ann"],
    "_": ["ann"],
    "\\": ["bob"],
    "\\NEW": ["bob"],
    "größe": [],
    "grösse": ["ann"],
    "ÄNNE": ["ann"],
    "zoË o'n": ["ann"],
    "SHOP.example": ["bob"],
    "gold": [],
    "email": [],
    "<B>": ["eve"],
    "'; DROP TABLE message; --": [],
    "\x00100%": ["ann"],
    "\ud800": [],
    "x" * 100_000: [],
    "can i help?": ["eve", "bob", "ann"],
}


def test_search_looks_into_texts_and_names(db, conversations):
    assert {search: found(db, search) for search in FOUND} == FOUND


def test_search_stays_within_the_site(db, conversations):
    add_visit(db, "theirs", site_id=8)
    ask(db, opened(db, "theirs", site_id=8), "100% of another site")

    assert found(db, "100%") == ["ann"]
    assert [row.visit_id for row in found_conversations(db, 8)] == ["theirs"]
    assert count_found(db, 8, "kostet") == 0


def test_found_are_cut_by_dates_and_pages(db, conversations):
    assert found(db, from_at=NOW + MINUTE) == ["eve", "bob"]
    assert found(db, until_at=NOW + MINUTE) == ["ann"]
    assert found(db, "100", from_at=NOW + INSTANT, until_at=NOW + 3 * MINUTE) == ["eve"]
    assert found(db, limit=2) == ["eve", "bob"]
    assert found(db, limit=2, offset=2) == ["ann"]


def test_search_looks_through_the_newest_of_the_days(db, conversations, monkeypatch):
    assert searched_from(db, 7, NOW, None) == NOW
    monkeypatch.setattr("core.chat.search.MOST_SEARCHED", 2)

    assert searched_from(db, 7, NOW, None) == NOW + INSTANT
    assert found(db, "100", from_at=NOW) == ["eve"]
    assert found(db, "100", from_at=NOW, until_at=NOW + MINUTE) == ["ann"]
    assert found(db, from_at=NOW) == ["eve", "bob", "ann"]


@pytest.mark.parametrize(("search", "count"), [("", 3), ("100", 2)])
def test_page_has_the_number_of_all(db, conversations, search, count):
    days = (NOW, NOW + 10 * MINUTE)
    for offset in range(5):
        rows, known = found_page(db, 7, search, *days, limit=2, offset=offset)
        assert (len(rows), known) == (max(min(count - offset, 2), 0), count)


def test_count_leaves_out_what_is_withdrawn(db, conversations):
    db.execute(update(Conversation).where(col(Conversation.visit_id) == "bob").values(visit_id=""))
    assert found(db, from_at=NOW) == ["eve", "ann"]


def test_found_conversations_name_the_agent_and_outlive_their_visit(db, conversations):
    db.execute(update(Visit).where(col(Visit.id) == "ann").values(id="gone"))
    *_, row = found_conversations(db, 7)

    assert (row.visit_id, row.agent_name, row.attributes) == ("ann", "Änne", "")
    assert found(db, "änne") == ["ann"]


def test_text_is_forgotten_and_its_conversation_stays(db):
    add_visit(db)
    conversation = opened(db)
    for seconds in (1, 2, 3):
        ask(db, conversation, str(seconds), NOW + seconds * SECOND)

    assert forget_messages(db, 8, NOW + MINUTE, 10) == 0
    assert forget_messages(db, 7, NOW + 3 * SECOND, 2) == 2
    assert forget_messages(db, 7, NOW + 3 * SECOND, 2) == 1
    assert forget_messages(db, 7, NOW + 3 * SECOND, 2) == 0
    assert [each.text for each in messages(db, 7, conversation.id)] == ["3"]
    assert stored(db, conversation).message_count == 4
    assert ask(db, conversation, now=NOW + MINUTE).number == 5


def test_conversations_are_forgotten_with_their_visit(db):
    add_visit(db)
    add_visit(db, "other")
    gone, kept = opened(db), opened(db, "other")
    forget_conversations(db, 7, ["visit", "unknown"])

    assert stored(db, gone) is None
    assert messages(db, 7, gone.id) == []
    assert len(messages(db, 7, kept.id)) == 1

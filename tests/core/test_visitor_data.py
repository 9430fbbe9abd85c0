"""What is stored of a visitor: found, exported and forgotten, in every table that there is."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Boolean, Float, Integer, insert, select
from sqlmodel import col

from core.chat.queries import (
    changes_since,
    invitations,
    newest_revision,
    open_conversations,
)
from core.chat.retention import TOLD_AFTER, delete_withdrawn
from core.chat.search import count_found
from core.chat.states import ConversationState
from core.database import insert_into
from core.file_rewrite import asked_rewrite
from core.site_changes import changed_sites, site_revisions
from core.sites import add_site, existing_site
from core.tables import Backup, Conversation, JsonText, Moment, Site, Table, Visit, VisitCount
from core.visitor_data import (
    copies_since,
    count_stored,
    export_visits,
    forget_visits_of,
    visits_of_person,
    visits_with,
)
from core.visits.presence import ChangeKind
from core.visits.row_keys import CHANGE_KINDS
from tests.helpers.chat_rows import (
    MINUTE,
    NOW,
    SECOND,
    add_visit,
    answer,
    ask,
    invited,
    open_it,
    opened,
    stored,
    visit_of,
)

TABLES = Table.metadata.tables
OF_VISITOR = (
    "visit",
    "visit_memory",
    "visit_tab",
    "page",
    "page_view_row",
    "visit_span_row",
    "visit_change_row",
    "conversation",
    "message",
    "notice",
    "notice_delivery",
    "conversation_note",
    "mail_answer",
    "chat_block",
)
OF_NO_VISITOR = {
    "agent": "a colleague",
    "agent_notices": "a colleague",
    "agent_site": "a colleague",
    "backlog": "work that is left to the collector",
    "backup": "names files; who is forgotten is told of them",
    "chat_look": "how a site's dialog looks",
    "chat_rule": "a site's text, and how many were invited",
    "chat_template": "a site's text",
    "chore_run": "what housekeeping has done",
    "collector": "how the collector is",
    "collector_warning": "a fault in the set-up",
    "drop_count": "numbers of all visitors",
    "mail_server": "how a site's answers go",
    "notice_address": "where a site's notices go",
    "salt": "a day's secret, deleted with the next day but one",
    "secret": "signs cookies",
    "session": "a colleague's browser",
    "sign_in_link": "a colleague",
    "site": "a website",
    "site_change": "that something has changed",
    "site_origin": "a website's host",
    "trend_count": "numbers of all visitors, out of which those of a forgotten one are taken",
    "trend_site": "how far visits are counted",
    "visit_chunk": "parts of visits once more: they leave it with their rows (test_visit_chunks.py)",
    "visit_count": "numbers of all visitors",
    "visit_sequence": "how many visits there were",
    "visit_edit": "names visits that are stored; emptied when any of the site is deleted",
}
"""Why nothing of these tables goes with a visitor."""

_words = count(1000)


@pytest.fixture
def shop(db) -> Site:
    return add_site(db, name="Shop", key="shop", now=NOW)


def words_of(db, table: str, **given: Any) -> set[str]:
    """A row with a word of its own in each column of text that is not given; returns these words."""
    row = {column.name: value_of(column) for column in TABLES[table].columns} | given
    db.execute(insert(TABLES[table]).values(**row))
    return {word for name, value in row.items() if name not in given for word in words_in(value)}


def value_of(column: Any) -> Any:
    word = f"word{next(_words)}{column.name}"
    if column.name == "memory":
        return json.dumps({"tabs": {"tab": word}})
    if isinstance(column.type, JsonText):
        return {f"{word}name": word}
    if isinstance(column.type, Moment):
        return NOW
    number = isinstance(column.type, Float | Integer | Boolean)
    return (column.type.python_type)(1) if number else word


def words_in(value: Any) -> set[str]:
    return set(re.findall(r"word\d+\w*", str(value)))


def fill(db, site: Site) -> set[str]:
    """A visit with a word in every text that is stored of it; returns the words and the ids."""
    visit = f"visit{next(_words)}"
    number = next(_words)
    words = {visit} | words_of(db, "visit", site_id=site.id, id=visit, number=number)
    of_visit = {"site_id": site.id, "visit": number}
    for table in ("visit_memory", "visit_tab"):
        words |= words_of(db, table, **of_visit)
    for table, more in {
        "page_view_row": {},
        "visit_span_row": {},
        "visit_change_row": {"kind": CHANGE_KINDS[ChangeKind.PAGE]},
    }.items():
        page = next(_words)
        if "page" in TABLES[table].columns:
            words |= words_of(db, "page", site_id=site.id, id=page, uses=1)
            more = more | {"page": page}
        words |= words_of(db, table, **of_visit, **more)
    for state in ("open", "left", "ended", "shown"):
        chat = f"chat{next(_words)}"
        of_chat = {"site_id": site.id, "conversation_id": chat}
        words |= {chat} | words_of(
            db,
            "conversation",
            site_id=site.id,
            id=chat,
            visit_id=visit,
            state=state,
            closed_by="",
            **({"closed_at": None} if state in ("open", "shown") else {"done_at": None}),
        )
        words |= words_of(db, "message", **of_chat, author="visitor")
        words |= words_of(db, "conversation_note", **of_chat)
        words |= words_of(db, "mail_answer", **of_chat)
    words |= words_of(db, "chat_block", site_id=site.id, visit_id=visit)
    told = f"notice{next(_words)}"
    of_visit = {"site_id": site.id, "visit_id": visit, "revision": next(_words)}
    words |= {told} | words_of(db, "notice", id=told, **of_visit)
    words |= words_of(db, "notice_delivery", site_id=site.id, notice_id=told, address_id="a")
    return words


def everything(db) -> str:
    rows = (db.execute(select(table)).all() for table in TABLES.values())
    return "\n".join(str(row) for each in rows for row in each)


def ids_of(words: set[str]) -> list[str]:
    return [word for word in words if word.startswith("visit")]


def forget(db, site: Site, *ids: str, now=NOW) -> Any:
    return forget_visits_of(db, site.id or 0, ids, now)


def test_every_table_is_known(db):
    assert set(TABLES) == {*OF_VISITOR, *OF_NO_VISITOR}


def test_of_a_forgotten_visitor_no_word_is_left_in_any_table(db, shop):
    words, others = fill(db, shop), fill(db, shop)
    before = everything(db)
    assert [word for word in words | others if word not in before] == []

    forget(db, shop, *ids_of(words))
    delete_withdrawn(db, NOW + TOLD_AFTER + SECOND)

    after = everything(db)
    assert [word for word in words if word in after] == []
    assert [word for word in others if word not in after] == []


def test_until_everybody_has_heard_of_the_end_only_the_chats_own_ids_are_left(db, shop):
    words = fill(db, shop)

    forget(db, shop, *ids_of(words))

    left = {word for word in words if word in everything(db)}
    assert {word for word in left if not word.startswith("chat")} == {
        word for word in left if word.endswith(("token", "tab", "rule_id", "opened_by"))
    }
    assert any(word.startswith("chat") for word in left)


def test_export_has_every_word_but_the_secret_of_the_chat(db, shop):
    words, others = fill(db, shop), fill(db, shop)

    exported = json.dumps(export_visits(db, shop, ids_of(words), NOW))

    assert {word for word in words if word not in exported} == {
        word for word in words if word.endswith("token")
    }
    assert [word for word in others if word in exported] == []
    assert '"2026-11-22T12:34:56.789Z"' in exported
    assert {"page_view", "visit_span", "visit_change", "visit_memory", "message"} <= set(
        exported.split('"')
    )


def test_numbers_of_all_visitors_stay(db, shop):
    add_visit(db, "visit", shop.id)
    counted = VisitCount(site_id=shop.id or 0, starts_at=NOW, visits=1)
    db.execute(insert(VisitCount).values(**counted.model_dump()))

    assert forget(db, shop, "visit").visits == 1

    assert db.execute(select(col(VisitCount.visits))).scalar_one() == 1


def test_it_says_how_much_there_was(db, shop):
    add_visit(db, "visit", shop.id)
    chat = opened(db, site_id=shop.id)
    ask(db, chat)
    expected = (1, 0, 1, 2)

    assert count_stored(db, shop.id or 0, ["visit"]) == expected
    assert forget(db, shop, "visit") == expected
    assert count_stored(db, shop.id or 0, ["visit"]) == (0, 0, 0, 0)


@pytest.mark.parametrize("first", ["one", "two", "three", "again", "after"])
def test_person_is_who_has_the_visitor_id_and_whose_visits_follow(db, shop, first):
    other = add_site(db, name="Other", key="other", now=NOW)
    for number, (visit, columns) in enumerate(
        {
            "one": {},
            "two": {"follows": "one"},
            "three": {"follows": "two", "visitor_id": "ada"},
            "again": {"visitor_id": "ada"},
            "after": {"follows": "again"},
            "stranger": {},
            "bob": {"visitor_id": "bob", "follows": "deleted"},
            "bobs": {"visitor_id": "bob", "follows": "deleted"},
        }.items()
    ):
        add_visit(db, visit, shop.id or 0, started_at=NOW + number * MINUTE, **columns)
    add_visit(db, "elsewhere", other.id or 0, visitor_id="ada", follows="one")

    found = visits_of_person(db, shop.id or 0, [first])

    assert [visit.id for visit in found] == ["one", "two", "three", "again", "after"]
    assert visits_of_person(db, shop.id or 0, ["nobody"]) == []


@pytest.mark.parametrize(
    ("name", "value", "is_found"),
    [
        ("email", "ada@shop.example", True),
        ("email", " ADA@Shop.Example\n", True),
        ("email", "da@shop.example", False),
        ("email", "ada@shop.exampl_", False),
        ("email", "%", False),
        ("Email", "ada@shop.example", False),
        ("name", "Ada \u201cthe first\u201d", False),
        ("name", 'Ada "O\\Neil" 100%', True),
        ("name", 'ada "o\\neil" 100%', False),
        ("name", "ada@shop.example", False),
        ("ÄÖ", "Straße", True),
        ("ÄÖ", "straße", False),
        ("", "Straße", False),
        ("email", "", False),
        ("email", "\x00", False),
    ],
)
def test_attribute_is_found_as_it_was_told(db, shop, name, value, is_found):
    told = {"email": "Ada@shop.example", "name": 'Ada "O\\Neil" 100%', "ÄÖ": "Straße"}
    add_visit(db, "visit", shop.id, attributes=told)
    add_visit(db, "other", shop.id, attributes={"plan": "ada@shop.example"})
    add_visit(db, "none", shop.id)

    assert visits_with(db, shop.id or 0, name, value) == (["visit"] if is_found else [])


def test_chats_end_for_everybody_before_their_rows_go(db, shop):
    for visit in ("talks", "asked", "left", "done"):
        add_visit(db, visit, shop.id)
    talk = opened(db, "talks", site_id=shop.id)
    answer(db, talk, "Ada, your tea")
    asked = invited(db, "asked", site_id=shop.id)
    left = open_it(db, "left", site_id=shop.id, is_attended=False)
    before = newest_revision(db)
    later = NOW + TOLD_AFTER + SECOND

    forget(db, shop, "talks", "asked", "left", now=later)

    assert [*open_conversations(db), *invitations(db)] == []
    told = changes_since(db, before)
    assert {each.id: each.state for each in told.conversations} == {
        talk.id: ConversationState.ENDED,
        asked.id: ConversationState.EXPIRED,
        left.id: ConversationState.LEFT,
    }
    assert {each.visit_id for each in told.conversations} == {""}
    assert [each.token for each in told.conversations if each.id == talk.id] == [talk.token]
    assert told.messages == []
    assert count_found(db, shop.id or 0) == 0
    assert delete_withdrawn(db, later + TOLD_AFTER) == 0
    assert delete_withdrawn(db, later + TOLD_AFTER + SECOND) == 3
    assert [stored(db, each) for each in (talk, asked, left)] == [None, None, None]


def test_chat_that_was_over_long_ago_goes_at_once(db, shop):
    add_visit(db, "visit", shop.id)
    chat = opened(db, site_id=shop.id)
    db.execute(
        Conversation.__table__.update().values(state="ended", closed_at=NOW)  # pyright: ignore
    )

    forget(db, shop, "visit", now=NOW + MINUTE)

    assert stored(db, chat) is None


def test_visit_that_follows_a_forgotten_one_says_so_no_more(db, shop):
    add_visit(db, "visit", shop.id)
    add_visit(db, "next", shop.id, follows="visit")

    forget(db, shop, "visit")

    assert visit_of(db, "next", shop.id).follows == ""


def test_open_pages_of_the_site_lose_it_at_once(db, shop):
    add_visit(db, "visit", shop.id)
    before = site_revisions(db).place

    forget(db, shop, "visit")

    assert set(changed_sites(db, before).sites) == {"shop"}


def test_sqlites_file_is_to_be_rewritten_and_each_time_anew(db, shop):
    seen = set()
    for visit in ("one", "two"):
        add_visit(db, visit, shop.id)
        forget(db, shop, visit)
        seen.add(asked_rewrite(db))

    assert len(seen - {""}) == (2 if db.dialect.name == "sqlite" else 0)


def test_copies_are_named_that_were_made_since_the_visit_the_newest_first(db, shop):
    for minutes, file in ((-1, "before"), (0, "then"), (5, "later")):
        made = {"made_at": NOW + timedelta(minutes=minutes), "kind": "backup", "file": file}
        db.execute(insert_into(db, Backup).values(**made, size=1))

    assert [copy.file for copy in copies_since(db, NOW)] == ["later", "then"]


def test_visit_of_another_site_stays(db, shop):
    other = add_site(db, name="Other", key="other", now=NOW)
    for site in (shop, other):
        add_visit(db, "visit", site.id or 0)

    forget(db, shop, "visit")

    kept = db.execute(select(col(Visit.site_id))).scalars().all()
    assert kept == [existing_site(db, "other").id]

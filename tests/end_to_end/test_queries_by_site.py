"""Every query names its site, and every key begins with it: so a distributed Postgres can hold the tables by site.

A scenario runs with the collector, its chores and what pages ask. Each statement that has reached the server is
explained: every table that is held by site must be searched by `site_id`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, event

from collector.writing.housekeeping import Housekeeping
from collector.writing.retention_chore import Retention
from collector.writing.write_load import WriteLoad
from core.agents import add_agent
from core.chat.blocks import all_blocked, block, lift_block, list_blocks
from core.chat.departure import note_departures
from core.chat.handover import give, take_over
from core.chat.left_messages import drop_left_messages, mark_done
from core.chat.notes import add_note
from core.chat.queries import count_found, found_conversations, open_by_visit
from core.chat.rules import add_rule, list_rules
from core.chat.states import TemplateKind, Trigger
from core.chat.templates import add_template, list_templates, mark_used
from core.chat.vacancy import UnheardAgents, vacate_due
from core.database import open_database, reading, writing
from core.frames import live_picture, visitor_journey
from core.moment import from_milliseconds
from core.removal import delete_some, removals, remove_site
from core.site_changes import site_revisions
from core.sites import find_site
from core.tables import Table
from core.visitor_data import (
    count_stored,
    export_visits,
    forget_visits_of,
    visits_of_person,
    visits_with,
)
from core.visits.arrivals import count_page_views, drops, last_page_view, origins
from pages.server.payloads import conversation_payload, news_since
from tests.helpers.collector_chats import attend, open_chat, refresh, say, send_invitation
from tests.helpers.running_collector import DAY, HOUR, MINUTE, RunningCollector, view, wait_for

VISITS = ("a1b2c3d4e5f6g7h8", "b1b2c3d4e5f6g7h8", "c1b2c3d4e5f6g7h8")

HELD_EVERYWHERE = {"agent_site": "the sites that an account sees: read with the accounts"}
"""Tables with a `site_id` that are small, and are no table by site."""

OTHER_INDEXES = {
    "conversation_by_state": "what is open, and what has ended by itself, is looked for on all sites at once",
}
"""Indexes of tables by site that do not begin with it, and why."""

OVER_ALL_SITES: Mapping[str, str] = {
    "FROM chat_block": "each collector keeps who is blocked on all sites in memory: 500 a site at most",
    "FROM visit JOIN chat_block ON visit.site_id =": "the visits of who is blocked, for the same",
    "AND conversation.agent_id IN": "the open chats of agents who have gone, on whichever sites",
    "FROM conversation JOIN visit ON visit.site_id =": "open chats whose visitor has gone, or is back",
    "FROM chat_rule ORDER BY": "each collector keeps the rules of all sites in memory: 20 a site at most",
    "FROM site_change LEFT OUTER JOIN site ON": "what feeds follow: one row a site",
    "FROM conversation WHERE conversation.state IN": "invitations that wait, of which agents' lists have all",
    "FROM conversation WHERE (conversation.state =": "open chats, of which agents' lists have all",
    "FROM conversation LEFT OUTER JOIN visit ON visit.site_id =": "chats that have ended by themselves",
    "GROUP BY conversation.agent_id": "which agent has the fewest open chats, on whichever sites",
}
"""Words of the queries that name no site, and why."""

BY_PLAN: Mapping[str, str] = {
    "FROM site WHERE EXISTS (SELECT * FROM visit WHERE visit.site_id = site.id": (
        "once a day, whether a visit of any site goes on since yesterday: by which index is the planner's choice"
    ),
}
"""Words of queries that name the site of another table: the plan of a small table may look for it last."""

PLAIN = (
    "SET LOCAL enable_seqscan = off",
    "SET LOCAL enable_hashjoin = off",
    "SET LOCAL enable_mergejoin = off",
)
"""A small table is read whole, and two of them are joined as wholes, whatever the query names."""

CONDITIONS = ("Index Cond", "Recheck Cond", "Filter")

TABLES = {
    name: table
    for name, table in Table.metadata.tables.items()
    if "site_id" in table.c and name not in HELD_EVERYWHERE
}


def test_every_key_begins_with_the_site() -> None:
    keys = {
        name: next(column.name for column in table.primary_key) for name, table in TABLES.items()
    }
    assert keys == dict.fromkeys(TABLES, "site_id")


def test_every_index_begins_with_the_site_but_for_a_reason() -> None:
    others = {
        index.name
        for table in TABLES.values()
        for index in table.indexes
        if index.columns.keys()[0] != "site_id"
    }
    assert others == OTHER_INDEXES.keys()


@pytest.mark.timeout(240)
def test_every_query_names_the_site_but_for_a_reason(run_collector: Any, postgres_url: str) -> None:
    with recorded() as statements:
        collector: RunningCollector = run_collector(postgres_url)
        a_visit_with_chats(collector)
        a_team_cares(collector)
        pages_are_read(collector)
        time_goes_by(collector)
        a_visitor_is_forgotten(collector)
        a_site_is_deleted(collector)
    assert {name for name in TABLES if any(is_of(name, each) for each in statements)} == set(TABLES)
    engine = open_database(postgres_url)
    scans = {
        statement: without_site(plan_of(engine, statement, parameters))
        for statement, parameters in statements.items()
    }
    engine.dispose()
    found = {" ".join(statement.split()): nodes for statement, nodes in scans.items() if nodes}
    excused = {each: [words for words in OVER_ALL_SITES if words in each] for each in found}
    by_plan = {each for each in found for words in BY_PLAN if words in each}
    assert {each: found[each] for each in found if not excused[each] and each not in by_plan} == {}
    assert {words for each in excused.values() for words in each} == OVER_ALL_SITES.keys()


@contextmanager
def recorded() -> Iterator[dict[str, Any]]:
    """The statements on tables by site that any engine runs meanwhile, each with the parameters of one run."""
    statements: dict[str, Any] = {}

    def record(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        if any(is_of(name, statement) for name in TABLES) and statement.split()[0] in (
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
            "WITH",
        ):
            statements.setdefault(statement, parameters[0] if many and parameters else parameters)

    event.listen(Engine, "before_cursor_execute", record)
    yield statements
    event.remove(Engine, "before_cursor_execute", record)


def is_of(table: str, statement: str) -> bool:
    return re.search(rf"\b{table}\b", statement) is not None


def a_visit_with_chats(collector: RunningCollector) -> None:
    agent = attend(collector)
    for visit in VISITS:
        collector.post(view(), visit=visit, visitor="w" * 20)
    collector.post(view(2, "/cart"), {"e": "p", "u": "/cart", "d": "Cart", "n": 2})
    collector.post({"e": "i", "a": {"email": "ada@shop.example"}})
    collector.post(view(), site="unknown")
    token = open_chat(collector)
    say(collector, agent, token, "Good day")
    for action in ("read", "typing", "end"):
        collector.call(action, c=token, to=1)
    asked = send_invitation(collector, agent, visit=VISITS[1])
    collector.post(view(2), visit=VISITS[1])
    for action in ("shown", "accept"):
        collector.call(action, c=asked.token)
    with writing(collector.engine) as db:
        now = from_milliseconds(collector.clock.now)
        template = add_template(db, 1, TemplateKind.REPLY, "Hello", now)
        mark_used(db, 1, template.id, now)
        add_rule(db, 1, now, trigger=Trigger.SECONDS, threshold=1, text="Hi", is_enabled=True)
    refresh(collector)
    collector.clock.advance(5_000)
    collector.post(view(2), visit=VISITS[2])


def a_team_cares(collector: RunningCollector) -> None:
    """A chat is given, noted, vacated and blocked; a left message is ticked off."""
    now = from_milliseconds(collector.clock.now)
    unheard = UnheardAgents()
    with writing(collector.engine) as db:
        ann, bea = (add_agent(db, name, now).id or 0 for name in ("Ann", "Bea"))
        chat = open_by_visit(db, 1)[VISITS[1]]
        take_over(db, chat, ann, now)
        give(db, chat, ann, bea, now)
        add_note(db, chat, agent_id=bea, client_id="note00000001", text="Kind", now=now)
        later = now + timedelta(minutes=2)
        for at in range(0, 60, 5):
            vacate_due(db, later, unheard, float(at))
        note_departures(db, later)
        block(db, chat, ann, later)
        lift_block(db, 1, list_blocks(db, 1)[0].id)
        block(db, chat, ann, later)
        all_blocked(db, later)
        mark_done(db, chat, ann, True, later)
        drop_left_messages(db, 1, later)


def pages_are_read(collector: RunningCollector) -> None:
    now = from_milliseconds(collector.clock.now)
    with reading(collector.engine) as db:
        site = find_site(db, "shop1")
        assert site is not None
        live_picture(db, site, now)
        visitor_journey(db, site, VISITS[0], now)
        site_revisions(db)
        news_since(db, 0, collector.clock.now)
        news = news_since(db, collector.clock.now - HOUR, collector.clock.now)
        conversation_payload(db, "shop1", news["conversations"][0]["id"])
        found_conversations(db, 1, "good")
        count_found(db, 1, "good")
        open_by_visit(db, 1)
        list_rules(db, 1)
        list_templates(db, 1, TemplateKind.REPLY)
        count_page_views(db, 1, now - timedelta(minutes=5), now)
        last_page_view(db, 1, now)
        origins(db, 1)
        drops(db, 1, now)
        removals(db)


def time_goes_by(collector: RunningCollector) -> None:
    """What the collector does by itself, with what is over and with what is old."""
    wait_for(lambda: collector.rows("SELECT 1 FROM site_origin WHERE site_id = 1"))
    wait_for(lambda: collector.rows("SELECT 1 FROM drop_count WHERE site_id = 0"))
    load = WriteLoad(lambda: 0)
    for ahead in (21 * MINUTE, 31 * DAY):
        later = collector.clock.now + ahead
        retention = Retention(90, 30)
        Housekeeping(collector.engine, retention, load, partial(int, later)).do_due()


def a_visitor_is_forgotten(collector: RunningCollector) -> None:
    now = from_milliseconds(collector.clock.now)
    with writing(collector.engine) as db:
        site = find_site(db, "shop1")
        assert site is not None
        visits = [visit.id for visit in visits_of_person(db, 1, [VISITS[0]])]
        visits_with(db, 1, "email", "ada@shop.example")
        count_stored(db, 1, visits)
        export_visits(db, site, visits, now)
        forget_visits_of(db, 1, visits, now)


def a_site_is_deleted(collector: RunningCollector) -> None:
    collector.post(view(), site="open", visit=VISITS[0])
    now = from_milliseconds(collector.clock.now)
    with writing(collector.engine) as db:
        removed = remove_site(db, "open", "Open", now)
        removals(db)
    with writing(collector.engine) as db:
        while not delete_some(db, removed.id or 0, 10, 10).is_last:
            pass


def plan_of(engine: Engine, statement: str, parameters: Any) -> list[dict[str, Any]]:
    """The nodes of the statement's plan."""
    with engine.connect() as connection:
        transaction = connection.begin()
        for each in PLAIN:
            connection.exec_driver_sql(each)
        explained = f"EXPLAIN (FORMAT JSON) {statement}"
        ((plan,),) = connection.exec_driver_sql(explained, parameters).all()
        transaction.rollback()
    found = [plan[0]["Plan"]]
    for node in found:
        found.extend(node.get("Plans", []))
    return found


def without_site(nodes: list[dict[str, Any]]) -> list[str]:
    """The scans of tables by site that do not name the site."""
    return [
        f"{node['Node Type']} of {node['Relation Name']} ({node.get('Index Name')})"
        for node in nodes
        if node.get("Relation Name") in TABLES
        and node["Node Type"] != "ModifyTable"
        and not any("site_id" in str(node.get(name)) for name in CONDITIONS)
    ]

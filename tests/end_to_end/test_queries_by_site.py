"""Every query names its site, and every key begins with it: so a distributed Postgres can hold the tables by site.

A scenario runs with the collector, its chores and what pages ask. Each statement that has reached the server is
explained: every table that is held by site must be searched by `site_id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Engine

from core.database import open_database
from core.tables import Table
from tests.helpers.day_of_queries import a_day, is_of, recorded
from tests.helpers.running_collector import RunningCollector

HELD_EVERYWHERE = {"agent_site": "the sites that an account sees: read with the accounts"}
"""Tables with a `site_id` that are small, and are no table by site."""

OTHER_INDEXES = {
    "conversation_by_state": "what is open, and what has ended by itself, is looked for on all sites at once",
    "mail_answer_due": "what is due to the mail server of any site: the index has nothing else",
    "notice_delivery_due": "what is due to an address of any site: the index has nothing else",
}
"""Indexes of tables by site that do not begin with it, and why."""

OVER_ALL_SITES: Mapping[str, str] = {
    "FROM chat_look": "each collector keeps how every site's dialog looks in memory: one row a site",
    "FROM chat_block": "each collector keeps who is blocked on all sites in memory: 500 a site at most",
    "AND conversation.agent_id IN": "the open chats of agents who have gone, on whichever sites",
    "FROM conversation JOIN visit ON visit.site_id =": "open chats whose visitor has gone, or is back",
    "FROM chat_rule ORDER BY": "each collector keeps the rules of all sites in memory: 20 a site at most",
    "FROM site_change LEFT OUTER JOIN site ON": "what feeds follow: one row a site",
    "FROM conversation WHERE conversation.state IN": "invitations that wait, of which agents' lists have all",
    "FROM conversation WHERE (conversation.state =": "open chats, of which agents' lists have all",
    "FROM conversation LEFT OUTER JOIN visit ON visit.site_id =": "chats that have ended by themselves",
    "FROM site_origin GROUP BY": "what Health shows of all sites: 200 rows a site at most",
    "FROM notice_address WHERE notice_address.is_enabled": "what is looked for: ten addresses a site at most",
    "DISTINCT mail_answer.site_id": "what is due to the mail server of any site",
    "FROM mail_answer WHERE mail_answer.due_at IS NOT NULL LIMIT": "whether there is one: the index has nothing else",
    "FROM mail_server LIMIT": "whether any site has one: a row a site at most",
    "DISTINCT notice_delivery.site_id": "what is due to an address of any site",
    "count(*) AS count_1 FROM notice_delivery WHERE notice_delivery.is_given_up": "Health counts those of all sites",
    "count(*) AS count_1 FROM mail_answer": "Health counts those of all sites",
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
    with recorded(TABLES) as statements:
        collector: RunningCollector = run_collector(postgres_url)
        a_day(collector)
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

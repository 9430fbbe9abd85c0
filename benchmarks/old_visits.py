"""Visits as version 0010 has stored them, made by the database itself, and sums of what is stored of them."""

# ruff: noqa: S608 (statements are made of the names and numbers below only)
from __future__ import annotations

import sys
import time

from servers import ROOT
from sqlalchemy import Engine, text

sys.path.insert(0, str(ROOT))

from core.database import reading
from tests.helpers.old_schema import load_released

PAGES = 3
LASTED = 90 * 24 * 60 * 60 * 1000
"""Milliseconds over which the visits have begun; the newest are live."""

_EMPTIED = ("visit", "page_view", "visit_span", "conversation", "message", "backlog", "visit_edit")
_ID = "CAST(1000000000000000 + (n * 7919000023) % 899999999999999 AS VARCHAR)"
"""In another order than the visits' own, as a browser's random ids are."""

_CHAT = "'chat' || CAST(n AS VARCHAR)"
_SITE = "1 + n % 2"
_OWN_TITLE = (
    "CASE WHEN n % 10 = 0 THEN 'A title of its own, ' || CAST(n AS VARCHAR) || ' ' || CAST(k AS VARCHAR)"
    " ELSE 'Amber oolong ' || CAST((n + k) % 500 AS VARCHAR) || ': tea and cups of the harbour' END"
)
_TAB = "'tab' || CAST((n * 104729) % 99999989 AS VARCHAR) || CASE k WHEN 3 THEN 'b' ELSE 'a' END"
_SUMS = {
    "visit": "count(*), sum(started_at % 1000000007), sum(last_activity_at % 1000000007), sum(page_count), sum(length(id)),"
    " sum(length(entry_path)), sum(length(current_title)), sum(length(attributes)), sum(visit_number)",
    "page_view": "count(*), sum(viewed_at % 1000000007), sum(number), sum(length(path)), sum(length(title)),"
    " sum(length(page_context)), sum(length(visit_id)), count(DISTINCT title)",
    "visit_span": "count(*), sum(from_at % 1000000007), sum(until_at % 1000000007), sum(number), sum(length(kind)),"
    " sum(length(visit_id)), count(CASE WHEN is_open THEN 1 END)",
}


def fill(engine: Engine, visits: int) -> None:
    """The tables of version 0010 with so many visits on two sites: three page views in two tabs each, six spans,
    every tenth with titles of its own, every fiftieth with a chat, every hundredth live."""
    with engine.connect().execution_options(writes=True) as db, db.begin():
        if engine.dialect.name == "postgresql":
            db.exec_driver_sql("SET LOCAL statement_timeout = 0")
        load_released(db, "0010")
        for table in _EMPTIED:
            db.exec_driver_sql(f"DELETE FROM {table}")
        for statement in _statements(visits, int(time.time() * 1000)):
            db.execute(text(statement))


def sums(engine: Engine) -> dict[str, tuple[int, ...]]:
    """Of each table, before and after the upgrade: its rows, then sums of its columns.

    Of a moment its rest: SQLite's sums end at 2^63, which six million moments are above.
    """
    found: dict[str, tuple[int, ...]] = {}
    with reading(engine) as db:
        if engine.dialect.name == "postgresql":
            db.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for table, listed in _SUMS.items():
            row = db.execute(text(f"SELECT {listed} FROM {table}")).one()
            found[table] = tuple(map(int, row))
    return found


def _statements(visits: int, now: int) -> list[str]:
    last = "WITH RECURSIVE visits(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM visits"
    numbers = f"{last} WHERE n < {visits}), pages(k) AS (VALUES (1), (2), (3)) "
    n = "CAST(n AS BIGINT)"
    began = f"({now - LASTED} + {n} * {LASTED} / {visits + 1})"
    id = _ID.replace("n *", f"{n} *")
    tab = _TAB.replace("n *", f"{n} *")
    memory = (
        '\'{"tabs":{"\' || '
        + tab.replace("CASE k WHEN 3 THEN 'b' ELSE 'a' END", "'a'")
        + " || '\":[2,'"
        f" || CAST({began} AS VARCHAR) || ',true,2,' || CAST({began} AS VARCHAR) || ',2,'"
        f" || CAST({began} AS VARCHAR) || ',' || CAST({began} AS VARCHAR)"
        ' || \',1,"/","Harbour Tea",""]},"current_tab":""}\''
    )
    texts = "'Google', 'search', '', '', 'Firefox', 'Linux', 'desktop', 'DE', 'de', 'Europe/Berlin'"
    return [
        f"{numbers}INSERT INTO visit (site_id, id, visitor_id, follows, started_at, last_seen_at,"
        " last_activity_at, in_view_until, page_count, entry_path, current_path, current_title, page_context,"
        " referrer, source, source_kind, medium, campaign, browser, os, device, country, language, time_zone,"
        " attributes, chat_source, chat_started_at, chat_message_at, memory, cart_value, cart_currency,"
        f" visit_number) SELECT {_SITE}, {id}, CASE WHEN n % 3 = 0 THEN 'visitor' || {id} ELSE '' END, '',"
        f" {began}, {began} + 90000, {began} + 90000, {began} + 90000, {PAGES}, '/',"
        " '/products/amber-oolong-' || CAST(n % 500 AS VARCHAR),"
        " 'Amber oolong: tea and cups of the harbour', 'Product', 'https://www.google.com/',"
        f" {texts}, CASE WHEN n % 7 = 0 THEN '{{\"name\":\"Ann\"}}' ELSE '{{}}' END, '', NULL, NULL,"
        f" {memory}, 0, '', n % 4 FROM visits",
        f"{numbers}INSERT INTO page_view (site_id, visit_id, tab, number, viewed_at, path, title, page_context)"
        f" SELECT {_SITE}, {id}, {tab}, k, {began} + k * 20000, '/products/amber-oolong-'"
        f" || CAST((n + k) % 500 AS VARCHAR), {_OWN_TITLE}, 'Product' FROM visits CROSS JOIN pages",
        f"{numbers}INSERT INTO visit_span (site_id, visit_id, tab, kind, number, from_at, until_at, is_open)"
        f" SELECT {_SITE}, {id}, {tab}, kind, k, {began} + k * 20000, {began} + k * 20000 + 15000,"
        f" n > {visits} - {visits} / 100 FROM visits CROSS JOIN pages"
        " CROSS JOIN (SELECT 'in_view' AS kind UNION ALL SELECT 'active') AS kinds",
        f"{numbers}INSERT INTO conversation (site_id, id, visit_id, token, tab, opened_by, rule_id, agent_id, state,"
        " created_at, closed_by, message_count, agent_read, visitor_read, revision)"
        f" SELECT {_SITE}, {_CHAT}, {id}, {_CHAT}, '', 'agent', '', 1, 'ended', {began}, '', 1, 1, 1, n"
        " FROM visits WHERE n % 50 = 0",
        f"{numbers}INSERT INTO visit_span (site_id, visit_id, tab, kind, number, from_at, until_at, is_open)"
        f" SELECT {_SITE}, {id}, {_CHAT}, 'chatting', 1, {began} + 30000, {began} + 60000, false"
        " FROM visits WHERE n % 50 = 0",
    ]

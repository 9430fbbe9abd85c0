"""No question reads a large table from its beginning to its end, or all that a site has in it.

What reaches the database in a day of a small installation is explained in one with a past: its plan has to
search each large table along an index, further than by the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from benchmarks.history import fill
from core.database import is_sqlite, open_database
from core.moment import from_milliseconds
from tests.helpers.day_of_queries import a_day, recorded
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.running_collector import RunningCollector

pytestmark = pytest.mark.long

PAST = 20_000

LARGE = frozenset(
    (
        "visit",
        "page_view_row",
        "visit_span_row",
        "visit_change_row",
        "conversation",
        "message",
        "page",
    )
)
"""The tables that grow with the visits."""

IN_VIEWS = ("r", "v", "p")
"""What the views call the tables that they show."""

VIEWS = ("page_view", "visit_span", "visit_change")

FEW = ("conversation_open", "conversation_by_state")
"""Indexes of what is open, or has one state."""

READS_MUCH: Mapping[str, str] = {
    ") IN (SELECT": "what a deleted site has besides its visits: a bite of it, and few rows are left by then",
    "SELECT count(*) AS count_1 FROM visit WHERE visit.site_id =": "how far the deletion of a site is",
    "SELECT max(conversation.revision)": "the end of an index",
    "SELECT min(visit.last_activity_at)": "both ends of an index",
    "SELECT max(visit.number)": "the end of an index",
    "visit.last_activity_at >= %(last_activity_at_1)s::BIGINT AND visit.last_activity_at < %(last_activity_at_2)s": (
        "a bite of the visits that are counted by day: the first one of a day, which would be all of the past here"
    ),
    "FROM page WHERE page.site_id =": "the pages of a funnel or a filter: each is compared with a path or a context",
    "lower(visit.attributes) LIKE lower(": "the owner's command that looks for whom a page has named so: by parts,"
    " of which the first is all of a past so short",
}
"""Words of the questions that read more, and why."""

_SEARCHED = re.compile(r"(?:SCAN|SEARCH) (\w+)")
_BY_SITE_ONLY = re.compile(r"SEARCH \w+ USING .*\(site_id=\?\)$")
_CONDITION = re.compile(r"\w\)?(?:::\w+)? [<>=]")


@pytest.fixture
def past_url(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Another database of the same kind, without tables."""
    if is_sqlite(database_url):
        yield f"sqlite:///{tmp_path / 'past.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    server.execute("CREATE DATABASE past")
    yield server.url("past")
    server.execute("DROP DATABASE past WITH (FORCE)")


@pytest.mark.timeout(240)
def test_every_plan_is_an_index_search_but_for_a_reason(
    run_collector: Any, database_url: str, past_url: str
) -> None:
    collector: RunningCollector = run_collector(database_url)
    fill(past_url, PAST, 0, from_milliseconds(collector.clock.now))
    with recorded((*LARGE, *VIEWS)) as statements:
        a_day(collector)
    engine = open_database(past_url)
    found = {
        " ".join(statement.split()): reads
        for statement, parameters in statements.items()
        if (reads := list(large_reads(engine, statement, parameters)))
    }
    engine.dispose()
    excused = {each: [words for words in READS_MUCH if words in each] for each in found}
    others = [f"{each}\n  {found[each]}" for each in found if not excused[each]]
    assert not others, "\n".join(others)
    assert {words for each in excused.values() for words in each} <= READS_MUCH.keys()


def large_reads(engine: Engine, statement: str, parameters: Any) -> Iterator[str]:
    """The parts of the plan that read a large table as a whole, or all of a site's rows in it."""
    with engine.connect() as connection:
        transaction = connection.begin()
        if engine.dialect.name == "sqlite":
            yield from _large_reads_of_sqlite(connection, statement, parameters)
        else:
            yield from _large_reads_of_postgres(connection, statement, parameters)
        transaction.rollback()


def _large_reads_of_sqlite(
    connection: Connection, statement: str, parameters: Any
) -> Iterator[str]:
    explained = f"EXPLAIN QUERY PLAN {statement}"
    for *_, step in connection.exec_driver_sql(explained, parameters):
        table = _SEARCHED.match(step)
        is_large = table is not None and table[1] in (*LARGE, *IN_VIEWS)
        if is_large and (step.startswith("SCAN") or _BY_SITE_ONLY.match(step)):
            yield step


def _large_reads_of_postgres(
    connection: Connection, statement: str, parameters: Any
) -> Iterator[str]:
    # In a past so short these are quicker.
    for other in ("seqscan", "hashjoin", "mergejoin"):
        connection.exec_driver_sql(f"SET LOCAL enable_{other} = off")
    explained = f"EXPLAIN (FORMAT JSON) {statement}"
    ((plan,),) = connection.exec_driver_sql(explained, parameters).all()
    nodes = [(plan[0]["Plan"], "")]
    for node, of_table in nodes:
        table, kind = node.get("Relation Name", of_table), node["Node Type"]
        # The scans below that of a heap name no table.
        below = table if kind.startswith("Bitmap") else ""
        nodes.extend((each, below) for each in node.get("Plans", []))
        if table in LARGE and kind.endswith("Scan") and kind != "Bitmap Heap Scan":
            index, searched = node.get("Index Name"), str(node.get("Index Cond", ""))
            if index not in FEW and not _CONDITION.search(searched.replace("site_id =", "")):
                yield f"{kind} of {table} by {index}: {searched}"

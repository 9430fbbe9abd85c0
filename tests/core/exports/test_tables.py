"""What is exported is what the tables and views show, each row once, on both databases."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.database import reading
from core.exports.tables import Export, ExportTable
from core.moment import from_milliseconds
from core.tables import (
    Conversation,
    Message,
    Page,
    PageView,
    Site,
    VisitChange,
    VisitChangeRow,
    VisitCount,
    VisitSpan,
)
from core.visits.calendar import day_period
from core.visits.presence import SpanKind
from core.visits.row_keys import page_id

SECOND = timedelta(seconds=1)
DAY = day_period(date(2026, 11, 22), "Europe/Berlin")
VIEWS = {
    ExportTable.PAGE_VIEWS: PageView,
    ExportTable.SPANS: VisitSpan,
    ExportTable.CHANGES: VisitChange,
}


def exported(database, table, period=DAY, **options):
    """The rows as dictionaries, with moments as such."""
    export = Export(table, 7, period, **options)
    with reading(database) as db:
        there = export.count(db)
    bites = list(export.bites(database, rows_a_bite=2))
    assert sum(bite.passed for bite in bites) == there
    names = [column.name for column in export.columns]
    return [
        {
            name: from_milliseconds(value) if name.endswith("_at") and value else value
            for name, value in zip(names, row, strict=True)
        }
        for bite in bites
        for row in bite.rows
    ]


def shown(database, view):
    """The rows of site 7 as the view shows them."""
    table = view.__table__
    with reading(database) as db:
        rows = db.execute(select(table).where(table.c.site_id == 7).order_by(*table.primary_key))
        return [{k: v for k, v in row.items() if k != "site_id"} for row in rows.mappings()]


@pytest.fixture
def visits(store, make_visit):
    """store the visits of a day that began at the same moments, of another day, and of another site."""
    day = [make_visit(f"v{at}", started_at=DAY.from_at + at // 3 * SECOND) for at in range(8)]
    others = [
        make_visit("before", started_at=DAY.from_at - SECOND / 1000),
        make_visit("after", started_at=DAY.until_at),
        make_visit("elsewhere", site_id=8, started_at=DAY.from_at),
    ]
    store(Site(id=7, key="shop", name="Shop", created_at=DAY.from_at), *day, *others)
    return day


def test_visits_of_a_day_are_exported_each_once_in_their_order(database, visits):
    rows = exported(database, ExportTable.VISITS)
    assert [row["id"] for row in rows] == [visit.id for visit in visits]
    assert rows[0]["started_at"] == DAY.from_at
    assert rows[0]["attributes"] == "{}"
    assert "site_id" not in rows[0]


@pytest.mark.parametrize(("table", "view"), VIEWS.items(), ids=lambda each: str(each))
def test_what_belongs_to_visits_is_exported_as_the_view_shows_it(
    database, store, visits, table, view
):
    for visit in visits:
        at = visit.started_at
        of_tab: dict[str, Any] = {"site_id": 7, "visit_id": visit.id, "tab": 1}
        for number in (1, 2):
            seen = at + number * SECOND
            says: dict[str, Any] = {"path": f"/{number}", "title": "T", "page_context": "Cart"}
            store(PageView(**of_tab, number=number, viewed_at=seen, **says))
        for kind in SpanKind:
            store(VisitSpan(**of_tab, kind=kind, number=1, from_at=at, until_at=at + 9 * SECOND))
    store(Page(site_id=7, id=page_id("/x", "X", ""), uses=1, path="/x", title="X"))
    for number, kind, page in ((1, 0, page_id("/x", "X", "")), (2, 1, 0), (3, 2, 0)):
        change = VisitChangeRow(site_id=7, visit=1, number=number, kind=kind, changed_after=5)
        change.page, change.told = page, "" if page else '{"a":"b"}'
        store(change)
    rows = exported(database, table)
    expected = shown(database, view)
    by_key = [name for name in ("visit_id", "tab", "kind", "number") if name in expected[0]]
    assert len(expected) >= 3

    def key(row):
        return [row[name] for name in by_key]

    assert sorted(rows, key=key) == sorted(expected, key=key)


def conversation(id, at, **columns):
    plain: dict[str, Any] = {
        "site_id": 7,
        "id": id,
        "visit_id": "v",
        "token": f"secret{id}",
        "revision": 1,
    }
    return Conversation(**plain, opened_by="visitor", state="ended", created_at=at, **columns)


def test_words_are_exported_only_when_asked_for(database, store):
    at = DAY.from_at
    store(conversation("c1", at, email="a@b.example", rating_text="Slow"))
    for number in (1, 2, 3):
        plain: dict[str, Any] = {
            "site_id": 7,
            "conversation_id": "c1",
            "number": number,
            "revision": number,
        }
        said: dict[str, Any] = {
            "author": "visitor",
            "client_id": f"client{number}",
            "text": "Secret tea",
        }
        store(Message(**plain, **said, sent_at=at + number * SECOND))
    [chat] = exported(database, ExportTable.CONVERSATIONS)
    messages = exported(database, ExportTable.MESSAGES)
    assert not {"email", "rating_text", "token"} & chat.keys()
    assert [row["number"] for row in messages] == [1, 2, 3] and "text" not in messages[0]
    [chat] = exported(database, ExportTable.CONVERSATIONS, with_words=True)
    assert (chat["email"], chat["rating_text"]) == ("a@b.example", "Slow")
    assert "token" not in chat
    assert exported(database, ExportTable.MESSAGES, with_words=True)[2]["text"] == "Secret tea"


def test_counts_are_those_of_the_slots_in_the_period(database, store):
    for number in range(5):
        starts_at = DAY.from_at + (number - 1) * timedelta(minutes=15)
        store(VisitCount(site_id=7, starts_at=starts_at, visits=number))
    rows = exported(database, ExportTable.COUNTS)
    assert [row["visits"] for row in rows] == [1, 2, 3, 4]


@pytest.mark.parametrize("table", ExportTable)
def test_nothing_stored_is_no_row(database, table):
    assert exported(database, table) == []

"""Visitor Monitor runs for years: no table grows without end."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import func, select

from core.chat.blocks import block
from core.chat.contact import set_email
from core.chat.conversations import open_as_visitor
from core.chat.notes import add_note
from core.chat.store import find_by_token
from core.database import reading, writing
from core.mail.answers import answer_by_mail
from core.mail.server import set_server
from core.moment import from_milliseconds
from core.notices.addresses import add_address
from core.notices.kinds import NoticeKind
from core.reasons import Refused
from core.sites import list_sites
from core.table_ends import TABLE_ENDS, TableEnd
from core.tables import Table
from tests.helpers.collector_chats import attend, open_chat
from tests.helpers.day_counting import count_days
from tests.helpers.mail_server_fields import server_fields
from tests.helpers.running_collector import DAY, FakeClock, RunningCollector, view, wait_for

LEFT = "d1b2c3d4e5f6g7h8"
TABLES = Table.metadata.tables
GO_BY_THEMSELVES = {
    name for name, end in TABLE_ENDS.items() if end in (TableEnd.RETENTION, TableEnd.AGE)
}


def rows_of(collector: RunningCollector) -> Mapping[str, int]:
    """How many rows each table has."""
    with reading(collector.engine) as db:
        return {
            name: db.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in TABLES.items()
        }


def want_all(collector: RunningCollector) -> None:
    """An address of each site for everything that happens there."""
    with writing(collector.engine) as db:
        for site in list_sites(db):
            now, kinds = from_milliseconds(collector.clock.now), list(NoticeKind)
            add_address(db, site.id or 0, "json://127.0.0.1:9/", now, kinds=kinds, minutes=5)


def answer_by_the_mail_server(collector: RunningCollector, agent_id: int) -> None:
    """What a visitor left while nobody was there."""
    collector.post(view(), visit=LEFT)
    now = from_milliseconds(collector.clock.now)
    with writing(collector.engine) as db:
        set_server(db, 1, server_fields())
        chat = open_as_visitor(
            db,
            site_id=1,
            visit_id=LEFT,
            tab="",
            client_id="left00000001",
            text="Hello?",
            is_offered=True,
            is_attended=False,
            now=now,
        )
        assert not isinstance(chat, Refused)
        set_email(db, chat, "ada@example.org", now)
        answer_by_mail(db, chat, agent_id=agent_id, client_id="mail0001", text="Yes", now=now)


def note_and_block(collector: RunningCollector, agent_id: int, token: str) -> None:
    """What an agent does with the chat."""
    now = from_milliseconds(collector.clock.now)
    with writing(collector.engine) as db:
        chat = find_by_token(db, 1, token)
        assert chat is not None
        add_note(db, chat, agent_id=agent_id, client_id="note0001", text="Rude", now=now)
        block(db, chat, agent_id, now)


def fill(collector: RunningCollector) -> None:
    """What every kind of row comes from that goes by itself: visits, a chat, refusals, a warning."""
    agent = attend(collector)
    want_all(collector)
    note_and_block(collector, agent.id or 0, open_chat(collector))
    answer_by_the_mail_server(collector, agent.id or 0)
    collector.post(view(), site="open", headers={"Origin": "https://copy.example"})
    collector.post(
        {"e": "i", "n": 2, "i": {"name": "Ann"}},
        site="open",
        headers={"Origin": "https://copy.example"},
    )
    collector.post(view(), site="nobody")
    collector.post(view(), headers={"Origin": "https://evil.example"})
    collector.post(view(), headers={"X-Forwarded-For": "198.51.100.1"})
    wait_for(lambda: all(rows_of(collector)[name] for name in GO_BY_THEMSELVES - {"visit_chunk"}))
    count_days(collector.engine, collector.clock.now + DAY)
    assert all(rows_of(collector)[name] for name in GO_BY_THEMSELVES)


def test_every_table_has_an_end():
    assert set(TABLE_ENDS) == set(TABLES)


@pytest.mark.long
@pytest.mark.parametrize("retention_days", [90, 0])
def test_counts_that_nobody_has_seen_for_long_go_by_themselves(
    run_collector, database_url, retention_days
):
    first = run_collector(database_url)
    fill(first)
    before = rows_of(first)

    clock = FakeClock()
    clock.advance((retention_days or 400) * DAY + DAY)
    later = run_collector(database_url, clock=clock, retention_days=retention_days)

    gone = (
        GO_BY_THEMSELVES if retention_days else {"drop_count", "site_origin", "collector_warning"}
    )
    wait_for(lambda: not any(rows_of(later)[name] for name in gone))
    assert rows_of(later)["visit_count"] == before["visit_count"] > 0

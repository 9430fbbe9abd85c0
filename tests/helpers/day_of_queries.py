"""A day of a small installation: what a collector, its chores and the pages ask the database in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, event

from collector.writing.housekeeping import Housekeeping
from collector.writing.retention_chore import Retention
from collector.writing.write_load import WriteLoad
from core.agents import add_agent
from core.chat.blocks import all_blocked, block, lift_block, list_blocks
from core.chat.contact import set_email
from core.chat.conversations import open_as_visitor
from core.chat.departure import note_departures
from core.chat.handover import give, take_over
from core.chat.left_messages import drop_left_messages, mark_done
from core.chat.notes import add_note
from core.chat.queries import open_by_visit
from core.chat.rules import add_rule, list_rules
from core.chat.search import count_found, found_conversations
from core.chat.states import TemplateKind, Trigger
from core.chat.templates import add_template, list_templates, mark_used
from core.chat.vacancy import UnheardAgents, vacate_due
from core.database import reading, writing
from core.exports.tables import Export, ExportTable
from core.frames import (
    conversations_frame,
    messages_frame,
    online_by_minute,
    picture_at,
    visitor_at,
)
from core.health.reading import read_health
from core.health.report import CollectorSigns
from core.mail.answers import answer_by_mail, mail_answers, send_again
from core.mail.deliveries import count_not_sent, due_answers, has_answers_on_their_way
from core.mail.deliveries import note_failed as note_mail_failed
from core.mail.deliveries import note_sent as note_mail_sent
from core.mail.deliveries import take as take_mail
from core.mail.mail_outcome import MailOutcome
from core.mail.server import (
    delete_server,
    has_servers,
    note_server,
    server_state,
    set_server,
    sites_with_server,
)
from core.moment import from_milliseconds
from core.notices.addresses import add_address, address_states, change_address, delete_address
from core.notices.deliveries import count_given_up, due_deliveries, note_failed, note_sent, take
from core.notices.events import find_events
from core.notices.kinds import NoticeKind
from core.notices.queries import notices_since
from core.notices.store import forget_notices, store_events
from core.notices.text import notice_text
from core.notices.wishes import current_wishes
from core.reasons import Refused
from core.removal import delete_some, removals, remove_site
from core.settings import settings
from core.site_changes import site_revisions
from core.sites import find_site
from core.tables import Site
from core.trends import (
    TrendFilters,
    chat_effect,
    funnel,
    last_days,
    read_funnel_steps,
    trends,
)
from core.visitor_data import (
    count_stored,
    export_visits,
    forget_visits_of,
    visits_of_person,
    visits_with,
)
from core.visits.arrivals import count_page_views, drops, last_page_view, origins
from core.visits.calendar import Period
from core.visits.past_moments import known_since, next_event_after, previous_event_before
from pages.server.payloads import conversation_payload, news_since
from tests.helpers.collector_chats import attend, open_chat, refresh, say, send_invitation
from tests.helpers.day_counting import count_days
from tests.helpers.mail_server_fields import server_fields
from tests.helpers.running_collector import DAY, HOUR, MINUTE, RunningCollector, view, wait_for

LEFT = "d1b2c3d4e5f6g7h8"
VISITS = ("a1b2c3d4e5f6g7h8", "b1b2c3d4e5f6g7h8", "c1b2c3d4e5f6g7h8")


@contextmanager
def recorded(tables: Collection[str]) -> Iterator[dict[str, Any]]:
    """The statements on these tables that any engine runs meanwhile, each with the parameters of its last run."""
    statements: dict[str, Any] = {}

    def record(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        if any(is_of(name, statement) for name in tables) and statement.split()[0] in (
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
            "WITH",
        ):
            statements[statement] = parameters[0] if many and parameters else parameters

    event.listen(Engine, "before_cursor_execute", record)
    yield statements
    event.remove(Engine, "before_cursor_execute", record)


def a_day(collector: RunningCollector) -> None:
    """A visit with chats is recorded, read, over and past its retention; a visitor and a site go."""
    a_visit_with_chats(collector)
    a_team_cares(collector)
    notices_are_told(collector)
    what_was_left_is_answered(collector)
    pages_are_read(collector)
    tables_are_exported(collector)
    time_goes_by(collector)
    trends_are_told(collector)
    a_visitor_is_forgotten(collector)
    a_site_is_deleted(collector)


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


def notices_are_told(collector: RunningCollector) -> None:
    """As the collector and its sender do, with a page of the dashboard open."""
    now = from_milliseconds(collector.clock.now)
    with writing(collector.engine) as db:
        site = find_site(db, "shop1")
        assert site is not None
        address = add_address(
            db, 1, "json://x/", now - timedelta(hours=1), kinds=list(NoticeKind), minutes=1
        )
        later = now + timedelta(minutes=1)
        wishes = current_wishes(db, later)
        store_events(db, find_events(db, wishes.by_site, later), wishes, later)
        for due in due_deliveries(db, later):
            mine = take(db, due, later)
            for notice in mine.notices:
                notice_text(db, site, notice, with_words=True)
            note_failed(db, mine, "no answer", later)
            note_sent(db, mine, later)
        notices_since(db, {})
        address_states(db, 1)
        count_given_up(db)
        change_address(db, 1, address, is_enabled=False)
        forget_notices(db, now + timedelta(days=30), 10)
        delete_address(db, 1, address)


def what_was_left_is_answered(collector: RunningCollector) -> None:
    """By the site's mail server: it fails, and then it works."""
    collector.post(view(), visit=LEFT)
    now = from_milliseconds(collector.clock.now)
    with writing(collector.engine) as db:
        site = find_site(db, "shop1")
        assert site is not None
        set_server(db, 1, server_fields())
        has_servers(db)
        sites_with_server(db, [1])
        server_state(db, 1)
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
        answer_by_mail(db, chat, agent_id=1, client_id="mail00000001", text="Yes", now=now)
        has_answers_on_their_way(db)
        for outcome in (MailOutcome("no", is_final=True), MailOutcome()):
            for due in due_answers(db, now)[1]:
                take_mail(db, due, site, now)
                if outcome.fault:
                    note_mail_failed(db, due, outcome, now)
                else:
                    note_mail_sent(db, due, now)
            send_again(db, chat, 2, now)
        mail_answers(db, [(1, chat.id)])
        count_not_sent(db)
        note_server(db, 1, "", now)
        delete_server(db, 1)


def pages_are_read(collector: RunningCollector) -> None:
    now = from_milliseconds(collector.clock.now)
    with reading(collector.engine) as db:
        site = find_site(db, "shop1")
        assert site is not None
        picture_at(db, [site], now, now)
        picture_at(db, [site], now, now, 100)
        visitor_at(db, site, VISITS[0], now, now)
        past_is_read(db, site, now)
        site_revisions(db)
        news_since(db, 0, collector.clock.now)
        news = news_since(db, collector.clock.now - HOUR, collector.clock.now)
        conversation_payload(db, "shop1", news["conversations"][0]["id"])
        period = (now - timedelta(days=30), now)
        found_conversations(db, 1, "", *period)
        messages_frame(db, found_conversations(db, 1, "good", *period))
        conversations_frame(db, found_conversations(db, 1, "", *period, offset=50))
        count_found(db, 1, "", *period)
        count_found(db, 1, "good", *period)
        open_by_visit(db, 1)
        list_rules(db, 1)
        list_templates(db, 1, TemplateKind.REPLY)
        count_page_views(db, 1, now - timedelta(minutes=5), now)
        last_page_view(db, 1, now)
        origins(db, 1)
        drops(db, 1, now)
        removals(db)
        read_health(db, settings(), CollectorSigns(), now)


def past_is_read(db: Connection, site: Site, now: datetime) -> None:
    """While the visits went on."""
    for back in (timedelta(seconds=1), timedelta(seconds=4)):
        picture_at(db, [site], now - back, now)
        picture_at(db, [site], now - back, now, 100)
        visitor_at(db, site, VISITS[2], now - back, now)
        next_event_after(db, [1], now - back, now)
        previous_event_before(db, [1], now - back)
    online_by_minute(db, [site], now - timedelta(days=1), now, now)
    known_since(db, [1], timedelta(days=90), now)


def tables_are_exported(collector: RunningCollector) -> None:
    now = from_milliseconds(collector.clock.now)
    period = Period(now - timedelta(days=1), now + timedelta(days=1))
    for table in ExportTable:
        export = Export(table, 1, period, with_words=True)
        with reading(collector.engine) as db:
            export.count(db)
        list(export.bites(collector.engine, rows_a_bite=1))


def time_goes_by(collector: RunningCollector) -> None:
    """What the collector does by itself, with what is over and with what is old."""
    wait_for(lambda: collector.rows("SELECT 1 FROM site_origin WHERE site_id = 1"))
    wait_for(lambda: collector.rows("SELECT 1 FROM drop_count WHERE site_id = 0"))
    load = WriteLoad(lambda: 0)
    for ahead in (21 * MINUTE, 31 * DAY):
        later = collector.clock.now + ahead
        retention = Retention(90, 30)
        Housekeeping(collector.engine, retention, load, partial(int, later)).do_due()


def trends_are_told(collector: RunningCollector) -> None:
    """Of days that are counted, of one that is not, and with filters."""
    later = from_milliseconds(collector.clock.now + 3 * DAY)
    count_days(collector.engine, collector.clock.now + 3 * DAY)
    with reading(collector.engine) as db:
        site = find_site(db, "shop1")
        assert site is not None
        counted = last_days(site.time_zone, later, 7)
        trends(db, site, counted, later)
        trends(db, site, counted, later, TrendFilters(source="Direct"))
        trends(db, site, counted, later, TrendFilters(page="/cart", context="Cart"))
        funnel(db, site, counted, read_funnel_steps(site.funnel_steps))
        chat_effect(db, site, counted)


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

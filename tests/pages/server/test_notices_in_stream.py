"""Notices in the agents' stream: for who sees the site, once, and without a visitor's words."""

from __future__ import annotations

import json

import pytest

from core.database import reading, writing
from core.notices.events import NoticeEvent
from core.notices.kinds import NoticeKind
from core.notices.store import store_events
from core.notices.wishes import Wishes
from core.tables import Site
from pages.server.agent_changes import AGENT_FEED
from pages.server.news import read_news, read_news_since
from tests.helpers.dashboard_chats import now, visitor_opens
from tests.helpers.event_loop import run
from tests.helpers.seed import make_site
from tests.pages.conftest import Database


@pytest.fixture
def site(database: Database) -> Site:
    return make_site(database.engine, key="tea", name="Tea shop")


def chat_waits(database: Database, site: Site) -> str:
    """A chat that waits, and the notice of it; returns the conversation's id."""
    chat = visitor_opens(database.engine, site, "visit1", "secret words")
    id = f"chat_waits-{chat.id}-1"
    event = NoticeEvent(site.id or 0, id, NoticeKind.CHAT_WAITS, 0, "visit1", chat.id, now())
    with writing(database.engine) as db:
        assert store_events(db, [event], Wishes([], {}), now()) == 1
    return chat.id


def test_notice_comes_to_who_sees_the_site_and_to_nobody_else(
    database: Database, site: Site
) -> None:
    other = make_site(database.engine, key="cups", name="Cups")
    seen, unseen = frozenset({site.id or 0}), frozenset({other.id or 0})
    with reading(database.engine) as db:
        before = AGENT_FEED.newest(db)
    chat = chat_waits(database, site)
    with reading(database.engine) as db:
        changes = AGENT_FEED.since(db, before)

    told = read_news(changes, [None, seen, unseen])

    assert told.keys() == {None, seen}
    (notice,) = json.loads(told[seen].text)["notices"]
    assert notice["title"] == "Tea shop: A chat waits"
    assert notice["path"] == f"/chats?site=tea&conversation={chat}"
    assert "secret words" not in json.dumps(notice)
    with reading(database.engine) as db:
        assert AGENT_FEED.since(db, changes.place).place == changes.place
        assert AGENT_FEED.since(db, changes.place).notices == []


def test_who_was_away_for_a_moment_gets_what_was_missed_and_who_comes_first_gets_none(
    database: Database, site: Site
) -> None:
    chat_waits(database, site)
    [first, again] = [run(read_news_since(known)) for known in (0, int(now().timestamp() * 1000))]

    assert json.loads(first.text)["notices"] == []
    assert len(json.loads(again.text)["notices"]) == 1
    assert json.loads(run(read_news_since(again.revision, frozenset({99}))).text)["notices"] == []

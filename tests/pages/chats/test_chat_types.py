"""chat_types.d.ts names what the server and the component give the agents' client."""

from __future__ import annotations

from typing import Any

import pytest

from core.chat.queries import changes_since
from core.database import reading
from core.tables import AgentNotices, Notice
from pages.parts.chat.client_limits import CLIENT_LIMITS
from pages.server.agent_changes import notice_payloads
from pages.server.payloads import news_of
from tests.helpers.chat_rows import NOW
from tests.helpers.dashboard_chats import visitor_opens
from tests.helpers.seed import make_site
from tests.helpers.type_declarations import declared_keys
from tests.pages.conftest import Database

TYPES = "parts/chat/client/chat_types.d.ts"


@pytest.fixture
def news(database: Database) -> dict[str, Any]:
    site = make_site(database.engine, key="tea", name="Tea shop")
    visitor_opens(database.engine, site, "visit1")
    with reading(database.engine) as db:
        return news_of(db, changes_since(db, 0), 0)


def test_news_are_declared_as_they_are(news: dict[str, Any]) -> None:
    assert declared_keys(TYPES, "NewsJson") == {*news, "whole", "notices"}
    assert declared_keys(TYPES, "ConversationJson") == set(news["conversations"][0])
    assert declared_keys(TYPES, "MessageJson") == set(news["messages"][0])


def test_notices_are_declared_as_they_are(database: Database) -> None:
    site = make_site(database.engine, key="tea", name="Tea shop")
    told = Notice(
        site_id=site.id or 0, id="n", kind="returning", visit_id="v", happened_at=NOW, revision=1
    )
    with reading(database.engine) as db:
        (payload,) = notice_payloads(db, [told])
    assert declared_keys(TYPES, "NoticeJson") == set(payload)
    wanted = AgentNotices(agent_id=1).model_dump(exclude={"agent_id"})
    assert declared_keys(TYPES, "WantedNoticesJson") == set(wanted)


def test_limits_are_declared_as_they_are() -> None:
    assert declared_keys(TYPES, "LimitsJson") == set(CLIENT_LIMITS)


def test_limits_are_in_milliseconds() -> None:
    assert CLIENT_LIMITS == {
        "longest_message": 2_000,
        "typing_every": 3_000,
        "silent_for": 40_000,
        "over_for": 600_000,
    }

"""What agents' streams bring of a site that was deleted: the end of its chats, and then nothing."""

from __future__ import annotations

from core.chat.closing import close_due
from core.chat.queries import changes_since, newest_revision
from core.database import reading, writing
from core.moment import to_milliseconds
from core.removal import delete_some, remove_site
from pages.server.payloads import news_of, news_since
from tests.helpers.dashboard_chats import now, visitor_opens
from tests.helpers.seed import make_site
from tests.pages.conftest import Database


def test_agents_hear_that_the_chats_of_a_deleted_site_are_over(database: Database) -> None:
    site = make_site(database.engine, key="tea", name="Tea shop")
    chat = visitor_opens(database.engine, site, "visit1")
    with writing(database.engine) as db:
        before = newest_revision(db)
        remove_site(db, "tea", "Tea shop", now())
        close_due(db, now())
    moment = to_milliseconds(now())
    with reading(database.engine) as db:
        news = news_of(db, changes_since(db, before), moment)
        everything = news_since(db, 0, moment)
    assert [(each["id"], each["state"]) for each in news["conversations"]] == [(chat.id, "ended")]
    assert everything["conversations"] == []
    with writing(database.engine) as db:
        while not delete_some(db, site.id or 0, 9, 9).is_last:
            pass
        # A browser that was away since before the removal.
        assert news_since(db, before, moment)["conversations"] == []

"""Who is blocked in a site's chat, on the page Sites."""

from __future__ import annotations

from core.chat.blocks import block, list_blocks
from core.database import reading, writing
from tests.helpers.dashboard_chats import make_agent, now, visitor_opens
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site
from tests.pages.conftest import Database, OpenPage


def test_blocked_visitor_is_listed_until_the_block_is_lifted(
    database: Database, open_page: OpenPage
) -> None:
    site = make_site(database.engine, key="tea")
    agent = make_agent(database.engine, "Ann")
    chat = visitor_opens(database.engine, site, "visit1", attributes={"name": "<b>Leo</b> **x**"})
    assert "Blocked visitors" not in texts(open_page("sites"))
    with writing(database.engine) as db:
        block(db, chat.row, agent.id or 0, now())
    page = open_page("sites")
    assert not page.exception
    shown = texts(page)
    assert "Blocked visitors" in shown and "<b>Leo</b> **x**" in shown and "by Ann" in shown
    [lift] = [button for button in page.button if button.label == "Lift"]
    lift.click().run()
    assert not page.exception
    assert "The visitor can chat again." in texts(page)
    assert "Blocked visitors" not in texts(page)
    with reading(database.engine) as db:
        assert list_blocks(db, site.id or 0) == []

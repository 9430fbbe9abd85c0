"""What chat actions do in the writer's transaction, beyond what their routes' tests show."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from collector.chat.actions import InviteByRule, Invited, InviteOnExit
from collector.chat.perform import perform
from core.database import open_database
from core.moment import to_milliseconds
from core.reasons import Reason, Refused
from tests.helpers.chat_rows import NOW, add_rule, add_sites, add_visit, agent

AT = to_milliseconds(NOW)


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Connection]:
    """With the sites 7 and 8; nothing is kept."""
    engine = open_database(sqlite_url)
    with engine.connect().execution_options(writes=True) as connection:
        connection.begin()
        add_sites(connection, 7, 8)
        yield connection
        connection.rollback()
    engine.dispose()


@pytest.mark.parametrize("trigger", ["pages", "exit"])
def test_rule_of_a_site_is_not_used_under_the_lock_of_another(db: Connection, trigger: str) -> None:
    """A short name may be another site's by the time the action's turn comes."""
    agent(db)
    values = {"trigger": trigger, "threshold": 1, "text": "Wait", "is_enabled": True}
    rule = add_rule(db, 8, NOW, **values).id
    add_visit(db, site_id=8, page_context="Cart")

    def invite(site_id: int) -> InviteByRule | InviteOnExit:
        if trigger == "exit":
            return InviteOnExit(site_id, "site8", rule, ("visit",), "tab1", AT)
        return InviteByRule(site_id, "site8", (rule,), "visit", "tab1", AT)

    refused = Reason.NOT_NOW if trigger == "exit" else Reason.UNKNOWN_SITE
    assert perform(db, invite(7)) == Refused(refused)
    assert isinstance(perform(db, invite(8)), Invited)

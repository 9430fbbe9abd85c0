"""The writer looks for what somebody wants to hear of, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event, select

from collector.writing.notice_chore import AGAIN_AFTER, LOOK_EVERY, NoticeChore
from core.agents import add_agent
from core.database import open_database, reading, writing
from core.notices.addresses import add_address, change_address
from core.notices.agent_choice import choose_notices
from core.sites import add_site
from core.tables import Notice, NoticeDelivery
from tests.helpers.chat_rows import MINUTE, NOW, add_visit
from tests.helpers.running_collector import FakeClock


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """A site, on which a visitor has just come back."""
    engine = open_database(database_url)
    with writing(engine) as db:
        add_site(db, name="Tea shop", key="tea", now=NOW)
        add_visit(db, site_id=1, visit_number=2)
    yield engine
    engine.dispose()


@pytest.fixture
def told() -> list[bool]:
    return []


@pytest.fixture
def chore(database: Engine, told: list[bool]) -> NoticeChore:
    return NoticeChore(database, FakeClock(NOW), told.append)


def count(database: Engine, table: type) -> int:
    with reading(database) as db:
        return len(db.execute(select(table)).all())


def test_without_a_wish_no_visit_is_looked_at(database, chore, told):
    statements: list[str] = []
    event.listen(database, "before_cursor_execute", lambda *call: statements.append(call[2]))

    chore.do()

    assert not [each for each in statements if "FROM visit" in each or "conversation" in each]
    assert count(database, Notice) == 0
    assert told == [False]


def test_what_an_agent_wants_is_stored_and_sent_nowhere(database, chore, told):
    with writing(database) as db:
        agent = add_agent(db, "Ann", NOW)
        hours = {"quiet_from": 0, "quiet_until": 0, "time_zone": "UTC"}
        choose_notices(db, agent.id or 0, kinds=["returning"], minutes=5, **hours)

    chore.do()
    chore.do()

    assert (count(database, Notice), count(database, NoticeDelivery)) == (1, 0)
    assert told == [False]


def test_parent_hears_when_the_first_address_comes_and_the_last_one_goes(database, chore, told):
    with writing(database) as db:
        before = NOW - 60 * MINUTE
        address = add_address(db, 1, "json://x/", before, kinds=["returning"], minutes=5)
    chore.do()
    chore.do()
    assert told == [True]
    assert (count(database, Notice), count(database, NoticeDelivery)) == (1, 1)

    with writing(database) as db:
        change_address(db, 1, address, is_enabled=False)
    chore.do()

    assert told == [True, False]
    assert count(database, NoticeDelivery) == 0


def test_of_many_events_so_many_are_stored_at_once_and_the_others_soon_after(
    database, chore, monkeypatch
):
    monkeypatch.setattr("collector.writing.notice_chore.STORED_AT_ONCE", 2)
    with writing(database) as db:
        for name in ("one", "two"):
            add_visit(db, name, site_id=1, visit_number=2)
        before = NOW - 60 * MINUTE
        add_address(db, 1, "json://x/", before, kinds=["returning"], minutes=5)

    assert (chore.do(), count(database, Notice)) == (AGAIN_AFTER, 2)
    assert (chore.do(), count(database, Notice)) == (LOOK_EVERY, 3)


def test_several_collectors_store_an_event_once(database, chore):
    with writing(database) as db:
        before = NOW - 60 * MINUTE
        add_address(db, 1, "json://x/", before, kinds=["returning"], minutes=5)

    for _ in range(2):
        NoticeChore(database, FakeClock(NOW), lambda there_are: None).do()

    assert (count(database, Notice), count(database, NoticeDelivery)) == (1, 1)

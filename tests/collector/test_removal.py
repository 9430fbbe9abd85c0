"""A site is deleted while its visitors are on it: nothing breaks, and nothing is stored any more."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, event

from core.chat.queries import changes_since, newest_revision
from core.database import reading, writing
from core.moment import from_milliseconds
from core.removal import remove_site
from core.sites import add_site
from tests.helpers.collector_chats import (
    VISIT,
    attend,
    offer_chat,
    open_chat,
    open_stream,
    send_invitation,
    state_of,
)
from tests.helpers.running_collector import RunningCollector, running_collector, view, wait_for

OF_SITE = (
    "visit",
    "page",
    "page_view_row",
    "visit_span_row",
    "visit_count",
    "site_origin",
    "conversation",
)


@pytest.fixture
def collector(run_collector: Any, database_url: str) -> RunningCollector:
    """A collector, once on SQLite and once on Postgres."""
    return run_collector(database_url)


@pytest.fixture
def quick_removal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of removed sites go at once, and in small bites; request it before the collector."""
    for name, value in {
        "LOOK_FOR_REMOVED_EVERY": 0.1,
        "REMOVE_AFTER": 0.1,
        "CLOSE_CHATS_EVERY": 0.1,
        "REMOVE_VISITS_AT_ONCE": 2,
        "REMOVE_ROWS_AT_ONCE": 1,
    }.items():
        monkeypatch.setattr(f"collector.writing.housekeeping.{name}", value)


def remove(collector: RunningCollector, key: str = "shop1", name: str = "Shop") -> None:
    with writing(collector.engine) as db:
        remove_site(db, key, name, from_milliseconds(collector.clock.now))


def rows_of_site(collector: RunningCollector, site_id: int = 1) -> dict[str, list[Any]]:
    select = "SELECT * FROM {} WHERE site_id = :id"
    return {name: list(collector.rows(select.format(name), id=site_id)) for name in OF_SITE}


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.headers.get("X-Drop-Reason", "")


def test_removal_between_two_beacons_of_a_visit_stores_no_second_one(collector):
    assert collector.post(view(1)).status_code == 200
    wait_for(lambda: collector.rows("SELECT * FROM site_origin"))
    remove(collector)
    before = rows_of_site(collector)

    # The collector's cache may still know the site, or may not: the website is told the same.
    assert refused(collector.post(view(2, "/cart"))) == (403, "unknown_site")
    assert refused(collector.post(view(1), visit="another000000000")) == (403, "unknown_site")
    collector.refresh_sites()
    assert refused(collector.post(view(3))) == (403, "unknown_site")

    assert collector.post(view(1), site="open").status_code == 200
    wait_for(lambda: collector.drops().get("unknown_site"))
    assert rows_of_site(collector) == before
    assert collector.rows("SELECT DISTINCT site_id FROM drop_count") == [(0,)]


def test_open_chat_ends_for_its_visitor_and_takes_no_more(quick_closing, collector):
    attend(collector)
    token = open_chat(collector, "Hello")
    with open_stream(collector, token) as stream:
        assert stream.next()["state"] == "open"
        remove(collector)
        assert stream.next()["state"] == "ended"
    sent = {"c": token, "n": "visitor0002", "x": "Are you there?"}

    assert refused(collector.call("send", **sent)) == (403, "unknown_site")
    collector.refresh_sites()
    assert refused(collector.call("send", **sent)) == (403, "unknown_site")

    assert state_of(collector, token) == "ended"
    assert collector.row("SELECT count(*) FROM message") == (1,)


def test_invitation_of_a_removed_site_reaches_nobody(collector):
    offer_chat(collector)
    collector.post(view())
    agent = attend(collector)
    send_invitation(collector, agent)
    remove(collector)

    answer = collector.post(view(2))

    assert refused(answer) == (403, "unknown_site")
    assert "invite" not in answer.text
    waiting = collector.app.beacon.offers.waiting
    wait_for(lambda: waiting.find(1, VISIT) is None)


def test_its_rows_go_and_its_key_is_free(quick_removal, collector):
    token = open_chat(collector, "Hello")
    for number in range(7):
        collector.post(view(), visit=f"visit{number:011d}")
    collector.post(view(), site="open")
    remove(collector)

    wait_for(lambda: collector.rows("SELECT key FROM site") == [("open",)])

    assert not any(rows_of_site(collector).values())
    assert token not in collector.everything()
    assert collector.rows("SELECT site_id FROM visit") == [(2,)]
    with writing(collector.engine) as db:
        add_site(db, name="Shop", key="shop1", now=from_milliseconds(collector.clock.now))
    collector.refresh_sites()
    assert collector.post(view()).status_code == 200


def test_removal_goes_on_after_a_restart(quick_removal, database_url, monkeypatch):
    with running_collector(database_url) as before:
        for number in range(9):
            before.post(view(), site="open", visit=f"visit{number:011d}")
        with monkeypatch.context() as patch:
            for name in ("SHORTEST_PAUSE", "LONGEST_PAUSE"):
                patch.setattr(f"collector.writing.bite_pace.{name}", 600)
            remove(before, "open", "Open")
            wait_for(lambda: before.row("SELECT count(*) FROM visit") == (7,))
    with running_collector(database_url) as after:
        wait_for(lambda: after.rows("SELECT key FROM site") == [("shop1",)])
        assert after.row("SELECT count(*) FROM visit") == (0,)


def test_each_bite_goes_on_where_the_last_one_ended(quick_removal, collector):
    for number in range(5):
        collector.post(view(), visit=f"visit{number:011d}")
    begins: list[str] = []

    def note(_db: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT visit.id"):
            values = parameters.values() if isinstance(parameters, dict) else parameters
            begins.append(next((value for value in values if isinstance(value, str)), "nowhere"))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        remove(collector)
        wait_for(lambda: collector.rows("SELECT key FROM site") == [("open",)])
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    assert begins == sorted(begins)
    assert sorted(set(begins)) == ["", *(f"visit{number:011d}" for number in (1, 3, 4))]


def test_left_message_that_is_not_ticked_off_is_dropped_by_agents(quick_closing, collector):
    open_chat(collector, "Call me")
    with reading(collector.engine) as db:
        before = newest_revision(db)
    remove(collector)

    def changed() -> list[tuple[str, bool]]:
        with reading(collector.engine) as db:
            found = changes_since(db, before).conversations
        return [(each.state, each.done_at is not None) for each in found]

    wait_for(lambda: changed() == [("left", True)])

"""The number of a site's changes: it only grows, in the order of the commits, and feeds follow it."""

from __future__ import annotations

from datetime import UTC, datetime
from queue import Queue
from threading import Event, Thread

import pytest

from core.agents import add_agent
from core.chat.conversations import mark_typing
from core.chat.invitations import accept, invite
from core.chat.states import Author
from core.database import open_database, reading, writing
from core.feed import Feed
from core.moment import to_milliseconds
from core.site_changes import (
    SITE_FEED,
    ChangedSites,
    changed_sites,
    newest_revision,
    note_changes,
)
from core.sites import add_site, change_site
from core.tables import Conversation
from tests.helpers.running_collector import wait_for

SOON = 5.0
NOW = datetime(2026, 11, 22, 20, 30, 15, 123_000, UTC)
MOMENT = to_milliseconds(NOW)


@pytest.fixture
def shops(database):
    """The ids of two sites, `one` and `two`."""
    with writing(database) as db:
        sites = [add_site(db, name=name, key=name, now=NOW) for name in ("one", "two")]
    return [site.id for site in sites]


def note(database, site_ids, now=0):
    with writing(database) as db:
        note_changes(db, site_ids, now)


def changed_since(database, revision):
    with reading(database) as db:
        return changed_sites(db, revision)


def newest(database):
    with reading(database) as db:
        return newest_revision(db)


def test_without_a_change_there_is_none(database):
    assert newest(database) == 0
    assert changed_since(database, 0) == ChangedSites({}, 0)


def test_sites_that_change_together_get_one_revision_above_all_others(database, shops):
    before = newest(database)
    note(database, [*shops, *shops])

    changed = changed_since(database, before)
    assert changed.revision > before
    assert changed.sites == {"one": changed.revision, "two": changed.revision}


def test_only_what_changed_since_is_told(database, shops):
    note(database, [shops[0]])
    between = newest(database)
    note(database, [shops[1]])

    assert list(changed_since(database, between).sites) == ["two"]
    assert changed_since(database, newest(database)).sites == {}


@pytest.mark.parametrize("ahead", [-60_000, 0, 1, 60_000])
def test_revision_follows_the_clock_and_never_falls(database, shops, ahead):
    note(database, [shops[0]], MOMENT + 5)
    before = newest(database)
    note(database, [shops[1]], before + ahead)

    assert newest(database) == max(before + ahead, before + 1)


def test_a_site_that_is_added_or_changed_has_changed(database, shops):
    before = newest(database)
    with writing(database) as db:
        change_site(db, "one", name="Another")
    assert list(changed_since(database, before).sites) == ["one"]
    with writing(database) as db:
        change_site(db, "one")
    assert list(changed_since(database, before).sites) == ["one"]


def test_each_step_of_a_chat_changes_its_site_but_typing(database, store, site, make_visit):
    now = datetime.now(UTC)
    store(site, make_visit("visit", last_activity_at=now, started_at=now))
    seen = []

    def step(change):
        before = newest(database)
        with writing(database) as db:
            result = change(db)
        assert isinstance(result, Conversation)
        seen.append(list(changed_since(database, before).sites))
        return result

    with writing(database) as db:
        agent = add_agent(db, "Ann", now)
    invited = step(
        lambda db: invite(
            db, site_id=7, visit_id="visit", agent_id=agent.id or 0, text="Hi", now=now
        )
    )
    opened = step(lambda db: accept(db, invited, now))
    step(lambda db: mark_typing(db, opened, Author.VISITOR, now))
    assert seen == [["shop"], ["shop"], []]


def test_revision_is_given_in_the_order_of_the_commits(database, shops):
    """A second change waits for the first one: else a reader would pass it over."""
    before = newest(database)
    noted, commit = Event(), Event()

    def change_slowly():
        with writing(database) as db:
            note_changes(db, [shops[0]])
            noted.set()
            commit.wait(SOON)

    slow = Thread(target=change_slowly)
    slow.start()
    assert noted.wait(SOON)
    quick = Thread(target=note, args=(database, [shops[1]]))
    quick.start()
    commit.set()
    slow.join()
    quick.join()
    first, second = changed_since(database, before).sites.items()
    assert (first[0], second[0]) == ("one", "two")
    assert first[1] < second[1]


def test_feed_tells_of_a_site_that_another_engine_has_changed(database, database_url, shops):
    told: Queue[ChangedSites] = Queue()
    feed = Feed(database, SITE_FEED, told.put, lambda: None)
    feed.start()
    wait_for(lambda: feed._revision is not None)
    other = open_database(database_url)
    note(other, [shops[1]])
    other.dispose()

    assert list(told.get(timeout=SOON).sites) == ["two"]
    feed.stop()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_postgres_notifies_the_feed_of_sites(database, shops, monkeypatch):
    monkeypatch.setattr("core.feed.LOOK_ANYWAY", SOON + 1)
    told: Queue[ChangedSites] = Queue()
    feed = Feed(database, SITE_FEED, told.put, lambda: None)
    feed.start()
    wait_for(lambda: feed._revision is not None)
    for site_id, key in zip(shops, ("one", "two"), strict=True):
        note(database, [site_id])
        assert list(told.get(timeout=SOON).sites) == [key]
    feed.stop()

"""The number of a site's changes: it only grows, and feeds follow it."""

from __future__ import annotations

from datetime import UTC, datetime
from queue import Queue

import pytest

from core.agents import add_agent
from core.chat.conversations import mark_typing
from core.chat.invitations import accept, invite
from core.chat.states import Author
from core.database import open_database, reading, writing
from core.feed import Feed
from core.locks import lock_site
from core.moment import to_milliseconds
from core.site_changes import (
    SITE_FEED,
    ChangedSites,
    SiteRevisions,
    changed_sites,
    forget_changes,
    note_changes,
    site_revision,
    site_revisions,
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


def changed_since(database, place):
    with reading(database) as db:
        return changed_sites(db, place)


def known(database):
    with reading(database) as db:
        return site_revisions(db).place


def newest(database):
    return max(known(database).values(), default=0)


def test_without_a_change_there_is_none(database):
    assert known(database) == {}
    assert changed_since(database, {}) == ChangedSites({}, SiteRevisions({}, {}))


def test_sites_that_change_together_get_one_revision_above_all_others(database, shops):
    before = known(database)
    note(database, [*shops, *shops])

    changed = changed_since(database, before)
    revision = changed.sites["one"]
    assert revision > max(before.values())
    assert changed.sites == {"one": revision, "two": revision}


def test_only_what_changed_since_is_told(database, shops):
    note(database, [shops[0]])
    between = known(database)
    note(database, [shops[1]])

    assert list(changed_since(database, between).sites) == ["two"]
    assert changed_since(database, known(database)).sites == {}


def test_sum_of_the_revisions_grows_with_each_change_and_never_falls(database, shops):
    def total():
        with reading(database) as db:
            return site_revisions(db).of_sites(None)

    totals = [total()]
    for site_id in shops:
        note(database, [site_id], MOMENT)
        totals.append(total())
    with writing(database) as db:
        forget_changes(db, shops[0])
        assert site_revision(db, shops[0]) == 0
    assert total() == totals[-1]
    note(database, [shops[1]], MOMENT)
    totals.append(total())
    assert totals == sorted(set(totals))


@pytest.mark.parametrize("ahead", [-60_000, 0, 1, 60_000])
def test_revision_follows_the_clock_and_never_falls(database, shops, ahead):
    note(database, [shops[0]], MOMENT + 5)
    before = newest(database)
    note(database, [shops[1]], before + ahead)

    assert newest(database) == max(before + ahead, before + 1)


def test_a_site_that_is_added_or_changed_has_changed(database, shops):
    before = known(database)
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
        before = known(database)
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


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_change_with_a_lower_revision_that_is_committed_last_is_told(database, shops):
    """Sites do not wait for each other: of two, the later revision may be committed first."""
    told: Queue[ChangedSites] = Queue()
    feed = Feed(database, SITE_FEED, told.put, lambda: None)
    feed.start()
    wait_for(lambda: feed._place is not None)
    with writing(database) as db:
        lock_site(db, shops[0])
        note_changes(db, [shops[0]], MOMENT + 5)
        note(database, [shops[1]], MOMENT + 6)
        later = told.get(timeout=SOON)
    earlier = told.get(timeout=SOON)
    feed.stop()

    assert later.sites == {"two": MOMENT + 6}
    assert earlier.sites == {"one": MOMENT + 5}
    sums = [each.revisions.of_sites(None) for each in (later, earlier)]
    assert sums[0] < sums[1]


def test_feed_tells_of_a_site_that_another_engine_has_changed(database, database_url, shops):
    told: Queue[ChangedSites] = Queue()
    feed = Feed(database, SITE_FEED, told.put, lambda: None)
    feed.start()
    wait_for(lambda: feed._place is not None)
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
    wait_for(lambda: feed._place is not None)
    for site_id, key in zip(shops, ("one", "two"), strict=True):
        note(database, [site_id])
        assert list(told.get(timeout=SOON).sites) == [key]
    feed.stop()

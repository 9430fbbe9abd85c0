"""What pages show while they read a replica that is behind: never less than they were told of, and nobody too many."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, make_url, text

from core.accounts.identity import Role
from core.accounts.sessions import end_sessions
from core.database import open_database, reading, writing
from core.deadline import read_replica, replica_state, write
from core.moment import utc_now
from core.replica import ReplicaFault
from core.site_changes import note_changes, site_revision
from core.sites import add_site
from core.tables import Site
from pages.parts.snapshots import TICK, clear_sites, latest_picture, latest_sites
from pages.parts.viewer import read_as
from pages.server.session_book import SESSION_COOKIE, latest_guests
from pages.server.shared import Shared
from pages.server.site_feed import SiteFeed, read_revisions
from tests.helpers.event_loop import run
from tests.helpers.page_reading import texts
from tests.helpers.postgres_replica import PostgresReplica, postgres_replica, reads_from
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.running_collector import wait_for
from tests.helpers.seed import make_site, make_visits
from tests.helpers.signed_in import make_account, session_cookie
from tests.pages.conftest import OpenPage, use_database


@pytest.fixture(scope="module")
def standby(postgres: PostgresServer, postgres_template: str) -> Iterator[PostgresReplica]:
    """One for the whole file: each test leaves it following."""
    with postgres_replica(postgres) as running:
        yield running


@pytest.fixture
def primary(
    standby: PostgresReplica, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """As another process writes, while the pages read the replica."""
    wait_for(lambda: standby.has(make_url(postgres_url).database or ""))
    use_database(postgres_url, monkeypatch)
    engine = open_database(postgres_url)
    with reads_from(standby.url(postgres_url), postgres_url, monkeypatch):
        wait_for(reads_replica)
        yield engine
        standby.resume()
    engine.dispose()


def is_replica(db: Connection) -> bool:
    return db.execute(text("SELECT pg_is_in_recovery()")).scalar_one()


def reads_replica() -> bool:
    return read_replica(is_replica)


def shop(primary: Engine, standby: PostgresReplica) -> Site:
    """A site that the replica has too."""
    site = make_site(primary)
    wait_for(lambda: read_replica(lambda db: is_replica(db) and site_revision(db, site.id) > 0))
    return site


def change(primary: Engine, site: Site) -> int:
    with writing(primary) as db:
        note_changes(db, [site.id or 0])
    with reading(primary) as db:
        return site_revision(db, site.id)


def test_picture_has_the_change_that_was_announced_though_the_replica_has_it_not(
    primary: Engine, standby: PostgresReplica
) -> None:
    site = shop(primary, standby)
    now = utc_now()
    assert latest_picture(site, now).picture is not None
    standby.pause()
    make_visits(primary, site, 3, now=now)
    revision = change(primary, site)
    look = latest_picture(site, now, revision)
    assert look.revision >= revision and not look.fault
    assert look.picture is not None and look.picture.cards.online == 3


def test_picture_comes_from_the_replica_once_that_has_the_change(
    primary: Engine, standby: PostgresReplica
) -> None:
    site = shop(primary, standby)
    asked: list[bool] = []
    shared = Shared(lambda db, _now: asked.append(is_replica(db)), from_replica=True)
    for _ in range(20):
        revision = change(primary, site)
        assert shared.latest(utc_now(), revision, site.key)[1] >= revision
    assert any(asked)


def test_answer_is_never_older_than_the_one_before(
    primary: Engine, standby: PostgresReplica
) -> None:
    site = shop(primary, standby)
    now = utc_now()
    shared = Shared(lambda db, _now: is_replica(db), from_replica=True)
    assert shared.latest(now)[0] is True
    standby.pause()
    revision = change(primary, site)
    assert shared.latest(now, revision, site.key)[:2] == (False, revision)
    later = shared.latest(now + TICK, 0, site.key)
    assert later[:2] == (False, revision)
    standby.resume()
    wait_for(reads_replica)
    assert shared.latest(now + 2 * TICK, 0, site.key)[:2] == (True, revision)


def test_page_reads_the_change_that_its_browser_was_told_of(
    primary: Engine, standby: PostgresReplica, cookies: dict[str, str]
) -> None:
    site = shop(primary, standby)
    assert read_as(Role.VIEWER, is_replica, site)

    async def is_told() -> None:
        feed = SiteFeed()
        try:
            subscriber = await feed.subscribe(None)
            await asyncio.to_thread(change, primary, site)
            async with asyncio.timeout(15):
                while await anext(subscriber) is None:
                    pass
        finally:
            await feed.stop()

    standby.pause()
    run(is_told())
    assert not read_as(Role.VIEWER, is_replica, site)
    standby.resume()
    wait_for(lambda: read_as(Role.VIEWER, is_replica, site))


def test_page_reads_what_its_stream_began_with(
    primary: Engine, standby: PostgresReplica, cookies: dict[str, str]
) -> None:
    site = shop(primary, standby)
    standby.pause()
    change(primary, site)
    run(read_revisions())
    assert not read_as(Role.VIEWER, is_replica, site)


def test_who_is_signed_out_elsewhere_is_out_though_the_replica_knows_them(
    primary: Engine, standby: PostgresReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.replica.MOST_BEHIND", 600.0)
    ann = make_account(primary)
    cookies = {SESSION_COOKIE: session_cookie(primary, ann)}
    wait_for(lambda: latest_guests().identity_of(cookies) is not None)
    standby.pause()
    with writing(primary) as db:
        end_sessions(db, ann.id)
    wait_for(lambda: latest_guests().identity_of(cookies) is None, 5)
    assert reads_replica()


def test_site_that_was_added_here_is_listed_at_once(
    primary: Engine, standby: PostgresReplica
) -> None:
    assert latest_sites(utc_now()).sites == []
    standby.pause()
    write(lambda db: add_site(db, name="Tea", key="tea", now=utc_now()))
    clear_sites()
    assert [site.key for site in latest_sites(utc_now()).sites or ()] == ["tea"]


def test_health_says_how_the_replica_is(
    primary: Engine, standby: PostgresReplica, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_site(primary)
    wait_for(reads_replica)
    page = open_page("health")
    assert not page.exception
    assert "Has everything" in texts(page)
    monkeypatch.setattr("core.health.replica_rules.FAR_BEHIND", timedelta(seconds=1))
    standby.pause()
    make_site(primary, key="pots")
    wait_for(lambda: behind() > timedelta(seconds=2))
    shown = texts(page.run())
    assert "behind, so pages read the primary." in shown and "pg_wal_replay_resume" in shown
    standby.stop()
    try:
        wait_for(lambda: fault() is ReplicaFault.AWAY)
        shown = texts(page.run())
        assert "The replica does not answer, so pages read the primary." in shown
        assert "MONITOR_READ_DATABASE_URL" in shown and "Not read: see above" in shown
    finally:
        standby.start()
    wait_for(reads_replica, 30)
    assert "Has everything" in texts(page.run())


def behind() -> timedelta:
    reads_replica()
    state = replica_state()
    return (state and state.behind) or timedelta()


def fault() -> ReplicaFault | None:
    reads_replica()
    state = replica_state()
    return state and state.fault

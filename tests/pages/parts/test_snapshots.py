"""Reads from a database that is slow, does not answer, or has many callers."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from threading import Event, Semaphore
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from core import deadline
from core.database import open_database, writing
from core.database_threads import MOST_THREADS
from core.deadline import DatabaseUnavailable, read
from pages.parts.site_choice import all_sites
from pages.parts.snapshots import FIRST_ROWS, TICK, latest_picture
from pages.server.shared import Shared
from tests.helpers.seed import make_site, make_visits
from tests.pages.conftest import Database, use_database


def test_question_that_hangs_is_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "DEADLINE", 0.3)
    release = Event()
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable, match="has not answered within"):
        read(lambda _: release.wait(60))
    assert time.monotonic() - began < 3
    release.set()


def test_database_that_hangs_collects_no_threads(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "DEADLINE", 0.05)
    release = Event()
    for _ in range(MOST_THREADS):
        with pytest.raises(DatabaseUnavailable, match="has not answered within"):
            read(lambda _: release.wait(60))
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        read(lambda _: None)
    release.set()
    monkeypatch.undo()
    wait_until_answered()


def test_fault_of_the_question_itself_is_no_fault_of_the_database(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        read(lambda _: 1 / 0)


def test_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = deadline._engine("postgresql+psycopg://monitor:secret@127.0.0.1:1/monitor")
    assert "secret" not in deadline._cure(engine)


@pytest.mark.parametrize("shows_all", [False, True])
def test_twenty_viewers_cost_one_picture(database: Database, shows_all: bool) -> None:
    sites = [make_site(database.engine, key=key) for key in ("tea", "pots")]
    now = datetime.now(UTC)
    for each in sites:
        make_visits(database.engine, each, 50, now=now)
    site = all_sites(sites) if shows_all else sites[0]
    statements: list[str] = []
    event.listen(
        deadline._engine(database.url),
        "before_cursor_execute",
        lambda *arguments: statements.append(arguments[2]),
    )
    with ThreadPoolExecutor(20) as viewers:
        looks = list(viewers.map(lambda _: latest_picture(site, now), range(20)))
    assert all(look.picture is not None and not look.fault for look in looks)
    assert len([each for each in statements if "json_group_array(visit.source)" in each]) == 1
    assert len([each for each in statements if "ORDER BY visit.last_activity_at" in each]) == 1


def test_picture_that_one_viewer_needs_whole_is_read_once_for_all(database: Database) -> None:
    site, now = make_site(database.engine), datetime.now(UTC)
    make_visits(database.engine, site, FIRST_ROWS + 1, now=now)
    first = latest_picture(site, now, every_row=False).picture
    whole = latest_picture(site, now).picture
    assert first is not None and whole is not None
    assert (len(first.visitors), len(whole.visitors)) == (FIRST_ROWS, FIRST_ROWS + 1)
    assert (first.is_whole, whole.is_whole) == (False, True)
    assert first.cards.online == whole.cards.online == FIRST_ROWS + 1
    assert latest_picture(site, now, every_row=False).picture is whole


@pytest.mark.parametrize("visits, is_kept", [(FIRST_ROWS, True), (FIRST_ROWS + 1, False)])
def test_while_the_database_is_away_first_rows_stand_for_all_only_where_they_are_all(
    database: Database, monkeypatch: pytest.MonkeyPatch, visits: int, is_kept: bool
) -> None:
    site, now = make_site(database.engine), datetime.now(UTC)
    make_visits(database.engine, site, visits, now=now)
    first = latest_picture(site, now, every_row=False).picture
    monkeypatch.setattr("pages.server.shared.read_replica", unavailable)
    look = latest_picture(site, now + TICK)
    assert look.fault
    assert look.picture is (first if is_kept else None)


def unavailable(*_question: Any) -> None:
    raise DatabaseUnavailable("The database does not answer.")


def test_last_picture_stays_while_postgres_is_frozen(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(postgres_url, monkeypatch)
    engine = open_database(postgres_url)
    site = make_site(engine)
    now = datetime.now(UTC)
    make_visits(engine, site, 5, now=now)
    first = latest_picture(site, now)
    assert first.picture is not None and first.picture.cards.online == 5
    monkeypatch.setattr(deadline, "DEADLINE", 1.0)
    with writing(engine) as db:
        backends = backends_of(db)
    try:
        for backend in backends:
            os.kill(backend, signal.SIGSTOP)
        began = time.monotonic()
        look = latest_picture(site, now + TICK)
        assert time.monotonic() - began < 3
        assert look.picture == first.picture
        assert "has not answered within 1 seconds" in look.fault
    finally:
        for backend in backends:
            os.kill(backend, signal.SIGCONT)
    wait_until_answered()
    assert not latest_picture(site, now + 3 * TICK).fault
    deadline._engine(postgres_url).dispose()
    engine.dispose()


def test_viewers_who_came_while_the_database_hung_share_one_answer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived, release = Semaphore(0), Event()
    asked: list[datetime] = []

    def hang(_: Connection, now: datetime) -> datetime:
        asked.append(now)
        release.wait(60)
        return now

    def clock() -> float:
        arrived.release()
        return time.monotonic()

    monkeypatch.setattr("pages.server.shared.monotonic", clock)
    shared, now = Shared(hang), datetime.now(UTC)
    with ThreadPoolExecutor(5) as viewers:
        # The first has come last by its own clock.
        looks = [viewers.submit(shared.latest, now + n * TICK, 0) for n in (9, 0, 2, 4, 6)]
        for _ in range(7):  # each one once, and the first twice more when it asks
            assert arrived.acquire(timeout=10)
        release.set()
    assert len(asked) == 1
    assert {look.result()[0] for look in looks} == set(asked)


def test_what_is_cleared_while_a_look_is_under_way_is_asked_again(database: Database) -> None:
    begun, release = Event(), Event()
    asked: list[datetime] = []

    def hang(_: Connection, now: datetime) -> int:
        asked.append(now)
        begun.set()
        release.wait(60)
        return len(asked)

    shared, now = Shared(hang), datetime.now(UTC)
    with ThreadPoolExecutor(2) as pool:
        look = pool.submit(shared.latest, now, 0)
        assert begun.wait(10)
        cleared = pool.submit(shared.clear)
        wait([cleared], timeout=0.2)  # it may, or may not, wait for the look
        release.set()
        assert look.result()[0] == 1
        cleared.result()
    assert shared.latest(now, 0)[0] == 2


def backends_of(db: Connection) -> list[int]:
    """The server processes of all other connections to this database."""
    statement = text(
        "SELECT pid FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return list(db.execute(statement).scalars())


def wait_until_answered() -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while datetime.now(UTC) < deadline:
        try:
            read(lambda _: None)
        except DatabaseUnavailable:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the places of the released questions stay taken")

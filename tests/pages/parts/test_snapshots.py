"""Reads from a database that is slow, does not answer, or has many callers."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import Connection, event, text

from core import deadline
from core.database import open_database, writing
from core.database_threads import MOST_THREADS
from core.deadline import DatabaseUnavailable, read
from pages.parts.snapshots import TICK, latest_picture
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


def test_twenty_viewers_cost_one_query(database: Database) -> None:
    site = make_site(database.engine)
    now = datetime.now(UTC)
    make_visits(database.engine, site, 50, now=now)
    statements: list[str] = []
    event.listen(
        deadline._engine(database.url),
        "before_cursor_execute",
        lambda *arguments: statements.append(arguments[2]),
    )
    with ThreadPoolExecutor(20) as viewers:
        looks = list(viewers.map(lambda _: latest_picture(site, now), range(20)))
    assert all(look.picture is not None and not look.fault for look in looks)
    assert len([statement for statement in statements if "FROM visit \n" in statement]) == 1


def test_last_picture_stays_while_postgres_is_frozen(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "DEADLINE", 1.0)
    use_database(postgres_url, monkeypatch)
    engine = open_database(postgres_url)
    site = make_site(engine)
    now = datetime.now(UTC)
    make_visits(engine, site, 5, now=now)
    first = latest_picture(site, now)
    assert first.picture is not None and first.picture.cards.online == 5
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
    assert not latest_picture(site, now + 2 * TICK).fault
    deadline._engine(postgres_url).dispose()
    engine.dispose()


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

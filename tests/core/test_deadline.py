"""Writes of the dashboard while another writer holds the database for longer than their deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert

from core import deadline
from core.database import open_database, reading, writing
from core.deadline import DatabaseUnavailable, OutcomeUnknown, database_engine, write, write_async
from core.locks import lock_accounts
from core.moment import utc_now
from core.settings import settings
from core.sites import add_site, list_sites
from core.tables import Site
from tests.helpers.event_loop import run

WRITES: list[Callable[[Callable[[Connection], Any]], Any]] = [
    write,
    lambda change: run(write_async(change)),
]
of_pages_and_of_routes = pytest.mark.parametrize("save", WRITES, ids=["page", "route"])


@pytest.fixture(autouse=True)
def dashboard(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The dashboard's way to a database of the test's own, with little patience."""
    monkeypatch.setenv("MONITOR_DATABASE_URL", database_url)
    monkeypatch.setattr(deadline, "DEADLINE", 0.5)
    settings.cache_clear()
    yield
    settings.cache_clear()
    deadline._engine.cache_clear()


@contextmanager
def another_writer(database_url: str) -> Iterator[None]:
    """A writer that does not end: it has the lock of accounts, and a row that is not committed."""
    engine = open_database(database_url)
    with engine.connect().execution_options(writes=True) as connection:
        transaction = connection.begin()
        lock_accounts(connection)
        row = Site(key="shop", name="Not committed", created_at=utc_now())
        connection.execute(insert(Site).values(**row.model_dump(exclude={"id"})))
        yield
        transaction.rollback()
    engine.dispose()


def add_shop(db: Connection) -> Site:
    return add_site(db, name="Shop", key="shop", now=utc_now())


def saved_sites() -> list[str]:
    """The sites that are stored once no thread works on the database any more."""
    until = time.monotonic() + 10
    while any(thread.name == "database" for thread in threading.enumerate()):
        assert time.monotonic() < until, "a write that was given up goes on"
        time.sleep(0.01)
    with reading(database_engine()) as db:
        return [site.name for site in list_sites(db)]


@of_pages_and_of_routes
def test_write_that_waits_in_vain_for_another_writer_is_never_saved(save: Any, database_url: str):
    with another_writer(database_url):
        with pytest.raises(DatabaseUnavailable, match="has not answered within") as refused:
            save(add_shop)
        assert not isinstance(refused.value, OutcomeUnknown)
    assert saved_sites() == []
    assert save(add_shop).name == "Shop"
    assert saved_sites() == ["Shop"]


@of_pages_and_of_routes
def test_write_that_is_too_slow_itself_is_never_saved(save: Any):
    release = Event()

    def add_slowly(db: Connection) -> None:
        add_shop(db)
        release.wait(10)

    with pytest.raises(DatabaseUnavailable, match="has not answered within") as refused:
        save(add_slowly)
    release.set()
    assert not isinstance(refused.value, OutcomeUnknown)
    assert saved_sites() == []


@of_pages_and_of_routes
def test_commit_under_way_at_the_deadline_is_waited_for(save: Any):
    with slow_commit() as release:
        threading.Timer(1, release.set).start()
        assert save(add_shop).name == "Shop"
    assert saved_sites() == ["Shop"]


@of_pages_and_of_routes
def test_commit_that_does_not_end_is_said_to_be_unknown(save: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deadline, "COMMIT_WITHIN", 0.2)
    monkeypatch.setattr(deadline, "DEADLINE", 2.0)  # by then the commit has begun, on any machine
    with slow_commit() as release:
        with pytest.raises(OutcomeUnknown, match="may have been saved"):
            save(add_shop)
        release.set()
        assert saved_sites() == ["Shop"]


@contextmanager
def slow_commit() -> Iterator[Event]:
    """Commits of what the dashboard writes wait for the event, as on a disk that hangs."""
    release = Event()
    engine = database_engine()

    def wait(connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            release.wait(10)

    event.listen(engine, "commit", wait)
    yield release
    event.remove(engine, "commit", wait)


def test_what_others_write_does_not_change(database_url: str):
    """The command line and the collector wait as long as the database lets them."""
    engine = open_database(database_url)
    with writing(engine) as db:
        add_shop(db)
    engine.dispose()
    assert saved_sites() == ["Shop"]

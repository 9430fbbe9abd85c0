"""The locks of writers: one for each site, and one for the accounts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from sqlalchemy import Connection, Engine, text

from core.database import open_database, writing
from core.locks import lock_accounts, lock_site, take_sites
from tests.helpers.waiting_writer import until_it_waits

on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
LONG = 10.0


@pytest.fixture
def engines(database_url: str) -> Iterator[tuple[Engine, Engine]]:
    """Two engines on the same database, as in two processes."""
    with ExitStack() as opened:
        one, other = (open_database(database_url) for _ in range(2))
        opened.callback(one.dispose)
        opened.callback(other.dispose)
        yield one, other


@on_postgres
def test_sites_that_nobody_else_writes_are_taken(engines: tuple[Engine, Engine]) -> None:
    one, other = engines
    with writing(one) as db, writing(other) as also:
        lock_site(db, 1)
        assert take_sites(also, [1, 2, 3]) == {2, 3}
        assert take_sites(db, [1, 4, 2]) == {1, 4}


def test_without_another_writer_all_are_taken(engines: tuple[Engine, Engine]) -> None:
    with writing(engines[0]) as db:
        lock_site(db, 1)
        assert take_sites(db, [1, 2]) == {1, 2}
        assert take_sites(db, []) == set()


@on_postgres
def test_locks_end_with_their_transaction(engines: tuple[Engine, Engine]) -> None:
    one, other = engines
    with writing(one) as db:
        lock_site(db, 1)
        take_sites(db, [2])
    with writing(other) as db:
        assert take_sites(db, [1, 2]) == {1, 2}


@on_postgres
def test_who_waits_for_a_site_gets_it_before_who_comes_later(
    engines: tuple[Engine, Engine],
) -> None:
    one, other = engines

    def take() -> set[int]:
        with writing(other) as db:
            return take_sites(db, [1], within=LONG)

    with ThreadPoolExecutor(1) as pool:
        with writing(one) as db:
            lock_site(db, 1)
            waits = pool.submit(take)
            until_it_waits(one)
            with writing(one) as later:
                assert take_sites(later, [1]) == set()
        assert waits.result() == {1}


@on_postgres
def test_waiting_in_vain_for_a_site_keeps_what_was_taken(engines: tuple[Engine, Engine]) -> None:
    one, other = engines
    with writing(one) as db:
        lock_site(db, 1)
        with writing(other) as also:
            assert take_sites(also, [1, 2], within=0.02) == {2}
            assert _limit(also) == "10s"
            with writing(one) as third:
                assert take_sites(third, [2]) == set()


@on_postgres
def test_accounts_wait_for_no_site(engines: tuple[Engine, Engine]) -> None:
    one, other = engines
    with writing(one) as db, writing(other) as also:
        lock_accounts(db)
        lock_site(also, 1)
        assert take_sites(also, [2]) == {2}


def _limit(db: Connection) -> str:
    return db.execute(text("SHOW lock_timeout")).scalar_one()

"""The locks of writers: on Postgres one for each site, so that no site waits for another.

SQLite has one writer at a time by itself (BEGIN IMMEDIATE in core/database.py), so there is nothing to lock.
All locks end with their transaction. Who needs more than one takes that of the accounts first, then the
sites in ascending order of their ids, or tries them (`take_sites`): so nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import sample
from time import monotonic

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from core.postgres import STATEMENT_TIMEOUT, run_together

TAKE_WITHIN = 0.02
"""Seconds in the queue for a site's lock, for whoever has other sites to write: longer than most batches."""

_SITES, _ACCOUNTS = 7_226_003, 7_226_002
"""Keys of Postgres' advisory locks: the first half of a site's, and the one of all accounts."""

_SHORTEST_WAIT = 0.001


def lock_site(connection: Connection, site_id: int) -> None:
    """Wait until no other transaction writes visits or chats of the site, or deletes it."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, %s)", (_SITES, site_id))


def take_sites(connection: Connection, site_ids: Iterable[int], within: float = 0) -> set[int]:
    """Those of the sites that only this transaction writes from now on; of the others it must not write.

    It waits no longer than so many seconds in all, in the server's queue: so two who want one site
    all the time get it by turns.
    """
    wanted = set(site_ids)
    if connection.dialect.name != "postgresql" or not wanted:
        return wanted
    free = connection.exec_driver_sql(
        "SELECT id FROM unnest(%s::int[]) AS id WHERE pg_try_advisory_xact_lock(%s, id)",
        (sorted(wanted), _SITES),
    )
    taken = set(free.scalars())
    busy, latest = wanted - taken, monotonic() + within
    # In any order: none is always the one for which no time is left.
    for site_id in sample(sorted(busy), len(busy)):
        if (patience := latest - monotonic()) > _SHORTEST_WAIT and _wait(
            connection, site_id, patience
        ):
            taken.add(site_id)
    return taken


def lock_accounts(connection: Connection) -> None:
    """Wait until no other transaction changes who can sign in."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ACCOUNTS})")


def _wait(connection: Connection, site_id: int, seconds: float) -> bool:
    """Whether the lock was given within so many seconds."""
    from psycopg.errors import LockNotAvailable

    try:
        with connection.begin_nested():
            run_together(
                connection,
                f"SET LOCAL lock_timeout = {max(round(seconds * 1000), 1)}",
                f"SELECT pg_advisory_xact_lock({_SITES}, {int(site_id)})",
                f"SET LOCAL lock_timeout = {STATEMENT_TIMEOUT * 1000}",
            )
    except OperationalError as fault:
        if isinstance(fault.orig, LockNotAvailable):
            return False
        raise
    return True

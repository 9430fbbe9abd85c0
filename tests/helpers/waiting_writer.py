"""A transaction on Postgres that waits for a lock of writers."""

from sqlalchemy import Engine, text

from tests.helpers.running_collector import wait_for

_WAITING = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


def until_it_waits(engine: Engine) -> None:
    """Return once another transaction waits for the lock."""
    with engine.connect() as connection:
        wait_for(lambda: connection.execute(_WAITING).scalar_one())
